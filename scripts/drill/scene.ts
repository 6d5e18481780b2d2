import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import type { ApiAnswer } from "./api.ts";
import type { Cast } from "./cast.ts";
import type { DrillPlan } from "./plan.ts";
import type { Line } from "./script.ts";
import type { Stage } from "./stage.ts";

/** A running drill. */
export interface Scene {
  readonly stage: Stage;
  readonly cast: Cast;
  readonly plan: DrillPlan;
  /** The drill's start. */
  readonly base: Date;
  /** By number of delivery; creations join when they are made. */
  readonly lines: Map<number, Line>;
  readonly stops: Stop[];
}

/** A hold and what the API said to it. */
export interface Stop {
  readonly channel: number;
  /** The API's answer was there; from then on nothing goes out. Milliseconds since 1970. */
  readonly answeredAt: number;
  /** The end was asked for. */
  endedAt: number;
  /** What the answer says; deliveries that were already being sent are named in it. */
  readonly answer: string;
}

/** Until an instant of the drill; at once where it has passed or the drill was stopped. */
export async function until({ base, stage }: Scene, atMs: number): Promise<void> {
  const waitMs = base.getTime() + atMs - Date.now();
  if (waitMs <= 0) return;
  await delay(waitMs, undefined, { signal: stage.signal }).catch(() => undefined);
}

const Problem = z.object({ code: z.string() });

/** Of a problem; empty where there is none. */
export function codeOf({ body }: ApiAnswer): string {
  return Problem.safeParse(body).data?.code ?? "";
}
