-- A post that brings down whoever works on it must not do so for ever; one whose counts cannot be read must not keep those of the
-- others from being read, and says so; and a channel that waits is asked what becomes too late next without a walk through its plan.

alter table deliveries
  -- How often a worker ended with it in hand.
  add column abandoned int not null default 0,
  -- Kind of the failure of the last reading of its engagement; null where that went well.
  add column engagement_error text;
create index deliveries_too_late on deliveries (channel_id, latest_at) where state = 'scheduled' and next_at is not null;
