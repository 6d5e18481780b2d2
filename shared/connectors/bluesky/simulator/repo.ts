import * as z from "zod";
import type { SimulatedPost } from "../../simulator.ts";
import type { Account, Accounts } from "./accounts.ts";
import { blobCid, recordCid } from "./cid.ts";
import { blobsOf, invalid, type Post, readPost } from "./lexicon.ts";
import { Refusal } from "./refusal.ts";

const COLLECTION = "app.bsky.feed.post";
const MAX_IMAGE_BYTES = 2_000_000;
const MAX_THUMB_BYTES = 1_000_000;
const MAX_UPLOAD_BYTES = 5 * 1024 * 1024;
/** The real platform promises minutes; a day lets compressed clocks run. */
const UNUSED_BLOB_MS = 24 * 3_600_000;

const WriteInput = z.object({
  repo: z.string(),
  collection: z.string(),
  rkey: z.string().optional(),
  record: z.unknown().optional(),
  swapRecord: z.string().nullable().optional(),
});

const SIGNATURES: readonly (readonly [string, string, number])[] = [
  ["ffd8ff", "image/jpeg", 0],
  ["89504e47", "image/png", 0],
  ["47494638", "image/gif", 0],
  ["57454250", "image/webp", 8],
];

/** One stored version of a post, as the outside world saw it. */
export interface Entry {
  readonly account: Account;
  readonly rkey: string;
  readonly cid: string;
  readonly post: Post;
  readonly at: Date;
  removed: boolean;
}

export interface Repo {
  /** Every version that was ever stored, oldest first. */
  readonly entries: readonly Entry[];
  find(uri: string): Entry | undefined;
  put(account: Account, body: unknown): unknown;
  create(account: Account, body: unknown): unknown;
  get(params: URLSearchParams): unknown;
  delete(account: Account, body: unknown): unknown;
  uploadBlob(account: Account, contentType: string | undefined, bytes: Buffer): unknown;
}

/** Records and files of all accounts. */
export function repoStore(accounts: Accounts, now: () => Date): Repo {
  const entries: Entry[] = [];
  const live = new Map<string, Entry>();

  function store(account: Account, rkey: string, post: Post): unknown {
    const uri = uriOf(account, rkey);
    const cid = recordCid(post);
    const previous = live.get(uri);
    if (previous?.cid === cid) return { uri, cid, validationStatus: "valid" };
    for (const blob of blobsOf(post)) checkBlob(account, blob, post, now());
    if (previous) previous.removed = true;
    const entry = { account, rkey, cid, post, at: now(), removed: false };
    entries.push(entry);
    live.set(uri, entry);
    const commit = { cid: recordCid({ uri, cid, no: entries.length }), rev: rkey };
    return { uri, cid, commit, validationStatus: "valid" };
  }

  return {
    entries,
    find: (uri) => live.get(uri),
    put(account, body) {
      const { rkey = "", record, swapRecord } = readWrite(account, body);
      const post = readPost(rkey, record);
      const current = live.get(uriOf(account, rkey))?.cid ?? null;
      const isSwap = swapRecord !== undefined && swapRecord !== current;
      if (isSwap && recordCid(post) !== current) {
        throw new Refusal(400, "InvalidSwap", `Record was at ${current}`);
      }
      return store(account, rkey, post);
    },
    create(account, body) {
      const { rkey = "", record } = readWrite(account, body);
      const post = readPost(rkey, record);
      // The trap: a second creation under the same key is a server error, for ever.
      if (live.has(uriOf(account, rkey))) {
        throw new Refusal(500, "InternalServerError", "Internal Server Error");
      }
      return store(account, rkey, post);
    },
    get(params) {
      const account = accounts.find(params.get("repo") ?? "");
      if (!account) throw invalid("Could not find repo");
      const uri = `at://${account.did}/${params.get("collection")}/${params.get("rkey")}`;
      const entry = live.get(uri);
      if (!entry) throw new Refusal(400, "RecordNotFound", `Could not locate record: ${uri}`);
      return { uri, cid: entry.cid, value: entry.post };
    },
    delete(account, body) {
      const { rkey = "" } = readWrite(account, body);
      const entry = live.get(uriOf(account, rkey));
      live.delete(uriOf(account, rkey));
      if (entry) entry.removed = true;
      return {};
    },
    uploadBlob: (account, contentType, bytes) => upload(account, contentType, bytes, now()),
  };
}

export function uriOf(account: Account, rkey: string): string {
  return `at://${account.did}/${COLLECTION}/${rkey}`;
}

/** As `Simulator.posts` shows it. */
export function simulatedPost({ account, rkey, post, at, removed }: Entry): SimulatedPost {
  const images = post.embed?.$type === "app.bsky.embed.images" ? post.embed.images : [];
  return {
    account: account.name,
    remoteId: uriOf(account, rkey),
    text: post.text,
    altTexts: images.map(({ alt }) => alt),
    parent: post.reply?.parent.uri ?? null,
    at,
    removed,
  };
}

function readWrite(account: Account, body: unknown): z.infer<typeof WriteInput> {
  const input = WriteInput.safeParse(body);
  if (!input.success) throw invalid("Input does not match the method's schema");
  const { repo, collection } = input.data;
  if (repo !== account.did && repo !== account.handle) {
    throw new Refusal(401, "AuthenticationRequired", "Authentication Required");
  }
  if (collection !== COLLECTION) throw invalid(`Unknown collection: ${collection}`);
  return input.data;
}

function checkBlob(
  account: Account,
  blob: ReturnType<typeof blobsOf>[number],
  post: Post,
  now: Date,
): void {
  const stored = account.blobs.get(blob.ref.$link);
  const isKept = stored && now.getTime() - stored.uploadedAt.getTime() < UNUSED_BLOB_MS;
  if (!isKept) {
    throw new Refusal(400, "BlobNotFound", `Could not find blob: ${blob.ref.$link}`);
  }
  const isImage = post.embed?.$type === "app.bsky.embed.images";
  const maxBytes = isImage ? MAX_IMAGE_BYTES : MAX_THUMB_BYTES;
  if (stored.size > maxBytes) {
    const message = `This file is too large. It is ${stored.size} bytes but the maximum is ${maxBytes}.`;
    throw new Refusal(400, "BlobTooLarge", message);
  }
  if (!stored.mimeType.startsWith("image/") || stored.mimeType !== blob.mimeType) {
    throw new Refusal(400, "InvalidMimeType", `Wrong mimetype. It is ${stored.mimeType}.`);
  }
  if (stored.size !== blob.size) throw invalid("Referenced size does not match stored blob");
}

function upload(
  account: Account,
  contentType: string | undefined,
  bytes: Buffer,
  now: Date,
): unknown {
  if (contentType === undefined) {
    throw invalid("Request encoding (Content-Type) required but not provided");
  }
  if (bytes.length > MAX_UPLOAD_BYTES) {
    throw new Refusal(413, "PayloadTooLarge", "request entity too large");
  }
  const cid = blobCid(bytes);
  const mimeType = sniff(bytes) ?? contentType;
  account.blobs.set(cid, { mimeType, size: bytes.length, uploadedAt: now });
  return { blob: { $type: "blob", ref: { $link: cid }, mimeType, size: bytes.length } };
}

function sniff(bytes: Buffer): string | null {
  const match = SIGNATURES.find(([hex, , offset]) =>
    bytes
      .subarray(offset)
      .toString("hex", 0, hex.length / 2)
      .startsWith(hex),
  );
  return match?.[1] ?? null;
}
