create index concurrently if not exists object_version_range
on object_version (range_key(collection_id, tlp, ends_of(tlp, first_below, last_below), ''), date_added);

create index concurrently if not exists object_version_range_type
on object_version (range_key(collection_id, tlp, ends_of(tlp, first_below, last_below), type), date_added);

-- The date in a form that nothing else is asked for by, so that this one cannot be taken for an index of dates.
create index concurrently if not exists object_version_version
on object_version (version, collection_id, tlp, (date_added at time zone 'UTC'));

-- What a partner may not see of others, it sees of its own.
create index concurrently if not exists object_version_range_own
on object_version (range_key(collection_id, tlp, ends_of(tlp, first_below, last_below), added_by::text), date_added)
where tlp > 0;
