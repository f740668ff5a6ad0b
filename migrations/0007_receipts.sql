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

-- What was handed out to whom: the dates, in microseconds since 1970, of the versions themselves, so that no rule about
-- who may see what has to be applied to the past to read it. Dates that follow each other are one range. A row takes what
-- one node handed out to a partner within a minute from handed_out_at on, as long as it is short.
create table receipt (
  id bigint generated always as identity,
  collection_id uuid not null,
  partner_id bigint not null,
  handed_out_at timestamptz not null,
  dates int8multirange not null,
  primary key (collection_id, id)
);
-- Dates hardly meet those of other collections.
create index receipt_dates on receipt using gist (dates);

-- Whether the partner, as a sender, is told by name who has been handed its objects, and not by sector alone.
alter table access_grant add column sees_partners boolean not null default false;
