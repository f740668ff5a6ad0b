-- What one hub is: its name in tokens, and the key that authenticates cursors. One row, made at the first start.
create table hub (
  only_row boolean primary key default true check (only_row),
  id uuid not null,
  cursor_key bytea not null,
  created_at timestamptz not null default now()
);

-- The private keys that sign partners' tokens. The newest one signs; all of them verify.
create table signing_key (
  kid text collate "C" primary key,
  private_jwk jsonb not null,
  created_at timestamptz not null default now()
);

-- An organisation that shares through the hub. Partners are disabled, never deleted: objects name who added them.
create table partner (
  id bigint generated always as identity primary key,
  slug text collate "C" not null unique,
  name text not null,
  sector text not null,
  disabled_at timestamptz,
  created_at timestamptz not null default now()
);

create table token (
  jti uuid primary key,
  partner_id bigint not null references partner (id),
  scope text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index token_partner on token (partner_id);

create table api_root (
  slug text collate "C" primary key,
  title text not null,
  description text,
  created_at timestamptz not null default now()
);
insert into api_root (slug, title, description)
values ('hub', 'Taxiway', 'The API root of collections that belong to no other trust group');

-- date_added_last is the collection's clock: whoever adds objects holds this row's lock until commit, so that
-- date_added rises in commit order (ARCHITECTURE.md, invariant 1).
create table collection (
  id uuid primary key,
  alias text collate "C" not null unique,
  api_root text collate "C" not null references api_root (slug),
  title text not null,
  description text,
  date_added_last timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default now()
);
create index collection_api_root on collection (api_root, id);

-- One row a version of an object in a collection. `object` is the JSON text that came, byte for byte.
-- `version` is the instant of modified (else created, else date_added) in a form that sorts bytewise and keeps every
-- digit; `version_text` is how the partner wrote it. is_first and is_last are kept at write time.
-- Only the indexes of dates begin with the collection: an index of ids or types that did so too would be as good as any
-- other to a planner that knows nothing of a new collection yet.
-- There are no foreign keys here on purpose: the writer holds the collection's row, partners are never deleted, and
-- two triggers a row would cost more than the insert.
create table object_version (
  collection_id uuid not null,
  date_added timestamptz not null,
  added_by bigint not null,
  is_first boolean not null,
  is_last boolean not null,
  object_id text collate "C" not null,
  version text collate "C" not null,
  version_text text collate "C" not null,
  type text collate "C" not null,
  spec_version text collate "C" not null,
  object text not null,
  primary key (collection_id, date_added)
);
create unique index object_version_key on object_version (object_id, collection_id, version);
create index object_version_last on object_version (collection_id, date_added) where is_last;
create index object_version_type on object_version (type, collection_id, date_added);

-- The answer to a POST, kept for its sender (TAXII 2.1 §4.3).
create table status (
  id uuid primary key,
  api_root text collate "C" not null,
  partner_id bigint not null,
  created_at timestamptz not null default now(),
  resource text not null
);
create index status_created_at on status (created_at);
