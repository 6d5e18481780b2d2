import type { Metric } from "../../connector.ts";
import type { Fault } from "../../simulator.ts";
import { invalid } from "./lexicon.ts";
import { type Entry, type Repo, uriOf } from "./repo.ts";

const MAX_URIS = 25;

const FIELDS: readonly (readonly [Metric, string])[] = [
  ["likes", "likeCount"],
  ["replies", "replyCount"],
  ["reposts", "repostCount"],
  ["quotes", "quoteCount"],
  ["bookmarks", "bookmarkCount"],
];

const NOTHING: Partial<Record<Metric, number>> = {
  likes: 0,
  replies: 0,
  reposts: 0,
  quotes: 0,
  bookmarks: 0,
};

export interface Views {
  engage(remoteId: string, counts: Partial<Record<Metric, number>>): void;
  getPosts(params: URLSearchParams, take: (name: Fault) => boolean): unknown;
}

/** The AppView: shows posts with their counts, to everybody. What it does not find, it does not mention. */
export function viewStore(repo: Repo): Views {
  const counts = new Map<string, Partial<Record<Metric, number>>>();
  return {
    engage: (remoteId, given) => void counts.set(remoteId, given),
    getPosts(params, take) {
      const uris = params.getAll("uris");
      if (uris.length === 0 || uris.length > MAX_URIS) {
        throw invalid(`Error: uris must not have more than ${MAX_URIS} elements`);
      }
      const isPartial = take("metrics_partial");
      const late = take("read_lags") ? repo.entries.at(-1) : undefined;
      const found = uris.flatMap((uri) => repo.find(uri) ?? []).filter((entry) => entry !== late);
      const newest = found.pop();
      const shown = [...found, ...(newest ? tamperedWith(newest, take) : [])];
      return {
        posts: shown.map((entry) => {
          const given = counts.get(uriOf(entry.account, entry.rkey)) ?? NOTHING;
          return viewOf(entry, given, isPartial);
        }),
      };
    },
  };
}

/** A post as somebody else left it; none where it is hidden. */
function tamperedWith(entry: Entry, take: (name: Fault) => boolean): readonly Entry[] {
  if (take("read_missing")) return [];
  const text = take("read_altered") ? `${entry.post.text} Edited.` : entry.post.text;
  const { embed } = entry.post;
  if (embed?.$type !== "app.bsky.embed.images" || !take("read_without_alt")) {
    return [{ ...entry, post: { ...entry.post, text } }];
  }
  const images = embed.images.map((image) => ({ ...image, alt: "" }));
  return [{ ...entry, post: { ...entry.post, text, embed: { ...embed, images } } }];
}

function viewOf(
  { account, rkey, cid, post, at }: Entry,
  given: Partial<Record<Metric, number>>,
  isPartial: boolean,
): unknown {
  const reported = FIELDS.filter(([metric]) => given[metric] !== undefined);
  const kept = isPartial ? reported.filter((_, index) => index % 2 === 1) : reported;
  return {
    uri: uriOf(account, rkey),
    cid,
    author: { did: account.did, handle: account.handle },
    record: post,
    ...Object.fromEntries(kept.map(([metric, field]) => [field, given[metric]])),
    indexedAt: at.toISOString(),
  };
}
