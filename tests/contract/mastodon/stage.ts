import type {
  OutgoingMedia,
  OutgoingPart,
  PublishedPart,
} from "../../../shared/connectors/connector.ts";
import { ConnectorError } from "../../../shared/connectors/error.ts";
import type { MastodonCall } from "../../../shared/connectors/mastodon/access.ts";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import {
  startSimulator,
  type MastodonOptions,
  type MastodonSimulator,
} from "../../../shared/connectors/mastodon/simulator.ts";

/** When everything happens, unless a test moves the clock. */
export const noon = new Date("2027-02-05T12:00:00Z");
export const MINUTE_MS = 60_000;

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]);

/** Starts simulators for the tests of one file, and closes them all. */
export function aStage() {
  const running: MastodonSimulator[] = [];

  async function started(options: MastodonOptions = {}, scopes?: readonly string[]) {
    const simulator = await startSimulator({ now: () => noon, ...options });
    running.push(simulator);
    const call: MastodonCall = {
      credentials: simulator.account("heart", scopes),
      settings: { baseUrl: simulator.url },
      fetch,
      now: () => noon,
      signal: new AbortController().signal,
    };
    return { simulator, call };
  }

  const close = () => Promise.all(running.splice(0).map((simulator) => simulator.close()));
  return { started, close };
}

export function aPart(changes: Partial<OutgoingPart> = {}): OutgoingPart {
  return {
    text: "Know your blood pressure.",
    media: [],
    link: null,
    thread: null,
    idempotencyKey: (changes.thread?.parent.remoteId ?? "").padStart(64, "a"),
    ...changes,
  };
}

export function anImage(altText: string): OutgoingMedia {
  return {
    id: `image ${altText}`,
    contentType: "image/png",
    byteLength: PNG.byteLength,
    width: 1,
    height: 1,
    altText,
    read: () => Promise.resolve(PNG),
  };
}

export async function publish(part: OutgoingPart, call: MastodonCall): Promise<PublishedPart> {
  return connector.commit(part, await connector.prepare(part, null, call), call);
}

/** Ids of as many different posts. */
export async function publishMany(count: number, call: MastodonCall): Promise<string[]> {
  const ids: string[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const idempotencyKey = String(sent).padEnd(64, "f");
    ids.push((await publish(aPart({ idempotencyKey }), call)).remoteId);
  }
  return ids;
}

/** The address of a request that a replaced fetch gets. */
export function addressOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : input.toString();
}

/** The error of something that must fail. */
export async function failure(promise: Promise<unknown> | undefined): Promise<ConnectorError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error("expected a failure");
}
