-- How strictly the objects that are pushed to a collection are judged (docs/validation.md).
alter table collection
  add column validation text not null default 'tolerant' check (validation in ('strict', 'tolerant'));
