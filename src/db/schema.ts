import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { Policy } from '../stix/catalogue.ts';
import type { TlpLevel } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';

/** The tables as kysely sees them; migrations/ is what makes them. */
export interface Database {
  hub: {
    only_row: Generated<boolean>;
    id: string;
    cursor_key: Buffer;
    created_at: Generated<TaxiiTimestamp>;
    trust_revision: Generated<string>;
  };
  signing_key: {
    kid: string;
    jwk: ColumnType<Record<string, string>, string>;
    created_at: Generated<TaxiiTimestamp>;
    superseded_at: TaxiiTimestamp | null;
    revoked_at: TaxiiTimestamp | null;
  };
  partner: {
    id: GeneratedAlways<string>;
    slug: string;
    name: string;
    sector: string;
    disabled_at: TaxiiTimestamp | null;
    addresses: string[] | null;
    created_at: Generated<TaxiiTimestamp>;
  };
  partner_identity: {
    identity_id: string;
    partner_id: string;
    created_at: Generated<TaxiiTimestamp>;
  };
  token: {
    jti: string;
    partner_id: string;
    scope: string;
    issued_at: TaxiiTimestamp;
    expires_at: TaxiiTimestamp;
    revoked_at: TaxiiTimestamp | null;
    kid: string;
    client_id: string | null;
  };
  partner_issuer: {
    issuer: string;
    partner_id: string;
    jwks_uri: string | null;
    jwks: string | null;
    audience: string;
    scope_claim: string;
    scope: string | null;
    algorithms: string[];
    created_at: Generated<TaxiiTimestamp>;
  };
  oauth_client: {
    id: string;
    partner_id: string;
    scope: string | null;
    secret: string | null;
    jwks_uri: string | null;
    jwks: string | null;
    created_at: Generated<TaxiiTimestamp>;
  };
  client_assertion: {
    digest: Buffer;
    expires_at: TaxiiTimestamp;
  };
  access_grant: {
    partner_id: string;
    collection_id: string;
    can_read: boolean;
    can_write: boolean;
    tlp_ceiling: Generated<TlpLevel>;
    sees_partners: Generated<boolean>;
    quota_bytes: ColumnType<string | null, number | null | undefined, number | null>;
    replay_above: TlpLevel | null;
    replay_until: TaxiiTimestamp | null;
    replayed_last: TaxiiTimestamp | null;
    created_at: Generated<TaxiiTimestamp>;
  };
  audit: {
    chain: string;
    seq: string;
    at: TaxiiTimestamp;
    actor: string;
    token: string;
    request_id: string;
    action: string;
    subject: string;
    details: string;
    date_added_first: TaxiiTimestamp | null;
    date_added_last: TaxiiTimestamp | null;
    hash: Buffer;
  };
  audit_chain: {
    chain: string;
    seq: string;
    hash: Buffer;
  };
  api_root: {
    slug: string;
    title: string;
    description: string | null;
    created_at: Generated<TaxiiTimestamp>;
  };
  collection: {
    id: string;
    alias: string;
    api_root: string;
    title: string;
    description: string | null;
    validation: Generated<Policy>;
    tlp_default: Generated<TlpLevel>;
    tlp_max: Generated<TlpLevel>;
    tlp_held: Generated<number>;
    anonymous: Generated<boolean>;
    date_added_last: Generated<TaxiiTimestamp>;
    created_at: Generated<TaxiiTimestamp>;
    revision: Generated<string>;
    past_revision: Generated<string>;
    grants_revision: Generated<string>;
    changed_by: Generated<string>;
  };
  object_version: {
    collection_id: string;
    date_added: TaxiiTimestamp;
    added_by: string;
    tlp: TlpLevel;
    first_below: number;
    last_below: number;
    object_id: string;
    version: string;
    version_text: string;
    type: string;
    spec_version: string;
    object: string;
  };
  concurrent_migration: {
    name: string;
    applied_at: Generated<TaxiiTimestamp>;
  };
  replay: {
    partner_id: string;
    collection_id: string;
    date_added: TaxiiTimestamp;
    object_id: string;
    version: string;
  };
  deleted_version: {
    collection_id: string;
    date_added: TaxiiTimestamp;
    added_by: string;
    object_id: string;
    version: string;
    version_text: string;
    deleted_at: Generated<TaxiiTimestamp>;
  };
  receipt: {
    id: GeneratedAlways<string>;
    collection_id: string;
    partner_id: string;
    handed_out_at: TaxiiTimestamp;
    date_added_first: TaxiiTimestamp;
    date_added_last: TaxiiTimestamp;
    runs: Buffer;
  };
  storage: {
    collection_id: string;
    partner_id: string;
    bytes: ColumnType<string, number, number>;
  };
  request_count: {
    partner_id: string;
    minute: string;
    requests: string;
  };
  status: {
    id: string;
    api_root: string;
    partner_id: string;
    created_at: Generated<TaxiiTimestamp>;
    resource: string;
  };
}
