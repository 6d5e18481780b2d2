import { Worker } from "bullmq";
import { Redis } from "ioredis";
import * as z from "zod";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import { idempotencyKey } from "../../shared/domain/content.ts";
import { createFetch } from "../../shared/outgoing.ts";
import { BARE_QUEUE, BareJob, type BareRun } from "./bare-job.ts";
import { answerBench, nowMs } from "./questions.ts";

/**
 * What ours is held against: a BullMQ worker that has the same connector make the same request with the same `fetch`, and
 * writes nothing down.
 */
const env = z
  .object({ REDIS_URL: z.string(), PLATFORM_URL: z.url(), CONCURRENCY: z.coerce.number() })
  .parse(process.env);

const COMMIT_TIMEOUT_MS = 20_000;
const send = createFetch({ allowPrivateHosts: [new URL(env.PLATFORM_URL).host] });
const connection = new Redis(env.REDIS_URL, { maxRetriesPerRequest: null });
let runs: BareRun[] = [];
let doneCount = 0;
let lastDoneAt = 0;

const settings = connector.settings.parse({ baseUrl: env.PLATFORM_URL });

async function publish(job: BareJob, jobId: string): Promise<void> {
  const beganAt = nowMs();
  const call = {
    settings,
    credentials: { handle: job.handle, token: job.token },
    fetch: send,
    now: () => new Date(),
    signal: AbortSignal.timeout(COMMIT_TIMEOUT_MS),
  };
  const part = {
    text: job.text,
    media: [],
    link: null,
    thread: null,
    idempotencyKey: idempotencyKey(jobId, 0, ""),
  };
  await connector.commit(part, await connector.prepare(part, null, call), call);
  runs.push({ channel: job.channel, dueAt: job.dueAt, beganAt, endedAt: nowMs() });
}

const worker = new Worker(
  BARE_QUEUE,
  async ({ data, id }) => publish(BareJob.parse(data), id ?? ""),
  {
    connection,
    concurrency: env.CONCURRENCY,
    removeOnComplete: { count: 0 },
  },
);
worker.on("completed", () => {
  doneCount += 1;
  lastDoneAt = nowMs();
});
worker.on("failed", (_job, error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
await worker.waitUntilReady();

answerBench({
  done: () => doneCount,
  take: () => {
    const taken = { runs, lastDoneAt };
    runs = [];
    doneCount = 0;
    return taken;
  },
});
