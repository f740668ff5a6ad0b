-- What is left of versions that were deleted, without their text: who added them and who was handed them can still be
-- told.
create table deleted_version (
  collection_id uuid not null,
  date_added timestamptz not null,
  added_by bigint not null,
  object_id text collate "C" not null,
  version text collate "C" not null,
  version_text text collate "C" not null,
  deleted_at timestamptz not null default clock_timestamp(),
  primary key (collection_id, date_added)
);
create index deleted_version_object on deleted_version (object_id, collection_id, version);

-- What was handed out to whom: the dates of the versions themselves, so that no rule about who may see what has to be
-- applied to the past to read it. A row takes what one node handed out to a partner within a minute from handed_out_at on,
-- as long as it is short. In `runs` stand the dates, in order, those that follow each other by a microsecond as one run: its
-- first and its last date in microseconds since 1970, 8 bytes each. Ranges would be the type for that, but a page of a
-- thousand of them takes PostgreSQL longer than the page itself.
create table receipt (
  id bigint generated always as identity,
  collection_id uuid not null,
  partner_id bigint not null,
  handed_out_at timestamptz not null,
  date_added_first timestamptz not null,
  date_added_last timestamptz not null,
  runs bytea not null,
  -- In this order it cannot be taken for an index of collections.
  primary key (id, collection_id)
);
alter table receipt alter column runs set storage external;
-- Dates hardly meet those of other collections.
create index receipt_dates on receipt using gist (tstzrange(date_added_first, date_added_last, '[]'));

create function run_end(runs bytea, n integer) returns bigint language sql immutable as $$
  select ('x' || encode(substring(runs from 8 * n + 1 for 8), 'hex'))::bit(64)::bigint
$$;

-- Whether a date is one of a receipt's: looks for the last run that begins at it or earlier.
create function receipt_holds(runs bytea, date_added timestamptz) returns boolean language plpgsql immutable as $$
declare
  micros bigint := (extract(epoch from date_added) * 1000000)::bigint;
  low integer := -1;
  high integer := length(runs) / 16;
  middle integer;
begin
  while high - low > 1 loop
    middle := (low + high) / 2;
    if run_end(runs, 2 * middle) <= micros then low := middle; else high := middle; end if;
  end loop;
  return low >= 0 and micros <= run_end(runs, 2 * low + 1);
end $$;

-- Whether the partner, as a sender, is told by name who has been handed its objects, and not by sector alone.
alter table access_grant add column sees_partners boolean not null default false;
