-- A page is merged from ranges of indexes that hold what is asked for, in the order of date_added. What tells the ranges
-- of an index apart is a hash, since no other index can serve an equation with it: plans depend on no statistics then, and
-- an entry takes half the room. Versions keep their text: they rise as they come, so that what is added stands together.
-- The indexes are made while the hub goes on (concurrently/).

-- Of which ends a version is for some ceiling: 1 the last one, 2 the first one, 3 both, which most are, or 0.
create function ends_of(tlp smallint, first_below smallint, last_below smallint) returns integer
language sql immutable parallel safe as $$
  select (first_below > tlp)::integer * 2 + (last_below > tlp)::integer
$$;

create function range_key(collection_id uuid, tlp smallint, ends integer, subject text) returns bigint
language sql immutable parallel safe as $$
  select hashtextextended(subject, uuid_hash_extended(collection_id, tlp * 4 + ends))
$$;

-- The files of concurrently/ that have been applied to the end.
create table concurrent_migration (
  name text collate "C" primary key,
  applied_at timestamptz not null default now()
);

-- Of no use to find one partner's grant by, among those of all partners in a collection.
drop index access_grant_collection;
create index access_grant_collection on access_grant (collection_id, partner_id);
