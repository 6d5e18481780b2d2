-- The row of a channel without work is deleted, so its fence must not begin anew with the next work: a worker that was frozen
-- meanwhile would take another's lease for its own. Microseconds grow faster than anybody leases.
alter table outbox alter column fence set default (extract(epoch from clock_timestamp()) * 1000000)::bigint;
