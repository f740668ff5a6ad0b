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
