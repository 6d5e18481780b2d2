-- Stopping everything at once, so that the answer "stopped" is true: holds, the fence number that every attempt must still
-- find unchanged, and the workers that confirm it.

-- One row. Writing an attempt locks it in share mode, starting a hold in full: so no attempt can slip past a hold.
create table hold_fence (
  only_row boolean primary key default true check (only_row),
  fence bigint not null
);
insert into hold_fence (fence) values (0);

create table holds (
  id uuid primary key,
  workspace_id uuid not null references workspaces,
  -- All three null: the whole workspace.
  channel_ids uuid[] check (cardinality(channel_ids) > 0),
  campaign text,
  label text,
  reason text not null,
  fence bigint not null unique,
  started_by uuid not null references api_tokens,
  started_at timestamptz not null default clock(),
  -- When it ends by itself; null for never.
  ends_at timestamptz,
  ended_by uuid references api_tokens,
  ended_at timestamptz,
  check ((ended_by is null) = (ended_at is null)),
  check (num_nonnulls(channel_ids, campaign, label) <= 1)
);
create index holds_by_workspace on holds (workspace_id, started_at);

-- Whether a hold stands in the way of a delivery: it has begun, and the delivery's time lies before its end. So what came due
-- during a hold stays held after it, until a person decides.
create function is_held(workspace uuid, channel uuid, campaign text, labels text[], due_at timestamptz)
returns boolean language sql stable as $$
  select exists (
    select 1 from holds h
     where h.workspace_id = workspace and h.started_at <= clock()
       and (least(h.ended_at, h.ends_at) is null or least(h.ended_at, h.ends_at) > is_held.due_at)
       and (h.channel_ids is null or channel = any(h.channel_ids))
       and (h.campaign is null or h.campaign = is_held.campaign)
       and (h.label is null or h.label = any(is_held.labels)))
$$;

-- Every running worker, and the newest fence that it has confirmed: whatever it commits from then on was armed under it.
create table workers (
  id text primary key,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  confirmed_fence bigint not null
);
