import { sql } from "kysely";
import { tellOfChannels } from "./notices.ts";
import type { Db } from "./client.ts";
import type { ChannelRow } from "./tables.ts";

/** The part of a channel's row that acting on its behalf needs. */
export type ChannelAccess = Pick<
  ChannelRow,
  "id" | "platform" | "sealedCredentials" | "credentialsVersion"
>;

/** What is known about the end of a sign-in. */
export interface SignIn {
  /** UTC; null where the platform does not say. */
  readonly signInEndsAt: Date | null;
  /** Whether Postwell can renew it without a person. */
  readonly signInRenews: boolean;
  /** UTC; null for never. */
  readonly renewAt: Date | null;
}

type Versioned = Pick<ChannelRow, "id" | "credentialsVersion">;

export interface TakenRenewal {
  /** An earlier renewal of the same sign-in never got its answer: the platform may have spent it. */
  readonly wasInterrupted: boolean;
}

/**
 * Takes the right to renew a sign-in, for one process at a time: using a rotating refresh token twice looks like theft and
 * ends the sign-in.
 * @param options.isAhead the sign-in still works, so a renewal that has just failed is not repeated before its time
 * @returns null where somebody else renews, the sign-in is another one by now, or it is not the time
 */
export async function takeRenewal(
  db: Db,
  { id, credentialsVersion }: Versioned,
  { lockMs, isAhead }: { readonly lockMs: number; readonly isAhead: boolean },
): Promise<TakenRenewal | null> {
  const { rows } = await sql<TakenRenewal>`
    with before as (
      select id, renewal_begun_at from channels
       where id = ${id} and credentials_version = ${credentialsVersion}
         and (renewing_until is null or renewing_until <= now())
         and (not ${isAhead} or renew_at is null or renew_at <= clock())
         for update)
    update channels c
       set renewing_until = now() + ${lockMs} * interval '1 ms',
           renewal_begun_at = coalesce(c.renewal_begun_at, clock())
      from before b where c.id = b.id
    returning b.renewal_begun_at is not null as was_interrupted`.execute(db);
  return rows[0] ?? null;
}

/** Stores a renewed sign-in and frees the right to renew, in one statement. @returns false where another one is stored */
export async function storeRenewal(
  db: Db,
  { id, credentialsVersion }: Versioned,
  renewed: SignIn & { readonly sealedCredentials: Buffer },
): Promise<boolean> {
  const stored = await db
    .updateTable("channels")
    .set({
      ...renewed,
      credentialsVersion: credentialsVersion + 1,
      renewingUntil: null,
      renewalBegunAt: null,
      updatedAt: sql<Date>`clock()`,
    })
    .where("id", "=", id)
    .where("credentialsVersion", "=", credentialsVersion)
    .where("removedAt", "is", null)
    .executeTakeFirst();
  return stored.numUpdatedRows > 0n;
}

/**
 * Frees the right to renew after a failure.
 * @param failed.isAnswered the platform refused, so that nothing was spent by this renewal
 */
export async function giveUpRenewal(
  db: Db,
  { id, credentialsVersion }: Versioned,
  failed: TakenRenewal & { readonly isAnswered: boolean; readonly renewAt: Date | null },
): Promise<void> {
  const wasNothingSpent = failed.isAnswered && !failed.wasInterrupted;
  await db
    .updateTable("channels")
    .set({
      renewingUntil: null,
      renewAt: failed.renewAt,
      ...(wasNothingSpent ? { renewalBegunAt: null } : {}),
    })
    .where("id", "=", id)
    .where("credentialsVersion", "=", credentialsVersion)
    .execute();
}

export interface RenewalState extends ChannelAccess {
  readonly renewing: "nobody" | "somebody" | "nobody_any_more";
}

/** The newest sign-in, and whether somebody renews it. `nobody_any_more`: whoever began it is gone. */
export async function readSignIn(db: Db, channelId: string): Promise<RenewalState> {
  return db
    .selectFrom("channels")
    .select(["id", "platform", "sealedCredentials", "credentialsVersion"])
    .select(
      sql<RenewalState["renewing"]>`case when renewing_until is null then 'nobody'
        when renewing_until > now() then 'somebody' else 'nobody_any_more' end`.as("renewing"),
    )
    .where("id", "=", channelId)
    .executeTakeFirstOrThrow();
}

/** What looking after a channel needs, as of one instant. */
export interface KeptChannel extends ChannelAccess, SignIn {
  readonly workspaceId: string;
  readonly checkAt: Date | null;
  readonly attention: ChannelRow["attention"];
  /** `clock()` of the same instant. */
  readonly now: Date;
}

/** @returns undefined where the channel was removed */
export function readKeptChannel(db: Db, channelId: string): Promise<KeptChannel | undefined> {
  return db
    .selectFrom("channels")
    .select(["id", "platform", "sealedCredentials", "credentialsVersion", "workspaceId"])
    .select(["signInEndsAt", "signInRenews", "renewAt", "checkAt", "attention"])
    .select(sql<Date>`clock()`.as("now"))
    .where("id", "=", channelId)
    .where("removedAt", "is", null)
    .executeTakeFirst();
}

/** Plans what comes next for a sign-in that is still the same. */
export async function planSignIn(
  db: Db,
  { id, credentialsVersion }: Versioned,
  signIn: SignIn,
): Promise<void> {
  await db
    .updateTable("channels")
    .set(signIn)
    .where("id", "=", id)
    .where("credentialsVersion", "=", credentialsVersion)
    .execute();
}

export async function planCheck(db: Db, channelId: string, checkAt: Date): Promise<void> {
  await db.updateTable("channels").set({ checkAt }).where("id", "=", channelId).execute();
}

/**
 * Notes that a sign-in works until its end but is not renewed without a person, and tells everyone with a post at stake,
 * once for each sign-in.
 */
export async function tellOfEnd(db: Db, { id, credentialsVersion }: Versioned): Promise<void> {
  await sql`
    with ending as (
      update channels set sign_in_renews = false, renew_at = sign_in_ends_at
       where id = ${id} and credentials_version = ${credentialsVersion}
      returning id, workspace_id, 'reauthorize' as reason, credentials_version::text as cause),
    ${tellOfChannels("ending", "channel.sign_in_ends")}
    insert into events (workspace_id, type, subject_id)
    select workspace_id, 'channel.updated', id from ending`.execute(db);
}
