import { sql } from "kysely";
import { FIRST_READ_BACK_MS } from "../domain/read-back.ts";
import type { Db } from "./client.ts";
import { tellOwners } from "./notices.ts";

/** A part is out, and this is how we know. */
export interface PublishedAnswer {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly part: number;
  readonly isLast: boolean;
  readonly remoteId: string;
  readonly permalink: string | null;
  readonly publishedAt: Date | null;
  readonly contentHash: string;
  readonly reference: Readonly<Record<string, string>> | null;
  readonly knownBy: "answered" | "reconciled";
  /** After publication; null for never. */
  readonly firstReadingMs: number | null;
}

/**
 * Stores receipts: after the last part the delivery is published, and the first check of its receipt and the first reading of
 * its engagement are planned. Repeatable. An answer that comes late still counts, where nothing was sent after it: while the
 * outcome is unknown, and when the same content was about to be sent again.
 * @returns the delivery's new version; null where it had moved on
 */
export async function recordPublished(
  db: Db,
  answers: readonly PublishedAnswer[],
): Promise<readonly (number | null)[]> {
  const { rows } = await sql<{ id: string; version: number }>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(answers)}::jsonb)
        as g("attemptId" uuid, "deliveryId" uuid, part int, "isLast" bool, "remoteId" text, permalink text,
             "publishedAt" timestamptz, "contentHash" text, reference jsonb, "knownBy" text, "firstReadingMs" float8)),
    answered as (
      insert into attempt_outcomes (attempt_id, outcome) select "attemptId", 'published' from given
      on conflict do nothing),
    moved as (
      update deliveries d
         set state = case when d.removal_wished_at is not null then d.state when g."isLast" then 'published' else 'preparing' end,
             version = d.version + 1, tries = 0, looks = 0, error = null, updated_at = clock(),
             -- A thread that waited for a person has no time; now it goes on. What is being taken away does not.
             next_at = case when not g."isLast" and d.removal_wished_at is null then coalesce(d.next_at, clock()) end,
             published_at = case when g."isLast" then coalesce(g."publishedAt", clock()) end,
             engagement_at = case when g."isLast" and d.removal_wished_at is null then clock() + g."firstReadingMs" * interval '1 ms' end,
             read_back_at = case when g."isLast" and d.removal_wished_at is null then clock() + ${FIRST_READ_BACK_MS} * interval '1 ms' end
        from given g
       where d.id = g."deliveryId" and d.content_hash = g."contentHash"
         and d.state in ('sending', 'unknown', 'scheduled', 'preparing', 'partial')
         and not exists (select 1 from receipts r where r.delivery_id = d.id and r.part = g.part)
         and not exists (
           select 1 from attempts own join attempts later
             on later.delivery_id = own.delivery_id and later.armed_at > own.armed_at
            where own.id = g."attemptId")
      returning d.id, g."attemptId", d.version, d.workspace_id, d.channel_id, d.platform, d.engagement_at, d.read_back_at, d.state),
    proven as (
      insert into receipts (delivery_id, part, remote_id, permalink, published_at, content_hash, reference, known_by)
      select g."deliveryId", g.part, g."remoteId", g.permalink, coalesce(g."publishedAt", clock()), g."contentHash",
             g.reference, g."knownBy"
        from given g join moved using ("attemptId") on conflict do nothing),
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'delivery.published', id from moved where state = 'published'),
    woken as (
      insert into outbox as o (job, lane, subject_id, run_at, revision)
      select j.job, m.platform, m.channel_id, min(j.run_at), 1
        from moved m
       cross join lateral (values ('check-receipts', m.read_back_at), ('read-engagement', m.engagement_at)) j(job, run_at)
       where j.run_at is not null group by j.job, m.platform, m.channel_id order by j.job, m.channel_id
      on conflict (job, subject_id) do update
        set run_at = least(o.run_at, excluded.run_at), revision = o.revision + 1,
            handed_at = case when excluded.run_at < o.run_at then null else o.handed_at end)
    select id, version from moved`.execute(db);
  const versions = new Map(rows.map((row) => [row.id, row.version]));
  return answers.map((answer) => versions.get(answer.deliveryId) ?? null);
}

/** What came of an answer that came too late to move its delivery. */
export type LateProof = "kept" | "second_copy" | "out_after_all" | "nothing";

/**
 * Keeps what an answer proves that came when its part had been given up: after a person had left the thread as it was, it is a
 * receipt like the others; after all was taken away, and while it is being taken away, this part goes, too. Where another receipt
 * proves the same part, the public sees it twice; where the delivery counts as not published, it is out after all: people are told
 * of both. Repeatable.
 */
export async function recordLateAnswer(db: Db, answer: PublishedAnswer): Promise<LateProof> {
  const { rows } = await sql<{ proof: LateProof }>`
    with late as (
      select d.* from deliveries d where d.id = ${answer.deliveryId} for update),
    proven as (
      insert into receipts (delivery_id, part, remote_id, permalink, published_at, content_hash, reference, known_by)
      select id, ${answer.part}, ${answer.remoteId}, ${answer.permalink}, coalesce(${answer.publishedAt}::timestamptz, clock()),
             content_hash, ${answer.reference && JSON.stringify(answer.reference)}::jsonb, ${answer.knownBy}
        from late
       where content_hash = ${answer.contentHash} and (state = 'removed' or (state = 'published' and is_cut_short))
      on conflict do nothing returning delivery_id),
    known as (
      select r.remote_id from receipts r where r.delivery_id = ${answer.deliveryId} and r.part = ${answer.part}),
    astray as (
      select l.id, l.workspace_id, l.post_id, null::text as reason, ${answer.attemptId}::text as cause,
             case when k.remote_id is null then 'delivery.out_after_all' else 'delivery.out_twice' end as kind
        from late l left join known k on true
       where k.remote_id <> ${answer.remoteId}
          or (k.remote_id is null and l.state in ('held', 'missed', 'failed', 'expired', 'cancelled'))),
    moved as (
      update deliveries d
         set remove_at = case when d.removal_wished_at is not null then clock() end, removal_tries = 0, removal_error = null,
             is_cut_short = d.is_cut_short and not ${answer.isLast},
             read_back_at = case when d.removal_wished_at is null then clock() + ${FIRST_READ_BACK_MS} * interval '1 ms' end,
             version = d.version + 1, updated_at = clock()
        from proven p where d.id = p.delivery_id
      returning d.id, d.workspace_id, d.channel_id, d.platform, d.remove_at, d.read_back_at),
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'delivery.updated', id from moved),
    woken as (
      insert into outbox as o (job, lane, subject_id, run_at, revision)
      select j.job, m.platform, m.channel_id, j.run_at, 1
        from moved m
       cross join lateral (values ('check-receipts', m.read_back_at), ('remove-parts', m.remove_at)) j(job, run_at)
       where j.run_at is not null
      on conflict (job, subject_id) do update
        set run_at = least(o.run_at, excluded.run_at), revision = o.revision + 1,
            handed_at = case when excluded.run_at < o.run_at then null else o.handed_at end),
    ${tellOwners("astray", null)}
    select case when exists (select 1 from proven) then 'kept'
                else coalesce((select case kind when 'delivery.out_twice' then 'second_copy' else 'out_after_all' end from astray),
                              'nothing') end as proof`.execute(db);
  return rows[0]?.proof ?? "nothing";
}
