-- What a channel publishes first: the oldest time, also where a later one was never tried and an older one was.
create index deliveries_in_order on deliveries (channel_id, due_at, id) where next_at is not null;
-- Found slow with 200,000 deliveries: a post's deliveries, and engagement over a span of time.
create index deliveries_by_post on deliveries (post_id);
create index deliveries_by_publication on deliveries (workspace_id, published_at) where published_at is not null;
