-- The whole main job in tables: who (workspaces, tokens), where (channels), what (posts, media), when and how it went
-- (deliveries, attempts, receipts, snapshots), who must be woken (outbox), and what to tell the screens (events).

-- All domain time comes from this one function, so that the database's clock is the only one that decides. Tests and the
-- demo replace it in their own database to move time; leases use now() and are not affected.
create function clock() returns timestamptz language sql stable parallel safe as 'select now()';

-- The ledger is only ever added to.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end $$;

create table workspaces (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default clock()
);

create table api_tokens (
  id uuid primary key,
  workspace_id uuid not null references workspaces,
  name text not null,
  scope text not null check (scope in ('admin', 'author')),
  token_hash bytea not null unique,
  created_at timestamptz not null default clock(),
  expires_at timestamptz,
  revoked_at timestamptz
);

-- The answer to a POST, kept so that repeating it under the same key gives the same answer and no second effect.
create table idempotency_keys (
  workspace_id uuid not null references workspaces,
  key text not null,
  request_hash bytea not null,
  status int,
  headers jsonb,
  body jsonb,
  created_at timestamptz not null default clock(),
  primary key (workspace_id, key)
);

create table channels (
  id uuid primary key,
  workspace_id uuid not null references workspaces,
  platform text not null,
  name text not null,
  remote_account_id text not null,
  handle text not null,
  state text not null check (state in ('connected', 'needs_attention')),
  attention jsonb,
  capabilities jsonb not null,
  sealed_credentials bytea not null,
  credentials_version int not null default 1,
  -- Renewing a rotating token twice at once signs the account out: whoever sets this first renews.
  renewing_until timestamptz,
  -- Set when the platform told us to wait: nothing is published on the channel before.
  wait_until timestamptz,
  created_at timestamptz not null default clock(),
  updated_at timestamptz not null default clock(),
  removed_at timestamptz,
  unique (workspace_id, id),
  check ((state = 'connected') = (attention is null))
);
create unique index channels_name on channels (workspace_id, lower(name)) where removed_at is null;
create unique index channels_account on channels (workspace_id, platform, remote_account_id) where removed_at is null;

create table media (
  id uuid primary key,
  workspace_id uuid not null references workspaces,
  filename text not null,
  content_type text not null,
  byte_length int not null,
  width int not null,
  height int not null,
  sha256 text not null,
  alt_text text not null default '',
  created_at timestamptz not null default clock(),
  removed_at timestamptz
);
create index media_listed on media (workspace_id, id) where removed_at is null;
create index media_by_filename on media (workspace_id, filename) where removed_at is null;

create table posts (
  id uuid primary key,
  workspace_id uuid not null references workspaces,
  external_id text,
  version int not null default 1,
  state text not null check (state in ('draft', 'scheduled')),
  parts jsonb not null,
  link text,
  sources jsonb not null default '[]',
  labels text[] not null default '{}',
  campaign text,
  latest_after_minutes int not null default 15 check (latest_after_minutes between 1 and 10080),
  content_hash text not null,
  created_by uuid not null references api_tokens,
  created_at timestamptz not null default clock(),
  updated_at timestamptz not null default clock(),
  removed_at timestamptz,
  unique (workspace_id, id)
);
create unique index posts_external_id on posts (workspace_id, external_id) where external_id is not null;
create index posts_listed on posts (workspace_id, id) where removed_at is null;

-- Where a post goes, and the other words that it has there (null: the post's own).
create table post_channels (
  workspace_id uuid not null,
  post_id uuid not null,
  channel_id uuid not null,
  variant jsonb,
  primary key (post_id, channel_id),
  foreign key (workspace_id, post_id) references posts (workspace_id, id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id)
);
create index post_channels_by_channel on post_channels (channel_id);

create table deliveries (
  id uuid primary key,
  workspace_id uuid not null,
  post_id uuid not null,
  channel_id uuid not null,
  platform text not null,
  state text not null check (state in ('scheduled', 'preparing', 'sending', 'unknown', 'published', 'partial',
                                       'failed', 'held', 'missed', 'expired', 'cancelled', 'removed')),
  -- Grows with every move and every edit: whoever holds an older number does nothing.
  version int not null default 1,
  -- Of the post as it goes to this channel. What is sent must have the same.
  content_hash text not null,
  due_at timestamptz not null,
  -- The wall clock that the person meant, the zone, and the rules that turned them into due_at; null for a bare instant.
  local_time text,
  zone text,
  tzdb text,
  latest_at timestamptz not null,
  -- When a worker must look at this row next; null where a person decides or all is done.
  next_at timestamptz,
  -- Refusals that did not use up the delivery (the platform was away): decides the next pause.
  tries int not null default 0,
  -- Looks for a lost answer.
  looks int not null default 0,
  -- What prepare left behind, by part.
  prepared jsonb not null default '{}',
  -- {kind, platformMessage, platformCode} of the last failure.
  error jsonb,
  published_at timestamptz,
  -- When engagement is read next; null before publication and after the last reading.
  engagement_at timestamptz,
  created_at timestamptz not null default clock(),
  updated_at timestamptz not null default clock(),
  unique (workspace_id, id),
  foreign key (workspace_id, post_id) references posts (workspace_id, id),
  foreign key (workspace_id, channel_id) references channels (workspace_id, id),
  check ((local_time is null) = (zone is null)),
  check (state <> 'published' or published_at is not null)
) with (fillfactor = 80);
-- One living delivery of a post on a channel.
create unique index deliveries_living on deliveries (post_id, channel_id) where state not in ('cancelled', 'removed');
-- What a channel has to do next: only rows that wait for a worker, so it stays as small as the plan.
create index deliveries_next on deliveries (channel_id, next_at, id) where next_at is not null;
create index deliveries_engagement on deliveries (channel_id, engagement_at) where engagement_at is not null;
create index deliveries_by_due on deliveries (workspace_id, due_at, id);
create index deliveries_by_state on deliveries (workspace_id, state, due_at, id);

-- One row before we touch a platform.
create table attempts (
  id uuid primary key,
  delivery_id uuid not null references deliveries,
  part int not null,
  fence bigint not null,
  worker text not null,
  content_hash text not null,
  idempotency_key text not null,
  armed_at timestamptz not null default clock()
);
create index attempts_by_delivery on attempts (delivery_id, armed_at);
create trigger attempts_append_only before update or delete on attempts
  for each statement execute function refuse_change();

-- One row after. An attempt without one is an unknown outcome.
create table attempt_outcomes (
  attempt_id uuid primary key references attempts,
  -- 'published', or the kind of failure.
  outcome text not null,
  error jsonb,
  answered_at timestamptz not null default clock()
);
create trigger attempt_outcomes_append_only before update or delete on attempt_outcomes
  for each statement execute function refuse_change();

create table receipts (
  delivery_id uuid not null references deliveries,
  part int not null,
  remote_id text not null,
  permalink text,
  -- By the platform's clock where it says, else by ours.
  published_at timestamptz not null,
  content_hash text not null,
  -- What the connector wants to find again; null for nothing.
  reference jsonb,
  -- 'answered', 'reconciled' or 'person': how we know.
  known_by text not null check (known_by in ('answered', 'reconciled', 'person')),
  recorded_at timestamptz not null default clock(),
  primary key (delivery_id, part)
);
create trigger receipts_append_only before update or delete on receipts
  for each statement execute function refuse_change();

create table snapshots (
  delivery_id uuid not null references deliveries,
  taken_at timestamptz not null default clock(),
  -- Totals since publication. What the platform did not report is absent, never 0.
  metrics jsonb not null,
  primary key (delivery_id, taken_at)
);
create trigger snapshots_append_only before update or delete on snapshots
  for each statement execute function refuse_change();

-- Who must be woken when: one row a job and subject, written in the transaction that makes it necessary. A queue may
-- lose its hints; this table may not. A worker that takes a row holds a lease on the subject, with a fence number that
-- only grows.
create table outbox (
  job text not null,
  subject_id uuid not null,
  -- Hints of one lane wait for each other in the queue; other lanes do not.
  lane text not null,
  run_at timestamptz not null,
  -- Grows with every change of run_at by somebody who does not hold the lease.
  revision bigint not null default 0,
  handed_at timestamptz,
  leased_by text,
  leased_until timestamptz,
  fence bigint not null default 0,
  -- Times in a row that the handler ended with an error of its own: decides the pause before the next try.
  stumbles int not null default 0,
  primary key (job, subject_id)
) with (fillfactor = 70);
create index outbox_due on outbox (run_at);
create index outbox_due_by_lane on outbox (job, lane, run_at);

-- What changed, never to what: screens read it again. Ordered by (xid, id), so that a reader that stops below the oldest
-- running transaction misses nothing.
create table events (
  xid xid8 not null default pg_current_xact_id(),
  id bigint generated always as identity primary key,
  workspace_id uuid not null references workspaces,
  type text not null,
  subject_id uuid not null,
  at timestamptz not null default clock()
);
create index events_in_order on events (workspace_id, xid, id);

-- What a platform that Postwell hosts itself has stored. Its posts and its pictures are apart, so that a look at the newest
-- posts reads no picture.
create table hosted_documents (
  platform text not null,
  id uuid not null,
  number bigint generated always as identity,
  kind text not null,
  document jsonb not null,
  added_at timestamptz not null default clock(),
  primary key (platform, id)
);
create index hosted_documents_in_order on hosted_documents (platform, kind, number desc);
