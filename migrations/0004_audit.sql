-- What was done, by whom, with which token, in which request. Each chain (one a collection, under whose lock it grows, and
-- "hub" for all else) is numbered without gaps, and the hash of a row covers the hash of the row before it.
-- For objects that were added, the dates that they were given: they say which row tells of a version.
create table audit (
  chain text collate "C" not null,
  seq bigint not null,
  at timestamptz not null,
  actor text collate "C" not null,
  token text collate "C" not null,
  request_id text collate "C" not null,
  action text collate "C" not null,
  subject text collate "C" not null,
  details text not null,
  date_added_first timestamptz,
  date_added_last timestamptz,
  hash bytea not null,
  primary key (chain, seq),
  -- What is hashed is a line each.
  check (concat(actor, token, request_id, action, subject, details) !~ '[\n\r]')
);
create index audit_added on audit (chain, date_added_last) where date_added_last is not null;
create index audit_at on audit (at);

-- Where each chain ends, so that rows missing at its end are noticed too.
create table audit_chain (
  chain text collate "C" primary key,
  seq bigint not null,
  hash bytea not null
);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function refuse_audit_change();
