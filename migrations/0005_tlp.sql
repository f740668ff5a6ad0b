-- Markings decide who sees what: tlp is the level of a version (0 clear, 1 green, 2 amber, 3 amber+strict, 4 red).
alter table collection
  -- of objects that carry no TLP marking
  add column tlp_default smallint not null default 2 check (tlp_default between 0 and 4),
  -- objects above it are refused
  add column tlp_max smallint not null default 4 check (tlp_max between 0 and 4),
  -- a bit for each level that any object was ever added at, so that nothing is looked for at the others
  add column tlp_held smallint not null default 0,
  add check (tlp_default <= tlp_max);

-- Which version of an object is the last one depends on who asks: for a ceiling from tlp to last_below - 1 it is this one,
-- since last_below is the lowest level of the later versions, or 5. first_below is the same of the earlier ones.
alter table object_version
  add column tlp smallint not null default 2,
  add column first_below smallint not null default 5,
  add column last_below smallint not null default 5;

create function pg_temp.tlp_of_marking(id text) returns smallint language sql immutable as $$
  select case lower(id)
    when 'marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9' then 0
    when 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487' then 0
    when 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da' then 1
    when 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb' then 1
    when 'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82' then 2
    when 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421' then 2
    when 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003' then 3
    when 'marking-definition--826578e1-40ad-459f-bc73-ede076f81f37' then 3
    when 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed' then 4
    when 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1' then 4
  end
$$;
create function pg_temp.elements(list json) returns setof json language sql immutable as $$
  select json_array_elements(case json_typeof(list) when 'array' then list else '[]' end)
$$;
create function pg_temp.tlp_of(object text) returns smallint language plpgsql as $$
begin
  return (select max(pg_temp.tlp_of_marking(id)) from (
    select reference #>> '{}' as id from pg_temp.elements(object::json -> 'object_marking_refs') as reference
    union all
    select part ->> 'marking_ref' from pg_temp.elements(object::json -> 'granular_markings') as part
  ) as markings);
exception when others then
  -- PostgreSQL reads no JSON that escapes a NUL. Wherever the ids stand in it then: rather too high than too low.
  return (select max(pg_temp.tlp_of_marking(id[1]))
    from regexp_matches(object, 'marking-definition--[0-9a-fA-F-]{36}', 'g') as id);
end $$;

update object_version set tlp = coalesce(pg_temp.tlp_of(object), 2) where object like '%marking-definition--%';

update object_version set first_below = coalesce(ends.first_below, 5), last_below = coalesce(ends.last_below, 5)
from (
  select collection_id, date_added,
    min(tlp) over (partition by collection_id, object_id order by version
      rows between unbounded preceding and 1 preceding) as first_below,
    min(tlp) over (partition by collection_id, object_id order by version
      rows between 1 following and unbounded following) as last_below
  from object_version
) ends
where not (is_first and is_last)
  and object_version.collection_id = ends.collection_id and object_version.date_added = ends.date_added;

update collection set tlp_held = held.levels
from (select collection_id, bit_or((1 << tlp)::smallint) as levels from object_version group by collection_id) held
where held.collection_id = collection.id;

-- A page is merged from a range for each level. date_added alone is unique in a collection too: whoever gives dates holds
-- the collection's lock.
alter table object_version drop constraint object_version_pkey;
drop index object_version_last;
drop index object_version_type;
alter table object_version drop column is_first, drop column is_last;
alter table object_version add primary key (collection_id, tlp, date_added);
create index object_version_last on object_version (collection_id, tlp, date_added) where last_below > tlp;
create index object_version_type on object_version (type, collection_id, tlp, date_added);
-- What a partner may not see of others, it sees of its own.
create index object_version_own on object_version (collection_id, added_by, tlp, date_added) where tlp > 0;

-- replay_above is the ceiling from before it was raised, and replay_until the date up to which the partner may have passed
-- by what lies above that: it is behind its cursor until it is replayed. replayed_last is the last date that versions were
-- replayed to the partner under.
alter table access_grant
  add column replay_above smallint check (replay_above between 0 and 4),
  add column replay_until timestamptz,
  add column replayed_last timestamptz;

-- Versions that come again for one partner alone, at another date: for it they were added then.
create table replay (
  partner_id bigint not null,
  collection_id uuid not null,
  date_added timestamptz not null,
  object_id text collate "C" not null,
  version text collate "C" not null,
  primary key (partner_id, collection_id, date_added)
);
create unique index replay_key on replay (object_id, collection_id, version, partner_id);
