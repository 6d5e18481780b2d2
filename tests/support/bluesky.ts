import { createHash } from "node:crypto";
import { connector } from "../../shared/connectors/bluesky/index.ts";
import { Credentials, type BlueskyCall } from "../../shared/connectors/bluesky/credentials.ts";
import { startSimulator } from "../../shared/connectors/bluesky/simulator.ts";
import type {
  OutgoingMedia,
  OutgoingPart,
  PublishedPart,
} from "../../shared/connectors/connector.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";

export const MINUTE_MS = 60_000;

/** The platform's stand-in with a clock that tests move. Starts at 15:00 UTC on 5 February 2027. */
export interface Stage {
  readonly simulator: Simulator;
  now(): Date;
  pass(ms: number): void;
  callOf(credentials: Credentials, options?: { fetch?: typeof fetch }): BlueskyCall;
  /** A call for a connected channel. */
  aChannel(options?: { name?: string; fetch?: typeof fetch }): Promise<BlueskyCall>;
}

export async function aStage(): Promise<Stage> {
  let now = new Date("2027-02-05T15:00:00Z");
  const simulator = await startSimulator({ now: () => now });
  const callOf: Stage["callOf"] = (credentials, options = {}) => ({
    credentials,
    settings: { baseUrl: simulator.url },
    fetch: options.fetch ?? fetch,
    now: () => now,
    signal: AbortSignal.timeout(10_000),
  });
  return {
    simulator,
    now: () => now,
    pass(ms) {
      now = new Date(now.getTime() + ms);
    },
    callOf,
    async aChannel({ name = "heart", ...options } = {}) {
      const call = callOf(Credentials.parse(simulator.account(name)), options);
      const { credentials } = await connector.connect(call);
      return { ...call, credentials };
    },
  };
}

export async function publish(part: OutgoingPart, call: BlueskyCall): Promise<PublishedPart> {
  return connector.commit(part, await connector.prepare(part, null, call), call);
}

export function aPart(part: Partial<OutgoingPart>): OutgoingPart {
  const { text = "Hello", media = [], link = null, thread = null } = part;
  const content = JSON.stringify([text, media.map(({ id }) => id), link]);
  const idempotencyKey = createHash("sha256").update(content).digest("hex");
  return { text, media, link, thread, idempotencyKey };
}

export function anImage(given: {
  id?: string;
  altText?: string;
  bytes?: number;
  declaredBytes?: number;
}): OutgoingMedia {
  const { id = "m", altText = "A heart", bytes = 400 } = given;
  const png = new Uint8Array(bytes);
  png.set([0x89, 0x50, 0x4e, 0x47], 0);
  png.set(Buffer.from(id), 8);
  return {
    id,
    altText,
    contentType: "image/png",
    byteLength: given.declaredBytes ?? bytes,
    width: 1200,
    height: 675,
    read: () => Promise.resolve(png),
  };
}

export function counting(requests: string[]): typeof fetch {
  return (input, init) => {
    requests.push(textOf(input));
    return fetch(input, init);
  };
}

export function recordingBodies(bodies: string[]): typeof fetch {
  return (input, init) => {
    bodies.push(textOf(init?.body));
    return fetch(input, init);
  };
}

/** Leads the real hosts to the simulator, and writes down which were meant. */
export function routed(requests: string[], simulatorUrl: string): typeof fetch {
  const realHosts = /^https:\/\/(?:bsky\.social|public\.api\.bsky\.app)/;
  return (input, init) => {
    requests.push(textOf(input));
    return fetch(textOf(input).replace(realHosts, simulatorUrl), init);
  };
}

/** Addresses and bodies that the connector sends are text, but for files. */
function textOf(sent: unknown): string {
  return typeof sent === "string" ? sent : "";
}
