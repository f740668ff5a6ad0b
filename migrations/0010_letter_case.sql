-- The digits of a UUID are the same in either case (RFC 9562 §4), so that ids which differ in nothing else have one owner.
create index object_version_mixed_case on object_version (lower(object_id))
where object_id <> lower(object_id);
