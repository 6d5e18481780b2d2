import { type RawBuilder, sql } from "kysely";
import type { NoticeKind } from "../domain/notice.ts";
import type { Db, Tx } from "./client.ts";

/** As its recipient sees it. */
export interface Notice {
  readonly id: string;
  readonly kind: NoticeKind;
  /** The channel or the delivery, as the kind says. */
  readonly subjectId: string;
  /** A kind of failure; null where the notice's own kind says all. */
  readonly reason: string | null;
  readonly addedAt: Date;
  readonly readAt: Date | null;
  /** Grows; text, for the cursor. */
  readonly number: string;
}

const IS_ALIVE = sql`t.revoked_at is null and (t.expires_at is null or t.expires_at > clock())`;

/**
 * For a statement that moves deliveries: common table expressions that tell whoever wrote the post, and the admins, of those
 * that now wait for a person. Not told again: the same state under the same plan.
 * @param moved name of the expression before, with id, workspace_id, post_id, state, next_at, latest_at and error
 */
export function tellOfDeliveries(moved: string): RawBuilder<unknown> {
  return sql`
    noticed as (
      insert into notices (workspace_id, recipient_id, kind, subject_id, reason, cause)
      select m.workspace_id, t.id, 'delivery.' || m.state, m.id, m.error ->> 'kind',
             to_char(m.latest_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        from ${sql.raw(moved)} m join posts p on p.id = m.post_id
        join api_tokens t on t.workspace_id = m.workspace_id and (t.scope = 'admin' or t.id = p.created_by)
       where ${IS_ALIVE} and (m.state in ('failed', 'missed', 'held', 'expired')
          or (m.state in ('unknown', 'partial') and m.next_at is null))
      on conflict do nothing
      returning id, workspace_id),
    ${ANNOUNCED}`;
}

/**
 * For a statement that concerns deliveries: common table expressions that tell whoever wrote the post, and the admins.
 * @param concerned name of the expression before, with id, workspace_id, post_id, reason and cause
 * @param kind null where each row has its own
 */
export function tellOwners(concerned: string, kind: NoticeKind | null): RawBuilder<unknown> {
  return sql`
    noticed as (
      insert into notices (workspace_id, recipient_id, kind, subject_id, reason, cause)
      select m.workspace_id, t.id, ${kind === null ? sql`m.kind` : kind}, m.id, m.reason, m.cause
        from ${sql.raw(concerned)} m join posts p on p.id = m.post_id
        join api_tokens t on t.workspace_id = m.workspace_id and (t.scope = 'admin' or t.id = p.created_by)
       where ${IS_ALIVE}
      on conflict do nothing
      returning id, workspace_id),
    ${ANNOUNCED}`;
}

/**
 * For a statement that concerns a channel: common table expressions that tell whoever has a post waiting there, and the admins.
 * @param flagged name of the expression before, with id, workspace_id, reason and cause
 */
export function tellOfChannels(flagged: string, kind: NoticeKind): RawBuilder<unknown> {
  return sql`
    noticed as (
      insert into notices (workspace_id, recipient_id, kind, subject_id, reason, cause)
      select f.workspace_id, t.id, ${kind}, f.id, f.reason, f.cause
        from ${sql.raw(flagged)} f join api_tokens t on t.workspace_id = f.workspace_id
       where ${IS_ALIVE} and (t.scope = 'admin' or t.id in (
               select p.created_by from deliveries d join posts p on p.id = d.post_id
                where d.channel_id = f.id and d.next_at is not null and d.state <> 'published'))
      on conflict do nothing
      returning id, workspace_id),
    ${ANNOUNCED}`;
}

const ANNOUNCED = sql`
    announced as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'notice.added', id from noticed)`;

/** Newest first. @param page.before `number` of the last one of the page before */
export function listNotices(
  db: Db,
  recipientId: string,
  page: { readonly before: string | null; readonly limit: number; readonly unread: boolean },
): Promise<Notice[]> {
  const { before, limit, unread } = page;
  return db
    .selectFrom("notices")
    .select(COLUMNS)
    .where("recipientId", "=", recipientId)
    .$if(before !== null, (query) => query.where(sql<boolean>`number < ${before}::bigint`))
    .$if(unread, (query) => query.where("readAt", "is", null))
    .orderBy("number", "desc")
    .limit(limit + 1)
    .execute();
}

/** Repeatable: the first time counts. @returns undefined where the recipient has no such notice */
export async function markRead(
  tx: Tx,
  recipientId: string,
  noticeId: string,
): Promise<Notice | undefined> {
  return tx
    .updateTable("notices")
    .set({ readAt: sql<Date>`coalesce(read_at, clock())` })
    .where("id", "=", noticeId)
    .where("recipientId", "=", recipientId)
    .returning(COLUMNS)
    .executeTakeFirst();
}

const COLUMNS = [
  "id",
  "kind",
  "subjectId",
  "reason",
  "addedAt",
  "readAt",
  sql<string>`number::text`.as("number"),
] as const;
