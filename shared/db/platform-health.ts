import { sql } from "kysely";
import { rampDelayMs } from "../domain/outage.ts";
import type { WaitReason } from "../domain/wait.ts";
import { inTransaction, type Db, type Tx } from "./client.ts";
import { wake } from "./outbox.ts";

/** A platform, and the server where it has many; otherwise `host` is empty. */
export interface PlatformHost {
  readonly platform: string;
  readonly host: string;
}

/** The first pause before somebody tries again; doubled each time that it is in vain. */
const FIRST_PAUSE_SECONDS = 15;
const LONGEST_PAUSE_SECONDS = 120;

/** Openings in a row: after this long without one, the count begins anew. */
const CALM_MINUTES = 10;

/** A probe that has told nothing by then is given to another channel. */
const PROBE_SECONDS = 30;

const pause = (openings: ReturnType<typeof sql>) =>
  sql`least(${FIRST_PAUSE_SECONDS} * power(2, ${openings} - 1), ${LONGEST_PAUSE_SECONDS}) * interval '1 s'`;

/** A delivery that would be sent now, were it not for the outage. */
const toSend = sql`(d.state in ('partial', 'preparing') or (d.state = 'scheduled' and d.latest_at >= clock()))`;

/** Nothing is sent to the platform from now on. @returns false where somebody was faster */
export async function openBreaker(db: Db, { platform, host }: PlatformHost): Promise<boolean> {
  const openings = sql`(case when h.openings > 0 and h.since > clock() - ${CALM_MINUTES} * interval '1 minute'
                             then h.openings + 1 else 1 end)`;
  const { rows } = await sql`
    insert into platform_health as h (platform, host, breaker, openings, retry_at)
    values (${platform}, ${host}, 'open', 1, clock() + ${pause(sql`1`)})
    on conflict (platform, host) do update
      set breaker = 'open', since = clock(), openings = ${openings}, retry_at = clock() + ${pause(openings)}
      where h.breaker = 'closed'
    returning 1`.execute(db);
  return rows.length > 0;
}

/**
 * Makes a channel the one that tries whether the platform is back. Being asked about a lost answer proves little, as reading may
 * work where posting does not: so a channel that has only that to do tries when no other has anything to send.
 * @returns false where it is not its turn
 */
export async function takeProbe(db: Db, channelId: string): Promise<boolean> {
  const { rows } = await sql`
    update platform_health h
       set breaker = 'half_open', probe_channel_id = c.id, retry_at = clock() + ${PROBE_SECONDS} * interval '1 s'
      from channels c
     where c.id = ${channelId} and h.platform = c.platform and h.host = coalesce(c.host, '')
       and h.breaker <> 'closed' and h.retry_at <= clock() and c.attention is null
       and coalesce(greatest(c.wait_until, h.wait_until) <= clock(), true)
       and (exists (select 1 from deliveries d where d.channel_id = c.id and d.next_at <= clock() and ${toSend})
            or not exists (select 1 from channels o join deliveries d on d.channel_id = o.id
                            where o.platform = h.platform and coalesce(o.host, '') = h.host and o.attention is null
                              and coalesce(greatest(o.wait_until, h.wait_until) <= clock(), true)
                              and d.next_at <= clock() and ${toSend})
               and exists (select 1 from deliveries d where d.channel_id = c.id and d.next_at <= clock()
                              and d.state in ('unknown', 'sending')))
    returning 1`.execute(db);
  return rows.length > 0;
}

/** The probe was in vain: nothing is sent for a longer while. */
export async function failProbe(db: Db, channelId: string): Promise<void> {
  await sql`
    update platform_health h
       set breaker = 'open', probe_channel_id = null, openings = h.openings + 1,
           retry_at = clock() + ${pause(sql`(h.openings + 1)`)}
     where breaker = 'half_open' and probe_channel_id = ${channelId}`.execute(db);
}

/**
 * The platform is back: its channels go on, oldest posts first, more and more of them.
 * @returns which it is; null where the channel was not the one that tried
 */
export async function closeBreaker(db: Db, channelId: string): Promise<PlatformHost | null> {
  return inTransaction(db, async (tx) => {
    const { rows } = await sql<PlatformHost & { now: Date }>`
      update platform_health set breaker = 'closed', since = clock(), probe_channel_id = null, retry_at = null
       where breaker = 'half_open' and probe_channel_id = ${channelId}
      returning platform, host, clock() as now`.execute(tx);
    const [closed] = rows;
    if (!closed) return null;
    const waiting = await channelsWithDue(tx, closed, channelId);
    const starts = waiting.map((subjectId, rank) => ({
      job: "publish-channel",
      lane: closed.platform,
      subjectId,
      runAt: new Date(closed.now.getTime() + rampDelayMs(rank, waiting.length)),
    }));
    await letChannelsWait(tx, starts);
    await wake(tx, starts);
    return { platform: closed.platform, host: closed.host };
  });
}

/** Whoever is out or being tried. */
export async function findOutages(db: Db): Promise<readonly PlatformHost[]> {
  const { rows } = await sql<PlatformHost>`
    select platform, host from platform_health where breaker <> 'closed'`.execute(db);
  return rows;
}

/** The one that is oldest overdue first. */
async function channelsWithDue(
  tx: Tx,
  { platform, host }: PlatformHost,
  except: string,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select c.id from channels c
      join lateral (select min(d.due_at) as due_at from deliveries d
                     where d.channel_id = c.id and d.next_at <= clock()) oldest on oldest.due_at is not null
     where c.platform = ${platform} and coalesce(c.host, '') = ${host} and c.id <> ${except}
     order by oldest.due_at, c.id`.execute(tx);
  return rows.map(({ id }) => id);
}

async function letChannelsWait(
  tx: Tx,
  starts: readonly { subjectId: string; runAt: Date }[],
): Promise<void> {
  await sql`
    with given as (
      select c.id, s."runAt" as run_at
        from jsonb_to_recordset(${JSON.stringify(starts)}::jsonb) as s("subjectId" uuid, "runAt" timestamptz)
        join channels c on c.id = s."subjectId" and s."runAt" > clock()
         and (c.wait_until is null or c.wait_until < s."runAt")
       order by c.id for update of c)
    update channels c set wait_until = g.run_at, wait_reason = ${"recovering" satisfies WaitReason}
      from given g where c.id = g.id`.execute(tx);
}
