import { inspect } from "node:util";
import type {
  Call,
  Connection,
  Connector,
  OutgoingPart,
  PublishedPart,
} from "../../../shared/connectors/connector.ts";
import { ConnectorError } from "../../../shared/connectors/error.ts";
import type { Simulator, StartSimulator } from "../../../shared/connectors/simulator.ts";
import { createFetch } from "../../../shared/outgoing.ts";
import { TOPIC } from "./parts.ts";

/** One connected account on a platform's simulator, and a clock for both sides. */
export interface World {
  readonly connector: Connector;
  readonly simulator: Simulator;
  readonly connection: Connection<unknown>;
  readonly call: Call;
  /** Moves the clock. */
  pass(ms: number): void;
  now(): Date;
}

export const ACCOUNT = "heart";
export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** Longer than any answer takes; so that a connector which waits for ever fails instead of hanging. */
const CALL_TIMEOUT_MS = 20_000;

/** Runs a test against a simulator of its own, with an account connected. */
export async function inWorld(
  connector: Connector,
  run: (world: World) => Promise<void>,
): Promise<void> {
  let time = Date.parse("2027-02-05T15:00:00Z");
  const now = () => new Date(time);
  const simulator = await simulatorOf(connector.id, now);
  try {
    const settings = connector.settings.parse({ baseUrl: simulator.url });
    const credentials = connector.credentials.parse(simulator.account(ACCOUNT));
    const open = aCall({ settings, now, credentials });
    const connection = await connector.connect(open);
    const stored = throughJson(connector.credentials, connection.credentials);
    const call = { ...open, credentials: stored };
    const pass = (ms: number) => {
      time += ms;
    };
    await run({ connector, simulator, connection, call, pass, now });
  } finally {
    await simulator.close();
  }
}

/** Calls with an own `fetch`, so that no kept connection leads to a server of another test. */
export function aCall(fields: Pick<Call, "settings" | "now" | "credentials">): Call {
  return {
    ...fields,
    fetch: createFetch({ allowPrivateHosts: ["127.0.0.1"] }),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  };
}

async function simulatorOf(id: string, now: () => Date): Promise<Simulator> {
  const module: { startSimulator: StartSimulator } = await import(
    `../../../shared/connectors/${id}/simulator.ts`
  );
  return module.startSimulator({ now });
}

/** What is stored must come back from storage as it was. */
export function throughJson<T>(schema: { parse(value: unknown): T }, value: unknown): T {
  return schema.parse(JSON.parse(JSON.stringify(value)));
}

export async function prepare(world: World, part: OutgoingPart, call = world.call) {
  const prepared = await world.connector.prepare(part, null, call);
  return throughJson(world.connector.prepared, prepared);
}

export async function publish(
  world: World,
  part: OutgoingPart,
  call = world.call,
): Promise<PublishedPart> {
  return world.connector.commit(part, await prepare(world, part, call), call);
}

/** Publishes a thread and returns its parts. */
export async function publishThread(
  world: World,
  parts: readonly OutgoingPart[],
): Promise<readonly PublishedPart[]> {
  const published: PublishedPart[] = [];
  for (const part of parts) {
    const [root] = published;
    const parent = published.at(-1);
    const thread = root && parent ? { root, parent } : null;
    published.push(await publish(world, { ...part, thread }));
  }
  return published;
}

/** The error with which a call must fail. It says nothing that may not be shown or logged. */
export async function failureOf(world: World, outcome: Promise<unknown>): Promise<ConnectorError> {
  const error = await outcome.then(
    (value) => new Error(`nothing failed, but gave ${inspect(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectorError)) {
    throw new Error("expected a ConnectorError", { cause: error });
  }
  // With its causes, as a logger would print it.
  const told = `${inspect(error, { depth: 8 })} ${JSON.stringify(error)}`;
  const leaks = [TOPIC, ...secretsOf(world)].filter((secret) => told.includes(secret));
  if (leaks.length > 0) throw new Error(`the error tells ${leaks.join(", ")}`, { cause: error });
  return error;
}

/** Every text in the credentials that is neither public (address, name) nor too short to be a secret, nor a time. */
function secretsOf({ call, connection, simulator }: World): readonly string[] {
  const isPublic = (text: string) =>
    text.includes("://") ||
    [connection.handle, connection.remoteAccountId, simulator.url].some((known) =>
      known.includes(text),
    ) ||
    !Number.isNaN(Date.parse(text));
  return textsIn(call.credentials).filter((text) => text.length >= 8 && !isPublic(text));
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
