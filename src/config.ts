import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseNetwork } from './auth/addresses.ts';
import { OperatorError } from './errors.ts';

type Env = Record<string, string | undefined>;

/** Everything the operator can set. Built by `toConfig` once and passed in; nothing else reads process.env. */
export interface Config {
  host: string;
  port: number;
  /** Where partners reach the hub, without a trailing slash; '' gives relative API root URLs (TAXII 2.1 §4.1.1). */
  publicUrl: string;
  trustProxy: boolean;
  /** processes that serve; each holds connections and bounds of its own */
  workers: number;
  /** PEM files with which the hub serves TLS itself */
  tls: { cert: string; key: string; clientCa: string | undefined } | undefined;
  /** the header in which a proxy passes the client certificate, and the networks of the proxy itself */
  clientCertificateHeader: { name: string; from: string[] } | undefined;
  /** undefined: the embedded PostgreSQL under dataDir */
  databaseUrl: string | undefined;
  /** PostgreSQL itself, where databaseUrl leads to PgBouncer in transaction mode */
  databaseDirectUrl: string | undefined;
  databasePoolMax: number;
  /** hot standbys of databaseUrl, which pages are read from */
  databaseReplicaUrls: string[];
  /** how far behind the primary such a standby may be */
  replicaLagMsMax: number;
  /** absolute */
  dataDir: string;
  demo: boolean;
  logLevel: string;
  /** max_content_length of every API root, in bytes (TAXII 2.1 §4.2.1) */
  bodyBytesMax: number;
  /** the bodies of all requests under way, in bytes; beyond it 503 */
  bodyBytesInFlightMax: number;
  envelopeObjectsMax: number;
  pageObjectsDefault: number;
  pageObjectsMax: number;
  pageBytesMax: number;
  /** of the pages of objects that a node keeps; 0: it keeps none */
  pageCacheBytes: number;
  /** of pages on their way to clients of a node; beyond it they wait, and then 503 */
  answerBytesInFlightMax: number;
  clockSkewMs: number;
  /** how long the tokens are good that clients get at /oauth2/token */
  accessTokenTtlMs: number;
  /** how stale what a node knows of collections, grants and revoked tokens may be; 0: it asks the database each time */
  stalenessMsMax: number;
  /** how long a client may wait for new objects (RFC 7240 §4.3); 0: not at all */
  waitSecondsMax: number;
  /** clients that wait or have a stream open, on this node; one partner takes a quarter of them at most */
  waitingMax: number;
  statusRetentionHours: number;
  /** of a partner, on all nodes together; 0: as many as it likes */
  requestsPerMinute: number;
  /** of an address; 0: as many as it likes */
  failedLoginsPerMinute: number;
  /** of a partner in a collection where its grant says nothing, in bytes; 0: none */
  quotaBytes: number;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** The environment, with what `.env` in the working directory adds to it. The only reader of process.env. */
export function readEnv(): Env {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

/**
 * Checks the environment and writes the defaults out.
 * @throws OperatorError naming the variable, its value's form and the value found
 */
export function toConfig(env: Env): Config {
  const pageObjectsMax = readInteger(env, 'TAXIWAY_PAGE_OBJECTS_MAX', 10_000, { min: 1, max: 100_000 });
  const pageBytesMax = readInteger(env, 'TAXIWAY_PAGE_BYTES_MAX', 32 * 1024 * 1024, { min: 1024, max: 2 ** 28 });
  const bodyBytesMax = readInteger(env, 'TAXIWAY_MAX_CONTENT_LENGTH', 32 * 1024 * 1024, { min: 1024, max: 2 ** 28 });
  const databaseUrl = readDatabaseUrl(env.DATABASE_URL);
  const databasePoolMax = readInteger(env, 'TAXIWAY_DATABASE_POOL_MAX', 10, { min: 2, max: 1000 });
  return {
    host: env.HOST || '127.0.0.1',
    port: readInteger(env, 'PORT', 8080, { min: 0, max: 65_535 }),
    publicUrl: readPublicUrl(env.PUBLIC_URL),
    trustProxy: readSwitch(env, 'TAXIWAY_TRUST_PROXY', false),
    workers: readWorkers(env, { isEmbedded: !databaseUrl, databasePoolMax }),
    tls: readTlsFiles(env),
    clientCertificateHeader: readClientCertificateHeader(env),
    databaseUrl,
    databaseDirectUrl: readDirectUrl(env.DATABASE_DIRECT_URL, databaseUrl),
    databasePoolMax,
    databaseReplicaUrls: readReplicaUrls(env.DATABASE_REPLICA_URLS, databaseUrl),
    replicaLagMsMax: readInteger(env, 'TAXIWAY_REPLICA_LAG_MS', 5000, { min: 100, max: 3_600_000 }),
    dataDir: resolve(env.TAXIWAY_DATA_DIR || '.taxiway'),
    demo: readSwitch(env, 'TAXIWAY_DEMO', true),
    logLevel: readChoice(env, 'LOG_LEVEL', 'info', logLevels),
    bodyBytesMax,
    bodyBytesInFlightMax: readInteger(env, 'TAXIWAY_BODY_BYTES_IN_FLIGHT_MAX', 8 * bodyBytesMax, {
      min: bodyBytesMax,
      max: 2 ** 36,
    }),
    envelopeObjectsMax: readInteger(env, 'TAXIWAY_ENVELOPE_OBJECTS_MAX', 250_000, { min: 1, max: 1_000_000 }),
    pageObjectsDefault: readInteger(env, 'TAXIWAY_PAGE_OBJECTS_DEFAULT', Math.min(1000, pageObjectsMax), {
      min: 1,
      max: pageObjectsMax,
    }),
    pageObjectsMax,
    pageBytesMax,
    pageCacheBytes: readInteger(env, 'TAXIWAY_PAGE_CACHE_BYTES', 64 * 1024 * 1024, { min: 0, max: 2 ** 36 }),
    answerBytesInFlightMax: readInteger(env, 'TAXIWAY_ANSWER_BYTES_IN_FLIGHT_MAX', 4 * pageBytesMax, {
      min: pageBytesMax,
      max: 2 ** 36,
    }),
    clockSkewMs: 1000 * readInteger(env, 'TAXIWAY_CLOCK_SKEW_SECONDS', 60, { min: 0, max: 86_400 }),
    accessTokenTtlMs: 1000 * readInteger(env, 'TAXIWAY_ACCESS_TOKEN_SECONDS', 600, { min: 60, max: 86_400 }),
    stalenessMsMax: readInteger(env, 'TAXIWAY_STALENESS_MS', 250, { min: 0, max: 250 }),
    waitSecondsMax: readInteger(env, 'TAXIWAY_WAIT_SECONDS_MAX', 50, { min: 0, max: 100 }),
    waitingMax: readInteger(env, 'TAXIWAY_WAITING_MAX', 5000, { min: 0, max: 100_000 }),
    statusRetentionHours: readInteger(env, 'TAXIWAY_STATUS_RETENTION_HOURS', 48, { min: 24, max: 24 * 365 }),
    requestsPerMinute: readInteger(env, 'TAXIWAY_REQUESTS_PER_MINUTE', 6000, { min: 0, max: 10_000_000 }),
    failedLoginsPerMinute: readInteger(env, 'TAXIWAY_FAILED_LOGINS_PER_MINUTE', 300, { min: 0, max: 10_000_000 }),
    quotaBytes: readInteger(env, 'TAXIWAY_QUOTA_BYTES', 10 * 2 ** 30, { min: 0, max: 2 ** 49 }),
  };
}

function readInteger(env: Env, name: string, fallback: number, range: { min: number; max: number }): number {
  const text = env[name];
  if (!text) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new OperatorError(`${name} must be a whole number from ${range.min} to ${range.max}, not "${text}".`);
}

// Of the 100 connections of the embedded database, some are PostgreSQL's own and some are for commands.
const embeddedConnectionsMax = 90;

function readWorkers(env: Env, database: { isEmbedded: boolean; databasePoolMax: number }): number {
  const workers = readInteger(env, 'TAXIWAY_WORKERS', 1, { min: 1, max: 128 });
  // Beside its pool, each has its lease and listens for the others.
  const connections = workers * (database.databasePoolMax + 2);
  if (!database.isEmbedded || workers === 1 || connections <= embeddedConnectionsMax) return workers;
  throw new OperatorError(
    `TAXIWAY_WORKERS ${workers} would take ${connections} connections of the embedded database, which has ${embeddedConnectionsMax} for them: lower TAXIWAY_DATABASE_POOL_MAX, or set DATABASE_URL.`,
  );
}

function readChoice(env: Env, name: string, fallback: string, choices: string[]): string {
  const text = env[name] || fallback;
  if (choices.includes(text)) return text;
  throw new OperatorError(`${name} must be one of ${choices.join(', ')}, not "${text}".`);
}

function readSwitch(env: Env, name: string, fallback: boolean): boolean {
  return readChoice(env, name, fallback ? 'on' : 'off', ['on', 'off']) === 'on';
}

function readPublicUrl(text: string | undefined): string {
  if (!text) return '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return url.href.replace(/\/+$/, '');
  throw new OperatorError(`PUBLIC_URL must be an http or https URL without a query, not "${text}".`);
}

function readTlsFiles(env: Env): Config['tls'] {
  const [cert, key, clientCa] = [env.TLS_CERT, env.TLS_KEY, env.TLS_CLIENT_CA];
  if (cert && key) return { cert, key, clientCa: clientCa || undefined };
  if (!cert && !key && !clientCa) return undefined;
  throw new OperatorError('TLS_CERT and TLS_KEY go together, and TLS_CLIENT_CA goes with both: set the ones missing.');
}

function readClientCertificateHeader(env: Env): Config['clientCertificateHeader'] {
  const name = env.TAXIWAY_CLIENT_CERT_HEADER?.toLowerCase();
  const from = env.TAXIWAY_CLIENT_CERT_FROM?.split(/[\s,]+/).filter(text => text !== '') ?? [];
  if (!name && from.length === 0) return undefined;
  if (!name || from.length === 0) {
    throw new OperatorError('TAXIWAY_CLIENT_CERT_HEADER and TAXIWAY_CLIENT_CERT_FROM go together: set the other one.');
  }
  if (!/^[a-z0-9-]{1,100}$/.test(name)) {
    throw new OperatorError(`TAXIWAY_CLIENT_CERT_HEADER must be the name of a header, not "${name}".`);
  }
  return { name, from: from.map(text => readNetwork('TAXIWAY_CLIENT_CERT_FROM', text)) };
}

function readReplicaUrls(text: string | undefined, databaseUrl: string | undefined): string[] {
  const urls = text?.split(/[\s,]+/).filter(url => url !== '') ?? [];
  if (urls.length > 0 && !databaseUrl) {
    throw new OperatorError('DATABASE_REPLICA_URLS are standbys of DATABASE_URL, which is not set.');
  }
  if (urls.every(url => isPostgresUrl(url) && URL.canParse(url))) return urls;
  throw new OperatorError(
    'DATABASE_REPLICA_URLS must be URLs such as postgres://user@standby/taxiway, with commas between.',
  );
}

function readNetwork(name: string, text: string): string {
  const network = parseNetwork(text);
  if (network) return network;
  throw new OperatorError(`${name} takes addresses and networks such as 10.0.0.7 or 2001:db8::/32, not "${text}".`);
}

function readDirectUrl(text: string | undefined, databaseUrl: string | undefined): string | undefined {
  if (!text) return undefined;
  if (databaseUrl && isPostgresUrl(text)) return text;
  throw new OperatorError(
    'DATABASE_DIRECT_URL must start with postgres:// or postgresql://, and goes with DATABASE_URL.',
  );
}

// The value may hold a password, so that the message does not repeat it.
function readDatabaseUrl(text: string | undefined): string | undefined {
  if (!text) return undefined;
  if (isPostgresUrl(text)) return text;
  throw new OperatorError('DATABASE_URL must start with postgres:// or postgresql://.');
}

const isPostgresUrl = (text: string) => /^postgres(ql)?:\/\//.test(text);
