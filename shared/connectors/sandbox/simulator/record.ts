import * as z from "zod";
import type { Documents } from "../../connector.ts";
import type { SimulatedPost, Simulator } from "../../simulator.ts";
import { KINDS, SessionDocument } from "../network/documents.ts";
import { NewPost } from "../network/posts.ts";
import type { Reactions } from "../network/readers.ts";

const Created = z.object({ id: z.string(), handle: z.string(), publishedAt: z.coerce.date() });

/** What the simulated network has seen, kept apart from its documents: those forget what was removed. */
export interface PostRecord {
  see(created: unknown, body: Buffer): void;
  forget(remoteId: string): void;
  readonly posts: Simulator["posts"];
  readonly engage: Simulator["engage"];
  /** What `engage` set; null where it said nothing about the post. */
  reactionsTo(remoteId: string): Reactions | null;
}

export function createRecord(): PostRecord {
  const seen = new Map<string, SimulatedPost>();
  const earned = new Map<string, Reactions>();
  return {
    see(created, body) {
      const { id, handle, publishedAt } = Created.parse(created);
      const { text, pictures, parent } = NewPost.parse(JSON.parse(body.toString("utf8")));
      const altTexts = pictures.map(({ altText }) => altText);
      const account = handle.slice(1);
      seen.set(id, {
        account,
        remoteId: id,
        text,
        altTexts,
        parent,
        at: publishedAt,
        removed: false,
      });
    },
    forget(remoteId) {
      const post = seen.get(remoteId);
      if (post) seen.set(remoteId, { ...post, removed: true });
    },
    posts: () => [...seen.values()],
    engage: (remoteId, counts) => void earned.set(remoteId, counts),
    reactionsTo: (remoteId) => earned.get(remoteId) ?? null,
  };
}

/** Ends every sign-in under a handle, as if its owner had ended them. */
export async function endSessions(documents: Documents, handle: string): Promise<void> {
  for (const { id, document } of await documents.list(KINDS.session, Number.MAX_SAFE_INTEGER)) {
    if (SessionDocument.parse(document).handle === handle) await documents.remove(id);
  }
}
