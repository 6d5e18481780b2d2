-- A hold counts from the moment that it is committed. Its own time is that of the beginning of its transaction, and the time of a
-- statement is that of its arrival: a statement that arrived a moment earlier and began to read afterwards found the hold's
-- fence, and took the hold itself for one that had not begun.
create or replace function is_held(workspace uuid, channel uuid, campaign text, labels text[], due_at timestamptz)
returns boolean language sql stable as $$
  select exists (
    select 1 from holds h
     where h.workspace_id = workspace
       and (least(h.ended_at, h.ends_at) is null or least(h.ended_at, h.ends_at) > is_held.due_at)
       and (h.channel_ids is null or channel = any(h.channel_ids))
       and (h.campaign is null or h.campaign = is_held.campaign)
       and (h.label is null or h.label = any(is_held.labels)))
$$;
