-- From where a partner may come, as networks such as 192.0.2.0/24; null: from anywhere.
alter table partner add column addresses text[];

-- What a partner may store in a collection, in bytes; null: what the hub's settings say; 0: as much as it likes.
alter table access_grant add column quota_bytes bigint check (quota_bytes >= 0);

-- What is stored of each partner in each collection: the bytes of the texts, kept under the collection's lock. No foreign
-- keys, as on object_version.
create table storage (
  collection_id uuid not null,
  partner_id bigint not null,
  bytes bigint not null,
  primary key (collection_id, partner_id)
);
insert into storage (collection_id, partner_id, bytes)
select collection_id, added_by, sum(octet_length(object)) from object_version group by collection_id, added_by;

-- Requests of each partner in its newest minute (of those since 1970), on all nodes together. After a crash nobody misses
-- them.
create unlogged table request_count (
  partner_id bigint primary key,
  minute bigint not null,
  requests bigint not null
);
