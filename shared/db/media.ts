import { sql } from "kysely";
import { AppError } from "../errors.ts";
import type { Db, Tx } from "./client.ts";
import type { MediaRow } from "./tables.ts";

export type NewMedia = Omit<MediaRow, "createdAt" | "removedAt">;

export async function insertMedia(tx: Tx, media: NewMedia): Promise<void> {
  await tx.insertInto("media").values(media).execute();
}

/** @throws {AppError} not_found `media.missing` */
export async function findMedia(db: Db, workspaceId: string, mediaId: string): Promise<MediaRow> {
  const row = await living(db, workspaceId).where("id", "=", mediaId).executeTakeFirst();
  if (!row) throw mediaMissing();
  return row;
}

/**
 * Until the transaction ends, nobody else changes or removes the medium.
 * @throws {AppError} not_found `media.missing`
 */
export async function lockMedia(tx: Tx, workspaceId: string, mediaId: string): Promise<MediaRow> {
  const row = await living(tx, workspaceId)
    .where("id", "=", mediaId)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw mediaMissing();
  return row;
}

/** Newest first. @param page.before id of the last medium of the page before */
export function listMedia(
  db: Db,
  workspaceId: string,
  page: { before: string | null; limit: number; filename?: string | undefined },
): Promise<MediaRow[]> {
  const { before, limit, filename } = page;
  return living(db, workspaceId)
    .$if(before !== null, (query) => query.where("id", "<", before))
    .$if(filename !== undefined, (query) => query.where("filename", "=", filename ?? ""))
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
}

export async function setAltText(tx: Tx, mediaId: string, altText: string): Promise<void> {
  await tx.updateTable("media").set({ altText }).where("id", "=", mediaId).execute();
}

/** The file stays: other media may have the same bytes, and receipts refer to their hash. */
export async function hideMedia(tx: Tx, mediaId: string): Promise<void> {
  await tx
    .updateTable("media")
    .set({ removedAt: sql<Date>`clock()` })
    .where("id", "=", mediaId)
    .execute();
}

/** Ids of posts that show the medium, in their own words or in those for one channel, in order; null for all of them. */
export async function postsWithMedia(
  db: Db,
  medium: { workspaceId: string; id: string },
  limit: number | null,
): Promise<string[]> {
  const part = JSON.stringify([{ mediaIds: [medium.id] }]);
  const { rows } = await sql<{ id: string }>`
    select p.id from posts p
     where p.workspace_id = ${medium.workspaceId} and p.removed_at is null
       and (p.parts @> ${part}::jsonb
            or exists (select from post_channels c where c.post_id = p.id and c.variant -> 'parts' @> ${part}::jsonb))
     order by p.id limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

function living(db: Db, workspaceId: string) {
  return db
    .selectFrom("media")
    .selectAll()
    .where("workspaceId", "=", workspaceId)
    .where("removedAt", "is", null);
}

function mediaMissing(): AppError {
  return new AppError("not_found", "media.missing", "There is no such image.");
}
