import { afterEach, beforeEach } from "@jest/globals";
import type {
  Call,
  OutgoingMedia,
  OutgoingPart,
  PublishedPart,
} from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { Credentials, Settings } from "../../shared/connectors/x/credentials.ts";
import { connector } from "../../shared/connectors/x/index.ts";
import { startSimulator, type XSimulator } from "../../shared/connectors/x/simulator.ts";

export type XCall = Call<Credentials, Settings>;

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** A fresh simulator of X for each test of a file, with a clock that starts at 15:00 UTC on 5 February 2027. */
export interface XStage {
  readonly x: XSimulator;
  now(): Date;
  later(ms: number): void;
  /** A call for an account that has tokens and nothing more. */
  callOf(change?: Partial<XCall>): XCall;
  /** A call for a connected channel. */
  connected(): Promise<XCall>;
}

export function useX(): XStage {
  let clock = new Date(0);
  let started: XSimulator | null = null;
  beforeEach(async () => {
    clock = new Date("2027-02-05T15:00:00Z");
    started = await startSimulator({ now: () => clock });
  });
  afterEach(() => started?.close());
  const current = (): XSimulator => {
    if (!started) throw new Error("The simulator runs during tests only");
    return started;
  };
  const callOf: XStage["callOf"] = (change = {}) => ({
    credentials: Credentials.parse(current().account("heart")),
    settings: Settings.parse({ baseUrl: current().url }),
    fetch,
    now: () => clock,
    signal: AbortSignal.timeout(10_000),
    ...change,
  });
  return {
    get x() {
      return current();
    },
    now: () => clock,
    later(ms) {
      clock = new Date(clock.getTime() + ms);
    },
    callOf,
    async connected() {
      const call = callOf();
      const { credentials } = await connector.connect(call);
      return { ...call, credentials };
    },
  };
}

export async function publish(call: XCall, part: OutgoingPart): Promise<PublishedPart> {
  return connector.commit(part, await connector.prepare(part, null, call), call);
}

export function aPart(change: Partial<OutgoingPart> = {}): OutgoingPart {
  return {
    text: "Know your numbers: blood pressure",
    media: [],
    link: null,
    thread: null,
    idempotencyKey: "0".repeat(64),
    ...change,
  };
}

/** An image of as many empty bytes: the simulator does not look into it. */
export function anImage(id: string, altText = "", byteLength = 2_000): OutgoingMedia {
  return {
    id,
    contentType: "image/png",
    altText,
    byteLength,
    width: 10,
    height: 10,
    read: async () => new Uint8Array(byteLength),
  };
}

/** The error with which a call must fail. */
export async function failure(promise: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await promise.then(
    () => new Error("It did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof ConnectorError) return error;
  throw error;
}
