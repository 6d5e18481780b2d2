import { v7 as uuidv7 } from "uuid";
import { callFor, connectorOf, credentialsIdentity } from "../../shared/commands/channel-calls.ts";
import type { Simulator, StartSimulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { wake } from "../../shared/db/outbox.ts";
import { contentHash } from "../../shared/domain/content.ts";
import type { DeliveryState } from "../../shared/domain/delivery.ts";
import { startWorker, type RunningWorker } from "../../worker/worker.ts";
import { createTestContext, type TestContext } from "./context.ts";

/** Stand-in for a platform of the registry. */
export async function startSimulatorOf(
  platform: string,
  options: Parameters<StartSimulator>[0] = {},
): Promise<Simulator> {
  const module: { startSimulator: StartSimulator } = await import(
    `../../shared/connectors/${platform}/simulator.ts`
  );
  return module.startSimulator(options);
}

/** A context whose platforms are reached at these simulators. */
export function contextWith(
  simulators: Readonly<Record<string, Simulator>>,
  settings: Readonly<Record<string, string>>,
): Promise<TestContext> {
  const urls = Object.entries(simulators).map(([id, { url }]) => [
    `POSTWELL_${id.toUpperCase()}_BASE_URL`,
    url,
  ]);
  return createTestContext({ ...Object.fromEntries(urls), POSTWELL_POLL_MS: "20", ...settings });
}

/** A channel on a platform, connected as a person would. */
export async function aConnectedChannel(
  { context, db }: TestContext,
  actor: Actor,
  platform: string,
  credentials: unknown,
): Promise<{ id: string; platform: string }> {
  const connector = connectorOf(context, platform);
  const parsed = connector.credentials.parse(credentials);
  const signal = AbortSignal.timeout(10_000);
  const connection = await connector.connect(callFor(context, connector, parsed, signal));
  const id = uuidv7();
  await db
    .insertInto("channels")
    .values({
      id,
      workspaceId: actor.workspaceId,
      platform,
      name: `Channel ${id}`,
      remoteAccountId: `${connection.remoteAccountId} ${id}`,
      handle: connection.handle,
      state: "connected",
      capabilities: JSON.stringify(connection.capabilities),
      sealedCredentials: context.sealer.seal(connection.credentials, credentialsIdentity(id)),
    })
    .execute();
  return { id, platform };
}

/** A post with one delivery, as scheduling would leave it. */
export async function aPlannedDelivery(
  { db }: TestContext,
  actor: Actor,
  channel: { id: string; platform: string },
  plan: { texts: readonly string[]; dueAt: Date; latestAfterMs?: number; state?: DeliveryState },
): Promise<string> {
  const postId = uuidv7();
  const deliveryId = uuidv7();
  const hash = contentHash(
    plan.texts.map((text) => ({ text, media: [] })),
    null,
  );
  const { workspaceId } = actor;
  await db.transaction().execute(async (tx) => {
    const parts = JSON.stringify(plan.texts.map((text) => ({ text, mediaIds: [] })));
    const post = {
      id: postId,
      workspaceId,
      parts,
      labels: [],
      latestAfterMinutes: 15,
      contentHash: hash,
    };
    await tx
      .insertInto("posts")
      .values({ ...post, state: "scheduled", sources: "[]", createdBy: actor.tokenId })
      .execute();
    await tx
      .insertInto("postChannels")
      .values({ workspaceId, postId, channelId: channel.id })
      .execute();
    await tx
      .insertInto("deliveries")
      .values({
        id: deliveryId,
        workspaceId,
        postId,
        channelId: channel.id,
        platform: channel.platform,
        state: plan.state ?? "scheduled",
        contentHash: hash,
        dueAt: plan.dueAt,
        latestAt: new Date(plan.dueAt.getTime() + (plan.latestAfterMs ?? 15 * 60_000)),
        nextAt: plan.dueAt,
      })
      .execute();
    await wake(tx, [
      { job: "publish-channel", lane: channel.platform, subjectId: channel.id, runAt: plan.dueAt },
    ]);
  });
  return deliveryId;
}

/**
 * Workers of one test; stop them at its end. With a queue, they have proven that it delivers: a suite that runs in both modes
 * must not pass by direct mode alone.
 */
export async function startWorkers(test: TestContext, count = 1): Promise<RunningWorker[]> {
  const workers = Array.from({ length: count }, () => startWorker(test));
  if (test.context.config.redisUrl !== null) {
    const areHealthy = () => Promise.resolve(workers.every((worker) => worker.isQueueHealthy()));
    await eventually(areHealthy, (isSo) => isSo, 60_000).catch(async (error: unknown) => {
      // Nobody else knows them: they would keep Jest from ending.
      await Promise.all(workers.map((worker) => worker.stop()));
      throw error;
    });
  }
  return workers;
}

/** Looks again until it is so. Fails with what was seen last. */
export async function eventually<T>(
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  withinMs = 30_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() > end) throw new Error(`Still not so: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
