-- Limits of a platform and its outages concern all workers alike: what is counted against budgets, whether a platform answers,
-- and until when and why a channel must wait are kept here, so that every worker, and every person, sees the same.

-- Which server of a platform a channel is on; empty where a platform is one. Null: connected before this was noted.
alter table channels add column host text;
-- Why nothing is published before wait_until.
alter table channels add column wait_reason text;

-- What a delivery waited for when its latest time passed.
alter table deliveries add column waited_for text;

-- One row a platform and server with a story to tell; none means that all is well.
create table platform_health (
  platform text not null,
  host text not null,
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  -- When it opened; while closed, when it closed.
  since timestamptz not null default clock(),
  -- Openings in a row: decides the pause before the next probe.
  openings int not null default 0,
  -- When the next channel may try; while one tries, when it must have ended.
  retry_at timestamptz,
  -- The one channel that tries. Its lease makes it one worker.
  probe_channel_id uuid references channels,
  -- For all channels of our app there: nothing is published before.
  wait_until timestamptz,
  wait_reason text,
  primary key (platform, host),
  check ((breaker = 'closed') = (retry_at is null)),
  check ((breaker = 'half_open') = (probe_channel_id is not null))
);

-- What has been taken from a budget, in buckets of time: written before anything is sent.
create table budget_usage (
  key text not null,
  bucket_at timestamptz not null,
  used int not null,
  -- Of the newest request: what it could have had at most, and what it got.
  room int not null,
  granted int not null,
  forget_at timestamptz not null,
  primary key (key, bucket_at)
) with (fillfactor = 70);
create index budget_usage_forgotten on budget_usage (forget_at);

-- Until when nothing new is published on a channel, and why. `is_out`: its platform does not answer, so that nothing is asked
-- either. The channel that probes does not wait.
create view channel_waits as
select c.id as channel_id, c.platform, coalesce(c.host, '') as host, o.is_out,
       case when o.is_out then h.retry_at else greatest(c.wait_until, h.wait_until) end as until,
       case when o.is_out then 'outage'
            when h.wait_until > coalesce(c.wait_until, '-infinity') then h.wait_reason
            else c.wait_reason end as reason,
       o.is_out or coalesce(greatest(c.wait_until, h.wait_until) > clock(), false) as is_waiting
  from channels c
  left join platform_health h on h.platform = c.platform and h.host = coalesce(c.host, '')
 cross join lateral (
       select coalesce(h.breaker <> 'closed' and h.probe_channel_id is distinct from c.id, false) as is_out) o;
