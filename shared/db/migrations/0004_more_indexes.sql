-- Found slow with 200,000 deliveries: a post's deliveries, and engagement over a span of time.
create index deliveries_by_post on deliveries (post_id);
create index deliveries_by_publication on deliveries (workspace_id, published_at) where published_at is not null;
