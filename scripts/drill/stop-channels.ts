import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { codeOf, until, type Scene } from "./scene.ts";

const HOLDS = "/api/v1/holds";
const Document = z.object({ paths: z.record(z.string(), z.unknown()) });
const Held = z.object({ id: z.uuid() });
const List = z.object({
  items: z.array(
    z.object({
      id: z.uuid(),
      active: z.boolean(),
      scope: z.object({ channelIds: z.array(z.uuid()).default([]) }),
    }),
  ),
});

/** Stops channels and lets them go again, where the API can do that. */
export async function holdChannels(scene: Scene): Promise<void> {
  const document = await scene.stage.api.get("/api/v1/openapi.json");
  const paths = Object.keys(Document.parse(document.body).paths);
  if (!paths.some((path) => HOLDS.endsWith(path))) {
    scene.stage.say("holds: the API has none, so none are made");
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
  const channelId = cast.channels[channel]?.id ?? "";
  const body = { scope: { kind: "channels", channelIds: [channelId] }, reason: "Drill" };
  const { wish, answer, answeredAt } = await stage.api.wish("POST", HOLDS, body);
  const held = Held.safeParse(answer.body);
  if (wish !== "done" || !held.success) {
    stage.say(`hold on channel ${channel}: no clear answer (${answer.status} ${codeOf(answer)})`);
    await endUnclear({ stage }, channelId);
    return;
  }
  const stop = { channel, answeredAt, endedAt: Infinity, answer: JSON.stringify(answer.body) };
  stops.push(stop);
  stage.say(`hold on channel ${channel}`);
  await delay(forMs, undefined, { signal: stage.signal }).catch(() => undefined);
  stop.endedAt = Date.now();
  await stage.api.wish("POST", `${HOLDS}/${held.data.id}/end`, {});
}

/** A hold that may have begun although nobody told us would hold its channel for ever. */
async function endUnclear({ stage }: Pick<Scene, "stage">, channelId: string): Promise<void> {
  const ofChannel = ({ active, scope }: z.output<typeof List>["items"][number]) =>
    active && scope.channelIds.includes(channelId);
  while (!stage.signal.aborted) {
    const list = List.safeParse((await stage.api.get(`${HOLDS}?limit=100`)).body);
    const going = (list.data?.items ?? []).filter(ofChannel);
    if (list.success && going.length === 0) return;
    for (const { id } of going) await stage.api.wish("POST", `${HOLDS}/${id}/end`, {});
    await delay(500, undefined, { signal: stage.signal }).catch(() => undefined);
  }
}
