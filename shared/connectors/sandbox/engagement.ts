import * as z from "zod";
import { METRICS, type Engagement } from "../connector.ts";
import { request, type SandboxCall } from "./api.ts";

const Metrics = z.partialRecord(z.enum(METRICS), z.int().nonnegative());
const Report = z.object({ posts: z.array(z.object({ id: z.string(), metrics: Metrics })) });

/** Reactions of the network's simulated readers. */
export async function readEngagement(
  remoteIds: readonly string[],
  call: SandboxCall,
): Promise<ReadonlyMap<string, Engagement>> {
  const { posts } = await request(
    call,
    { method: "GET", path: `/engagement?ids=${remoteIds.map(encodeURIComponent).join(",")}` },
    Report,
  );
  return new Map(posts.map(({ id, metrics }) => [id, metrics]));
}
