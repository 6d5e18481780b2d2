import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { bootstrapToken } from "../shared/commands/bootstrap-token.ts";
import { raiseAlarms } from "../shared/commands/raise-alarms.ts";
import { type Config, ConfigError, readConfig } from "../shared/config.ts";
import { openContext, type OpenContext } from "../shared/context.ts";
import { forgetOldKeys } from "../shared/db/idempotency-keys.ts";
import { readSchemaState } from "../shared/db/schema-state.ts";
import { createLogger } from "../shared/logger.ts";
import { keepHeapSmall } from "../shared/small-heap.ts";
import { codeOf, StoreError } from "../shared/store-error.ts";
import { checkDatabase } from "../shared/stores.ts";
import { createApp } from "./app.ts";

/** Requests that are still going on by then are cut off; the launcher waits a little longer. */
const FINISH_WITHIN_MS = 4_000;
const STOP_WITHIN_MS = 5_000;

/** How often this process compares its clock with the database's. */
const SYNC_CLOCK_EVERY_MS = 1_000;
const RAISE_ALARMS_EVERY_MS = 10_000;
const HOUSEKEEPING_EVERY_MS = 3_600_000;

/** A sentence for whoever starts the process. */
class StartError extends Error {
  override readonly name = "StartError";
}

async function main(): Promise<void> {
  keepHeapSmall();
  const config = readConfig();
  const log = createLogger("api", config.logLevel);
  await checkDatabase(config.databaseUrl);
  const opened = await openContext(config, log, "postwell-api");
  const { context } = opened;
  await requireSchema(opened);
  await opened.syncClock();
  if (config.bootstrapToken !== null && (await bootstrapToken(context, config.bootstrapToken))) {
    log.info("first admin token made from POSTWELL_BOOTSTRAP_TOKEN");
  }
  const closing = new AbortController();
  const server = await listen(createServer(createApp(context, closing.signal)), config);
  log.info({ host: config.host, port: config.port }, "api listening");
  const timers = keepHouse(opened);

  onStop(async () => {
    for (const timer of timers) clearInterval(timer);
    closing.abort();
    await close(server);
    await opened.close();
    log.info("api stopped");
  });
}

/** What is done now and then beside the requests. */
function keepHouse(opened: OpenContext): NodeJS.Timeout[] {
  const { db, log } = opened.context;
  const often = async (work: () => Promise<unknown>) => {
    await work().catch((error: unknown) => log.warn({ err: error }, "housekeeping failed"));
  };
  return [
    setInterval(() => void often(() => opened.syncClock()), SYNC_CLOCK_EVERY_MS),
    // Here too, because there may be no worker that could.
    setInterval(() => void often(() => raiseAlarms(opened.context)), RAISE_ALARMS_EVERY_MS),
    setInterval(() => void often(() => forgetOldKeys(db)), HOUSEKEEPING_EVERY_MS),
  ];
}

/** Stops once, on a signal or when the launcher is gone. */
function onStop(stop: () => Promise<void>): void {
  let isStopping = false;
  async function begin(): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    await stop();
    // The channel to the launcher would keep the process alive.
    if (process.connected) process.disconnect();
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void begin());
  process.on("disconnect", () => void begin());
}

/** @throws {StartError} */
async function requireSchema(opened: OpenContext): Promise<void> {
  const state = await readSchemaState(opened.context.db);
  if (state === "current" || state === "newer") return;
  await opened.close();
  const found =
    state === "missing" ? "holds no Postwell yet" : "is of an older version of Postwell";
  throw new StartError(
    `DATABASE_URL: this database ${found}. Run \`npm run migrate\` once, then start again.`,
  );
}

/** @throws {StartError} */
/** Longer than clients and proxies keep idle connections: else one of them sends a request into a connection that we close. */
const KEEP_ALIVE_MS = 75_000;

async function listen(server: Server, { host, port }: Config): Promise<Server> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, host);
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    throw new StartError(sentenceFor(codeOf(error), host, port), { cause: error });
  }
}

function sentenceFor(code: string | null, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `PORT: ${port} is taken by another program. Stop that one, or set PORT to a free port.`;
    case "EACCES":
      return `PORT: this user may not listen on port ${port}. Set PORT to one above 1023.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `POSTWELL_HOST: ${host} is no address of this machine. Set it to one that is, or leave it out.`;
    default:
      return `PORT: listening on ${host}:${port} failed (${code ?? "no reason given"}).`;
  }
}

/** Lets requests finish that are under way, for a while. */
async function close(server: Server): Promise<void> {
  const cutOff = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS);
  const closed = once(server, "close");
  server.close();
  await closed;
  clearTimeout(cutOff);
}

main().catch((error: unknown) => {
  const isForPeople =
    error instanceof ConfigError || error instanceof StoreError || error instanceof StartError;
  process.stderr.write(`${isForPeople ? error.message : stackOf(error)}\n`);
  process.exit(1);
});

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
