-- Whether consumers are kept from learning who sends to a collection. It is decided when the collection is added: what
-- came before could not be taken back.
alter table collection add column anonymous boolean not null default false;

-- Which STIX identities stand for a partner, in lower case: what must not show in an anonymous collection.
create table partner_identity (
  identity_id text collate "C" primary key,
  partner_id bigint not null references partner (id),
  created_at timestamptz not null default now()
);
create index partner_identity_partner on partner_identity (partner_id);
