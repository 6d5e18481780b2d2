import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import type { ApiAnswer, WishAnswer } from "./api.ts";
import type { Cast } from "./cast.ts";
import { textsOf, type DrillPlan, type Operation } from "./plan.ts";
import { lineOf, partsOf, type Form, type Line } from "./script.ts";
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

/** Does everything that people do at the last moment. Resolves when all of it has been answered. */
export async function operate(scene: Scene): Promise<void> {
  const running = scene.plan.operations.map(async (operation) => {
    await until(scene, operation.atMs);
    if (!scene.stage.signal.aborted) await perform(scene, operation);
  });
  await Promise.all([...running, holdChannels(scene)]);
}

async function perform(scene: Scene, operation: Operation): Promise<void> {
  if (operation.kind === "create") return create(scene, operation);
  const line = scene.lines.get(operation.delivery.number);
  if (!line) return;
  const sentAt = Date.now();
  const { form, request } = requestOf(scene, operation, line);
  // Noted before it is asked for: the post may be out before the answer is here.
  line.changed = form;
  note(line, operation, sentAt, await request());
}

interface Request {
  readonly form: Form | null;
  readonly request: () => Promise<WishAnswer>;
}

function requestOf({ stage, cast, plan, base }: Scene, operation: Operation, line: Line): Request {
  const post = `/api/v1/posts/${line.postId}`;
  const { api } = stage;
  switch (operation.kind) {
    case "edit": {
      const texts = textsOf(plan.marker, operation.delivery, 1);
      const parts = partsOf(cast, texts, line.hasImage);
      return {
        form: { texts, dueAt: line.planned.dueAt },
        request: () => api.wish("PATCH", post, { parts }),
      };
    }
    case "move": {
      const dueAt = new Date(base.getTime() + operation.dueMs);
      const at = { utc: dueAt.toISOString() };
      return {
        form: { texts: line.planned.texts, dueAt },
        request: () => api.wish("POST", `${post}/schedule`, { at }),
      };
    }
    default:
      return { form: null, request: () => api.wish("POST", `${post}/cancel`, {}) };
  }
}

const Created = z.object({ id: z.uuid() });
const Scheduled = z.object({ deliveries: z.array(z.object({ id: z.uuid() })).min(1) });

async function create({ stage, cast, plan, base, lines }: Scene, operation: Operation) {
  const { delivery } = operation;
  const line = lineOf(plan.marker, delivery, base);
  const sentAt = Date.now();
  const parts = partsOf(cast, line.planned.texts, delivery.hasImage);
  const channelIds = [cast.channels[delivery.channel]?.id];
  lines.set(line.number, { ...line, postId: "", deliveryId: "" });
  const written = await stage.api.wish("POST", "/api/v1/posts", { parts, channelIds });
  const created = Created.safeParse(written.answer.body);
  const stored = lines.get(line.number) ?? line;
  // A draft that nobody scheduled goes nowhere, whether it was written or not.
  if (!created.success) return note(stored, operation, sentAt, { ...written, wish: "refused" });
  stored.postId = created.data.id;
  const path = `/api/v1/posts/${created.data.id}/schedule`;
  const at = { utc: line.planned.dueAt.toISOString() };
  const answer = await stage.api.wish("POST", path, { at });
  const scheduled = Scheduled.safeParse(answer.answer.body);
  if (scheduled.success) stored.deliveryId = scheduled.data.deliveries[0]?.id ?? "";
  note(stored, operation, sentAt, answer);
}

function note(line: Line, { kind }: Operation, sentAt: number, made: WishAnswer): void {
  const { wish, answeredAt, answer } = made;
  line.done = { kind, wish, sentAt, answeredAt, status: answer.status, code: codeOf(answer) };
}

const Problem = z.object({ code: z.string() });

function codeOf({ body }: ApiAnswer): string {
  return Problem.safeParse(body).data?.code ?? "";
}

const HOLDS = "/api/v1/holds";
const Document = z.object({ paths: z.record(z.string(), z.unknown()) });
const Held = z.object({ id: z.uuid() });

/** Stops channels and lets them go again, as soon as the API can do that. */
async function holdChannels(scene: Scene): Promise<void> {
  const document = await scene.stage.api.get("/api/v1/openapi.json");
  const paths = Object.keys(Document.parse(document.body).paths);
  if (!paths.some((path) => HOLDS.endsWith(path))) {
    scene.stage.say("holds: the API has none yet, so none are made");
    return;
  }
  await Promise.all(
    scene.plan.holds.map(async ({ channel, atMs, forMs }) => {
      await until(scene, atMs);
      if (!scene.stage.signal.aborted) await holdOne(scene, channel, forMs);
    }),
  );
}

async function holdOne({ stage, cast, stops }: Scene, channel: number, forMs: number) {
  const channelIds = [cast.channels[channel]?.id];
  const body = { scope: { kind: "channels", channelIds }, reason: "Drill" };
  const { wish, answer, answeredAt } = await stage.api.wish("POST", HOLDS, body);
  const held = Held.safeParse(answer.body);
  if (wish !== "done" || !held.success) {
    stage.say(`HOLD on channel ${channel} got ${answer.status} ${codeOf(answer)}`);
    return;
  }
  const stop = { channel, answeredAt, endedAt: Infinity, answer: JSON.stringify(answer.body) };
  stops.push(stop);
  stage.say(`hold on channel ${channel}`);
  await delay(forMs);
  stop.endedAt = Date.now();
  await stage.api.wish("POST", `${HOLDS}/${held.data.id}/end`, {});
}

/** Until an instant of the drill; at once where it has passed or the drill was stopped. */
export async function until({ base, stage }: Scene, atMs: number): Promise<void> {
  const waitMs = base.getTime() + atMs - Date.now();
  if (waitMs <= 0) return;
  await delay(waitMs, undefined, { signal: stage.signal }).catch(() => undefined);
}
