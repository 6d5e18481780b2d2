-- Whether a delivery will go out is foretold, not discovered: it is looked at a day, an hour and five minutes before its time,
-- and whenever something that it depends on has changed. And what nobody works on raises an alarm that needs no queue.

alter table deliveries
  -- When the next look is due; null for none.
  add column preflight_at timestamptz,
  -- {light, reasons: [{code, light, title, nextStep}], checkedAt} of the newest look.
  add column preflight jsonb;
create index deliveries_preflight on deliveries (channel_id, preflight_at) where preflight_at is not null;
-- Plans by the rules of an older edition of the time zone database.
create index deliveries_by_zone_rules on deliveries (tzdb) where state = 'scheduled' and tzdb is not null;

-- Something has changed that all deliveries of the channel depend on: since when. Set here, so that nobody who changes a
-- channel need know of the preflight; before the update, so that no further row is locked.
alter table channels add column preflight_at timestamptz;
create function ask_for_preflight() returns trigger language plpgsql as $$
begin
  new.preflight_at := clock();
  return new;
end $$;
create trigger channels_preflight before update of attention, capabilities, sign_in_ends_at, sign_in_renews on channels
  for each row
  when (new.attention is distinct from old.attention or new.capabilities is distinct from old.capabilities
        or new.sign_in_ends_at is distinct from old.sign_in_ends_at or new.sign_in_renews <> old.sign_in_renews)
  execute function ask_for_preflight();

-- What of these the preflight has taken notice of. Starting a hold and opening a breaker must not wait for a channel's row.
alter table holds add column preflight_saw text check (preflight_saw in ('begun', 'ended'));
create index holds_unseen on holds (id) where preflight_saw is distinct from 'ended';
alter table platform_health add column preflight_saw_out boolean not null default false;

-- Each delivery whose time has passed and that nothing worked on, once a plan: whoever inserts the row raises the alarm.
create table overdue_alarms (
  delivery_id uuid not null references deliveries,
  due_at timestamptz not null,
  raised_at timestamptz not null default clock(),
  primary key (delivery_id, due_at)
);
create trigger overdue_alarms_append_only before update or delete on overdue_alarms
  for each statement execute function refuse_change();

update holds set preflight_saw = 'ended' where least(ended_at, ends_at) <= clock();
update deliveries set preflight_at = greatest(clock(), due_at - interval '24 hours')
 where state = 'scheduled' and due_at > clock();
