-- What the indexes of ranges stand in for. Nothing else is to begin with the collection: it would serve any query of one.
drop index concurrently if exists object_version_last;

drop index concurrently if exists object_version_type;

drop index concurrently if exists object_version_own;

-- For a moment nobody else can use the table; whoever uses it for long is not waited for.
do $$ begin
  if exists (select from pg_constraint where conname = 'object_version_pkey') then
    perform set_config('lock_timeout', '2s', true);
    alter table object_version drop constraint object_version_pkey,
      add constraint object_version_key primary key using index object_version_key;
  end if;
end $$;
