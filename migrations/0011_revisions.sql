-- What nodes go by to know what has changed (src/db/changes.ts): `revision` rises with every change of a collection's row,
-- and whoever adds or removes objects changes it, under its lock. `past_revision` is the one at which something that was
-- there already became different: a version removed, or no longer the last one. `grants_revision` is the one at which
-- anybody's rights in it changed. changed_by is the transaction of the last change: those that a snapshot does not hold yet
-- have no lower id than its xmin.
alter table collection
  add column revision bigint not null default 0,
  add column past_revision bigint not null default 0,
  add column grants_revision bigint not null default 0,
  add column changed_by xid8 not null default pg_current_xact_id();

create function note_collection_change() returns trigger language plpgsql as $$
begin
  new.revision := old.revision + 1;
  new.changed_by := pg_current_xact_id();
  return new;
end $$;
create trigger collection_change before update on collection
  for each row execute function note_collection_change();

create function note_grant_change() returns trigger language plpgsql as $$
begin
  update collection set grants_revision = revision + 1 where id = coalesce(new.collection_id, old.collection_id);
  return null;
end $$;
create trigger access_grant_change after insert or update or delete on access_grant
  for each row execute function note_grant_change();

-- Rises when a credential may have lost its worth, or a partner may come from elsewhere.
alter table hub add column trust_revision bigint not null default 0;

create function note_trust_change() returns trigger language plpgsql as $$
begin
  update hub set trust_revision = trust_revision + 1;
  return null;
end $$;
create trigger partner_trust_change after update on partner
  for each statement execute function note_trust_change();
create trigger token_trust_change after update on token
  for each statement execute function note_trust_change();
create trigger signing_key_trust_change after insert or update or delete on signing_key
  for each statement execute function note_trust_change();
create trigger partner_issuer_trust_change after insert or update or delete on partner_issuer
  for each statement execute function note_trust_change();
