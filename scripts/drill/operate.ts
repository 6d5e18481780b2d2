import * as z from "zod";
import type { WishAnswer } from "./api.ts";
import { textsOf, type Operation } from "./plan.ts";
import { holdChannels } from "./stop-channels.ts";
import { codeOf, until, type Scene } from "./scene.ts";
import { lineOf, partsOf, type Form, type Line } from "./script.ts";

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
