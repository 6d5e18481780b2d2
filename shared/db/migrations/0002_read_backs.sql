-- A receipt says what a platform answered. Platforms, moderators and people with other programs change and remove posts
-- afterwards, so each published delivery is looked at again, after a minute and after a day, and what differs is shown.

alter table deliveries
  -- When its receipt is checked next; null before publication and after the last check.
  add column read_back_at timestamptz,
  -- Looks of the check under way that failed: decides the next pause.
  add column read_back_tries int not null default 0,
  -- The newest verdict that tells something, so that a list needs no look into read_backs.
  add column read_back text check (read_back in ('matches', 'differs', 'missing', 'unreadable'));
create index deliveries_read_back on deliveries (channel_id, read_back_at) where read_back_at is not null;
create index deliveries_read_back_alarms on deliveries (workspace_id, due_at, id)
  where read_back in ('differs', 'missing');

-- One row a check. It names parts and kinds of differences, never what the platform showed.
create table read_backs (
  delivery_id uuid not null references deliveries,
  taken_at timestamptz not null default clock(),
  verdict text not null check (verdict in ('matches', 'differs', 'missing', 'unreadable')),
  -- [{part, what}]: what is 'missing', 'text', 'media_count' or 'alt_text'.
  differences jsonb not null default '[]',
  -- The kind of failure where the post could not be read.
  reason text,
  primary key (delivery_id, taken_at),
  check ((verdict = 'unreadable') = (reason is not null))
);
create trigger read_backs_append_only before update or delete on read_backs
  for each statement execute function refuse_change();
