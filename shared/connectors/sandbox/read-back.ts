import * as z from "zod";
import type { SentPart, ShownPart } from "../connector.ts";
import { request, type SandboxCall } from "./api.ts";

const Posts = z.object({
  posts: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      pictures: z.array(z.object({ altText: z.string() })),
    }),
  ),
});

/** The network stores posts as they come, so every difference is one. */
export async function readBack(
  parts: readonly SentPart[],
  call: SandboxCall,
): Promise<ReadonlyMap<string, ShownPart>> {
  const texts = new Map(parts.map(({ remoteId, text }) => [remoteId, text]));
  const ids = [...texts.keys()].map(encodeURIComponent).join(",");
  const { posts } = await request(call, { method: "GET", path: `/posts?ids=${ids}` }, Posts);
  return new Map(
    posts.map(({ id, text, pictures }) => {
      const altTexts = pictures.map(({ altText }) => altText);
      return [id, { hasSameText: text === texts.get(id), mediaCount: pictures.length, altTexts }];
    }),
  );
}
