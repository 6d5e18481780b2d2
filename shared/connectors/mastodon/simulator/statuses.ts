import * as z from "zod";
import { countedLength, statusOf } from "./formatting.ts";
import type { StoredAccount, StoredMedia, StoredStatus } from "./network.ts";
import { errorPage, refused, type Reply } from "./reply.ts";
import type { Exchange, Server } from "./exchange.ts";
import { rateHeaders } from "./rates.ts";

const KEY_LIFETIME_MS = 60 * 60_000;
const MAX_BATCH = 20;
const RATE_WINDOW_MS = 5 * 60_000;

/** Properties that the server does not know are ignored, as Rails does; `scheduled_at` too, as Hollo does. */
const Draft = z.object({
  status: z.string().default(""),
  media_ids: z.array(z.string()).default([]),
  in_reply_to_id: z.string().nullish(),
  spoiler_text: z.string().default(""),
  visibility: z.enum(["public", "unlisted", "private", "direct"]).default("public"),
});

export function createStatus(server: Server, exchange: Exchange): Reply {
  const { faults, options } = server;
  if (faults.take("commit_reset_before")) return "cut";
  if (faults.take("commit_unavailable")) return errorPage(503);
  if (faults.take("commit_rate_limited")) {
    const headers = rateHeaders(300, 0, new Date(options.now().getTime() + RATE_WINDOW_MS));
    return { status: 429, json: { error: "Too many requests" }, headers };
  }
  if (faults.take("commit_content_rejected")) return tooLong(options.maxCharacters);
  const status = postedBefore(server, exchange) ?? post(server, exchange);
  if (!isStored(status)) return status;
  if (faults.take("commit_unavailable_after_success")) return errorPage(502);
  if (faults.take("commit_reset_after_success")) return "cut";
  if (faults.take("commit_hang_after_success")) return "silence";
  if (faults.take("commit_html_after_success")) return errorPage(200);
  return { status: 200, json: statusOf(status, server.url(), options.version) };
}

/** The same key brings back the first post, whatever the request now says. */
export function keyedStatus(server: Server, account: StoredAccount, key: string | undefined) {
  const known = key === undefined ? undefined : account.keys.get(key);
  if (!known) return null;
  return server.options.now().getTime() - known.at.getTime() < KEY_LIFETIME_MS
    ? known.status
    : null;
}

export function readStatuses(server: Server, { url }: Exchange): Reply {
  if (server.options.version < 4.3) return refused(404, "The page you are looking for isn't here.");
  if (server.faults.take("read_unavailable")) return errorPage(502);
  const ids = [...new Set(url.searchParams.getAll("id[]"))];
  if (ids.length > MAX_BATCH) return refused(422, "Mastodon::ValidationError");
  const isPartial = server.faults.take("metrics_partial");
  const found = ids.flatMap((id) => visible(server.network.statuses.get(id)) ?? []);
  const newest = found.pop();
  const seen = [...found, ...(newest ? tamperedWith(newest, server) : [])];
  return { status: 200, json: seen.map((status) => shown(server, status, isPartial)) };
}

export function readStatus(server: Server, { id }: Exchange): Reply {
  if (server.faults.take("read_unavailable")) return errorPage(502);
  const stored = visible(server.network.statuses.get(id));
  const [status] = stored ? tamperedWith(stored, server) : [];
  if (!status) return refused(404, "Record not found");
  return { status: 200, json: shown(server, status, server.faults.take("metrics_partial")) };
}

export function readSource(server: Server, { id }: Exchange): Reply {
  if (server.options.version < 3.5) return refused(404, "The page you are looking for isn't here.");
  if (server.faults.take("read_unavailable")) return errorPage(502);
  const stored = visible(server.network.statuses.get(id));
  const [status] = stored ? tamperedWith(stored, server) : [];
  if (!status) return refused(404, "Record not found");
  return { status: 200, json: { id, text: status.text, spoiler_text: status.spoilerText } };
}

/** Editing is not simulated beyond what the connector asks: whether the token may. */
export function editStatus(server: Server, { id }: Exchange): Reply {
  const status = visible(server.network.statuses.get(id));
  return status ? refused(422, "Validation failed") : refused(404, "Record not found");
}

export function deleteStatus(server: Server, { id, account }: Exchange): Reply {
  const status = visible(server.network.statuses.get(id));
  if (!status || status.account !== account) return refused(404, "Record not found");
  status.isRemoved = true;
  if (status.parent) status.parent.replies -= 1;
  const json = { ...statusOf(status, server.url(), server.options.version), text: status.text };
  return { status: 200, json };
}

export function readAccountStatuses(server: Server, { id, url }: Exchange): Reply {
  if (server.faults.take("read_unavailable")) return errorPage(502);
  const account = server.network.accountById(id);
  if (!account) return refused(404, "Record not found");
  const limit = Math.min(40, Number(url.searchParams.get("limit") ?? 20));
  const maxId = url.searchParams.get("max_id");
  const end = account.statuses.findIndex((status) => status.id === maxId);
  const older = maxId === null ? account.statuses : account.statuses.slice(0, Math.max(0, end));
  const newest = older.filter((status) => !status.isRemoved).reverse();
  const from = server.faults.take("read_lags") ? 1 : 0;
  const page = newest.slice(from, from + limit);
  const json = page.map((status) => statusOf(status, server.url(), server.options.version));
  return { status: 200, json };
}

function postedBefore(
  server: Server,
  { account, key, keyed }: Exchange,
): StoredStatus | Reply | null {
  const isLate = server.options.idempotency === "checked_late";
  const status = isLate ? keyed : keyedStatus(server, account, key);
  return status?.isRemoved === true ? refused(404, "Record not found") : status;
}

function isStored(status: StoredStatus | Reply): status is StoredStatus {
  return typeof status === "object" && "counts" in status;
}

function post(server: Server, { account, body, key }: Exchange): StoredStatus | Reply {
  const draft = Draft.safeParse(body);
  if (!draft.success) return refused(422, "Validation failed");
  const media = mediaOf(server, account, draft.data.media_ids);
  if (!Array.isArray(media)) return media;
  const { status: text, spoiler_text: spoilerText, visibility } = draft.data;
  if (text.trim() === "" && media.length === 0) {
    return refused(422, "Validation failed: Text can't be blank");
  }
  const { maxCharacters, reservedPerUrl } = server.options;
  if (countedLength(spoilerText + text, reservedPerUrl) > maxCharacters)
    return tooLong(maxCharacters);
  const parentId = draft.data.in_reply_to_id ?? null;
  const parent = parentId === null ? null : visible(server.network.statuses.get(parentId));
  if (parent === undefined) {
    return refused(404, "The post you are trying to reply to does not appear to exist.");
  }
  const draftStatus = { account, text, spoilerText, visibility, media, parent };
  const status = server.network.addStatus(draftStatus);
  if (key !== undefined) account.keys.set(key, { status, at: server.options.now() });
  return status;
}

function mediaOf(server: Server, account: StoredAccount, ids: readonly string[]) {
  const { maxMedia } = server.options;
  if (ids.length > maxMedia) return refused(422, `Cannot attach more than ${maxMedia} files`);
  const media: StoredMedia[] = [];
  for (const id of ids) {
    const found = server.network.media.get(id);
    if (!found || found.account !== account || found.isAttached) {
      return refused(422, `Media ${id} not found or already attached to another post`);
    }
    if (found.looksLeft > 0) {
      return refused(
        422,
        "Cannot attach files that have not finished processing. Try again in a moment!",
      );
    }
    media.push(found);
  }
  return media;
}

function tooLong(max: number): Reply {
  return refused(422, `Validation failed: Text character limit of ${max} exceeded`);
}

function shown(server: Server, status: StoredStatus, isPartial: boolean): object {
  const json = statusOf(status, server.url(), server.options.version);
  if (!isPartial) return json;
  const { reblogs_count: _reblogs, replies_count: _replies, ...rest } = json;
  return rest;
}

/** A post as somebody else left it; none where it cannot be seen any more. */
function tamperedWith(status: StoredStatus, { faults }: Server): readonly StoredStatus[] {
  if (faults.take("read_missing")) return [];
  const text = faults.take("read_altered") ? `${status.text} Edited.` : status.text;
  const media = faults.take("read_without_alt")
    ? status.media.map((each) => ({ ...each, description: null }))
    : status.media;
  return [{ ...status, text, media }];
}

function visible(status: StoredStatus | undefined): StoredStatus | undefined {
  return status?.isRemoved === false ? status : undefined;
}
