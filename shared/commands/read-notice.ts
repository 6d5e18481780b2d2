import type { Actor, Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { markRead, type Notice } from "../db/notices.ts";
import { AppError } from "../errors.ts";

/**
 * Marks one of the actor's own notices as read. Repeatable: the first time stays.
 * @throws {AppError} not_found `notice.missing`, for other people's notices too
 */
export async function readNotice(
  { db }: Context,
  { tokenId }: Actor,
  noticeId: string,
): Promise<Notice> {
  const notice = await inTransaction(db, (tx) => markRead(tx, tokenId, noticeId));
  if (notice) return notice;
  throw new AppError("not_found", "notice.missing", "You have no such notice.");
}
