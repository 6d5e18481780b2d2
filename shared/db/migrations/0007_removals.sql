-- What is out can be taken away again: a thread that stopped half way, or a post that should not have been. A person's wish is
-- kept with the delivery until a worker has fulfilled it part by part. And what no hand may do to a delivery is refused.

alter table deliveries
  -- A person left a thread as it was when some of its parts were out: published, but not all of it.
  add column is_cut_short boolean not null default false,
  -- Somebody wants it gone; from then on nothing more of it goes out.
  add column removal_wished_at timestamptz,
  add column removal_wished_by uuid references api_tokens,
  -- When a worker must go on with the removal; null where there is none, or it waits for a person.
  add column remove_at timestamptz,
  -- Tries in a row that failed for want of the platform.
  add column removal_tries int not null default 0,
  -- {kind, platformMessage, platformCode} of the last one.
  add column removal_error jsonb,
  add check ((removal_wished_at is null) = (removal_wished_by is null)),
  add check (remove_at is null or removal_wished_at is not null);
create index deliveries_remove on deliveries (channel_id, remove_at) where remove_at is not null;
-- Empty unless somebody edits rows by hand: nothing would ever move these again.
create index deliveries_forgotten on deliveries (id)
  where next_at is null and state in ('scheduled', 'preparing', 'sending');

-- One row for every answer to a request that takes a part away. Such a request may be repeated without harm, so nothing is
-- written before it.
create table removals (
  id uuid primary key,
  delivery_id uuid not null,
  part int not null,
  -- 'removed', or the kind of failure.
  outcome text not null,
  error jsonb,
  answered_at timestamptz not null default clock(),
  foreign key (delivery_id, part) references receipts
);
create index removals_by_delivery on removals (delivery_id, part);
create unique index removals_done on removals (delivery_id, part) where outcome = 'removed';
create trigger removals_append_only before update or delete on removals
  for each statement execute function refuse_change();

-- States in which nothing is out. A delivery of which parts are out would be sent again from them, so no hand may put it there.
-- After, not before: a trigger before the update would lock every row once more, also in publishing, which it does not concern.
create function refuse_forgetting_parts() returns trigger language plpgsql as $$
begin
  if exists (select 1 from receipts where delivery_id = new.id) then
    raise exception 'Parts of delivery % are out: it cannot become %.', new.id, new.state
      using errcode = 'integrity_constraint_violation',
            hint = 'Settle it by POST /api/v1/deliveries/{id}/resolve or /remove.';
  end if;
  return null;
end $$;
create trigger deliveries_keep_parts after update of state on deliveries for each row
  when (new.state in ('scheduled', 'held', 'missed', 'expired', 'failed', 'cancelled') and new.state <> old.state)
  execute function refuse_forgetting_parts();
