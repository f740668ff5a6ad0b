-- What a partner may do in a collection, whatever its tokens claim; tlp_ceiling is the highest level that it may read
-- (0 clear, 1 green, 2 amber, 3 amber+strict, 4 red).
create table access_grant (
  partner_id bigint not null references partner (id),
  collection_id uuid not null references collection (id),
  can_read boolean not null,
  can_write boolean not null,
  tlp_ceiling smallint not null default 2 check (tlp_ceiling between 0 and 4),
  created_at timestamptz not null default now(),
  primary key (partner_id, collection_id),
  check (can_read or can_write)
);
create index access_grant_collection on access_grant (collection_id);

-- Until now the scope of a token was all that counted: what living tokens say becomes what their partners may do.
insert into access_grant (partner_id, collection_id, can_read, can_write)
select token.partner_id, collection.id,
  bool_or(split_part(word, ':', 3) = 'read'), bool_or(split_part(word, ':', 3) = 'write')
from token
  cross join lateral regexp_split_to_table(token.scope, ' +') as word
  join collection on split_part(word, ':', 2) in ('*', collection.alias, collection.id::text)
where token.revoked_at is null and token.expires_at > now() and split_part(word, ':', 3) in ('read', 'write')
group by token.partner_id, collection.id;
