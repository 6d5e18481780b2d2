-- Sign-ins end, are revoked, and rotate when they are renewed. Channels are looked after before a post is due on them, and
-- whoever has a post at stake is told once when one of them, or one of the posts, needs a person.

alter table channels
  -- When the platform is asked next whether the channel could publish.
  add column check_at timestamptz,
  -- When the sign-in is renewed next, and not before while it still works; null for never.
  add column renew_at timestamptz,
  -- When the sign-in stops working unless it is renewed; null where that is not known.
  add column sign_in_ends_at timestamptz,
  -- Whether Postwell can renew it without a person.
  add column sign_in_renews boolean not null default false,
  -- When a person last signed in: what was refused before says nothing about this sign-in.
  add column signed_in_at timestamptz not null default clock(),
  -- Since when a renewal is without an answer. If it was a worker that died, the new sign-in may be lost with it.
  add column renewal_begun_at timestamptz,
  -- Since when a person is needed: tells one outage from the next.
  add column attention_since timestamptz;

update channels set signed_in_at = created_at, check_at = clock() + random() * interval '1 hour' where removed_at is null;
update channels set attention_since = updated_at where attention is not null;
insert into outbox (job, lane, subject_id, run_at, revision)
select 'keep-channel', platform, id, check_at, 1 from channels where removed_at is null;

-- When a worker must look at a delivery. On a channel that needs a person, what would go out waits; what may be out
-- already is settled all the same, and what becomes too late is missed.
create function look_at(state text, next_at timestamptz, latest_at timestamptz, needs_person boolean)
returns timestamptz language sql immutable parallel safe as $$
  select case when not needs_person or state in ('unknown', 'sending', 'preparing') then next_at
              when state = 'scheduled' then greatest(next_at, latest_at + interval '1 millisecond') end
$$;

-- What a person is told: ids and kinds, one row a person and cause.
create table notices (
  number bigint generated always as identity primary key,
  id uuid not null unique default gen_random_uuid(),
  workspace_id uuid not null references workspaces,
  recipient_id uuid not null references api_tokens,
  kind text not null,
  -- The channel or the delivery, as the kind says.
  subject_id uuid not null,
  -- The kind of failure; null where the notice's own kind says all.
  reason text,
  -- The outage, the plan or the sign-in that it is about: the same one is told of once.
  cause text not null,
  added_at timestamptz not null default clock(),
  read_at timestamptz,
  unique (recipient_id, kind, subject_id, cause)
);
create index notices_listed on notices (recipient_id, number);
create index notices_unread on notices (recipient_id, number) where read_at is null;
-- Only the mark that it was read changes.
create trigger notices_append_only
  before delete or update of number, id, workspace_id, recipient_id, kind, subject_id, reason, cause, added_at on notices
  for each statement execute function refuse_change();
