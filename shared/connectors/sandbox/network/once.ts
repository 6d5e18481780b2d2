import type { Post } from "./documents.ts";
import { Refusal } from "./answers.ts";
import type { NewPost } from "./posts.ts";

/** Far more than can be published while a client may still repeat itself. */
const MAX_KEYS = 50_000;

/** Remembers which keys were used, so that a repeated request finds its post instead of making a second one. */
export interface Once {
  /**
   * Runs `store` for a key that is new; otherwise gives the id that the key stands for.
   * @throws {Refusal} 409 `key_reused` where the same key came with another content
   */
  run(
    handle: string,
    content: NewPost,
    store: () => Promise<Post>,
  ): Promise<{ id: string; stored: Post | null }>;
}

/** `recent` tells the posts from before this process started; it is asked once, at the first use. */
export function createOnce(recent: () => Promise<readonly Post[]>): Once {
  const used = new Map<string, { content: string; id: Promise<string> }>();
  let known: Promise<void> | null = null;

  const learn = async () => {
    for (const post of await recent()) {
      used.set(nameOf(post.handle, post.key), {
        content: contentOf(post),
        id: Promise.resolve(post.id),
      });
    }
  };

  return {
    async run(handle, content, store) {
      known ??= learn().catch((error: unknown) => {
        known = null;
        throw error;
      });
      await known;
      const name = nameOf(handle, content.key);
      const before = used.get(name);
      if (before && before.content !== contentOf(content)) {
        throw new Refusal(409, "key_reused", "This key was used for another post.");
      }
      if (before) return { id: await before.id, stored: null };
      const storing = store();
      const id = storing.then((post) => post.id);
      // What was refused was not published: the key is free again.
      id.catch(() => used.delete(name));
      used.set(name, { content: contentOf(content), id });
      forgetOldest(used);
      return { id: await id, stored: await storing };
    },
  };
}

const nameOf = (handle: string, key: string) => `${handle} ${key}`;

const contentOf = ({ text, link, pictures, parent }: Omit<NewPost, "key">) =>
  JSON.stringify([text, link, pictures.map(({ id, altText }) => [id, altText]), parent]);

function forgetOldest(used: Map<string, unknown>): void {
  for (const name of used.keys()) {
    if (used.size <= MAX_KEYS) return;
    used.delete(name);
  }
}
