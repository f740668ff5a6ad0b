-- One key signs; those that it superseded verify until their last token has expired, and keep no private part. A revoked
-- one verifies nothing from then on.
alter table signing_key rename column private_jwk to jwk;
alter table signing_key
  add column superseded_at timestamptz,
  add column revoked_at timestamptz;
update signing_key set superseded_at = now(), jwk = jwk - 'd'
where kid <> (select kid from signing_key order by created_at desc limit 1);
create unique index signing_key_signs on signing_key ((true)) where superseded_at is null;

-- The key that signed each token, and the client that asked for it, where one did. Until now the hub made one key alone.
alter table token
  add column kid text collate "C" references signing_key (kid),
  add column client_id uuid;
update token set kid = (select kid from signing_key order by created_at limit 1);
alter table token alter column kid set not null;
create index token_kid on token (kid, expires_at);
create index token_client on token (client_id, expires_at) where client_id is not null;

-- An identity provider that speaks for one partner, and how its tokens are read.
create table partner_issuer (
  issuer text collate "C" primary key,
  partner_id bigint not null references partner (id),
  jwks_uri text,
  jwks text,
  audience text not null,
  scope_claim text not null,
  -- where it is set, the claim is not looked at
  scope text,
  algorithms text[] not null,
  created_at timestamptz not null default now(),
  check (num_nonnulls(jwks_uri, jwks) = 1)
);

-- What a partner's programs call themselves to get short-lived tokens (RFC 6749 §4.4). The secret is hashed.
create table oauth_client (
  id uuid primary key,
  partner_id bigint not null references partner (id),
  scope text,
  secret text,
  jwks_uri text,
  jwks text,
  created_at timestamptz not null default now(),
  check (num_nonnulls(secret, jwks_uri, jwks) = 1)
);

-- The assertions that clients have used (RFC 7523 §3), as a digest of client and jti, until they have expired.
create table client_assertion (
  digest bytea primary key,
  expires_at timestamptz not null
);
create index client_assertion_expires_at on client_assertion (expires_at);
