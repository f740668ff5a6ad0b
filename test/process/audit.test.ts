import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditRow, hashAuditRow, readAudit } from '../../src/db/audit.ts';
import type { CollectionRow } from '../../src/db/collections.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { createSite, type Site, toDatabaseUrl } from '../support/process.ts';
import { indicator, indicators } from '../support/stix.ts';

let hub: TestHub;
let site: Site;
/** somebody who may do everything in the database */
let intruder: pg.Client;
let collection: CollectionRow;
let token: string;
const objectsOf = (alias: string) => `/hub/collections/${alias}/objects/`;

beforeAll(async () => {
  hub = await startTestHub();
  site = await createSite({ DATABASE_URL: toDatabaseUrl(hub.database.connection) });
  intruder = new pg.Client(hub.database.connection);
  await intruder.connect();
  collection = await hub.addCollection({ alias: 'alpha' });
  token = await hub.tokenFor(await hub.addPartner('bank'), 'collection:*:read collection:*:write');
  for (let n = 0; n < 6; n += 1) await hub.post(token, objectsOf('alpha'), { objects: [indicator()] });
});
afterAll(async () => {
  await intruder.end();
  await site.remove();
  await hub.close();
});

const verify = (...args: string[]) => site.run('audit', 'verify', ...args);
const json = async (...args: string[]) => JSON.parse(await site.ok(...args, '--json'));

async function auditRows(): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const batch of readAudit(hub.hub.db)) rows.push(...batch);
  return rows;
}

/** What verify says of a log with which somebody has tampered; afterwards it is as it was. */
async function verifyTampered(statements: string[], ...args: string[]) {
  await intruder.query('set session_replication_role = replica');
  await intruder.query('create temp table kept as table audit');
  await intruder.query('create temp table kept_chain as table audit_chain');
  try {
    for (const statement of statements) await intruder.query(statement);
    return await verify(...args);
  } finally {
    await intruder.query('delete from audit; insert into audit table kept; drop table kept');
    await intruder.query('delete from audit_chain; insert into audit_chain table kept_chain; drop table kept_chain');
    await intruder.query('set session_replication_role = origin');
  }
}

describe('audit verify', () => {
  it('finds a log whole, and prints where each chain ends', async () => {
    const { code, stdout, stderr } = await verify();
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'The audit log is whole: 7 rows in 2 chains.\n' });
    const ends = await intruder.query(
      `select chain || ':' || seq || ':' || encode(hash, 'hex') as line from audit_chain`,
    );
    expect(stdout.trim().split('\n').sort()).toEqual(ends.rows.map(row => row.line).sort());
    expect((await verify('--head', ...stdout.trim().split('\n'))).code).toBe(0);
  });

  it('the database itself refuses changes and removals', async () => {
    for (const change of ["update audit set actor = 'x'", 'delete from audit', 'truncate audit']) {
      await expect(intruder.query(change)).rejects.toThrow(/append-only/);
    }
  });

  const where = (seq: number) => `where seq = ${seq} and chain = '${collection.id}'`;
  it.each<[string, () => string[], RegExp]>([
    ['changed', () => [`update audit set actor = 'police' ${where(3)}`], /^chain alpha, row 3 of 2\S+Z: was changed/],
    [
      'dated otherwise',
      () => [`update audit set at = 'infinity' ${where(3)}`],
      /^chain alpha, row 3 of \S*: was changed/,
    ],
    [
      'of which two texts were joined otherwise',
      () => [`update audit set token = token || 'x', request_id = 'y' ${where(2)}`],
      /^chain alpha, row 2 of 2\S+Z: was changed/,
    ],
    ['the first', () => [`update audit set details = '{}' ${where(1)}`], /^chain alpha, row 1 of 2\S+Z: was changed$/m],
    ['removed', () => [`delete from audit ${where(4)}`], /^chain alpha, row 4: is missing$/m],
    [
      'removed at the end',
      () => [`delete from audit where seq > 4 and chain = '${collection.id}'`],
      /^chain alpha, row 5: is missing: the chain ends at 4, 6 were written$/m,
    ],
    [
      'all of a chain',
      () => [`delete from audit where chain = '${collection.id}'`],
      /^chain alpha, row 1: is missing: the chain ends at 0, 6 were written$/m,
    ],
    [
      'in the place of another',
      () => [
        `update audit set seq = 99 ${where(2)}`,
        `update audit set seq = 2 ${where(3)}`,
        `update audit set seq = 3 ${where(99)}`,
      ],
      /^chain alpha, row 2 of 2\S+Z: was changed/,
    ],
    [
      'that the hub did not write',
      () => [
        `insert into audit select chain, 7, at, actor, token, request_id, action, subject, details, null, null, hash
         from audit ${where(6)}`,
      ],
      /^chain alpha, row 7 of 2\S+Z: was changed/,
    ],
  ])('names a row %s', async (_, tamper, sentence) => {
    const { code, stdout, stderr } = await verifyTampered(tamper());
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^hub:1:[0-9a-f]{64}\n$/);
  });

  it('a chain that was written anew from a row on, hashes and end included, does not fit a noted head', async () => {
    const heads = (await verify()).stdout.trim().split('\n');
    const statements: string[] = [];
    let previous = '';
    for (const row of (await auditRows()).filter(one => one.chain === collection.id)) {
      const forged = row.seq === '3' ? { ...row, details: '{"added":9}' } : row;
      previous = hashAuditRow(previous, forged);
      statements.push(
        `update audit set details = '${forged.details}', hash = decode('${previous}', 'hex') ${where(Number(row.seq))}`,
      );
    }
    statements.push(`update audit_chain set hash = decode('${previous}', 'hex') where chain = '${collection.id}'`);
    expect((await verifyTampered(statements)).code).toBe(0);
    const { code, stderr } = await verifyTampered(statements, '--head', ...heads);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^chain alpha, row 6 of 2\S+Z: is not the row whose hash was noted/);
    const cut = [
      `delete from audit where seq > 4 and chain = '${collection.id}'`,
      `update audit_chain set seq = 4, hash = (select hash from audit ${where(4)}) where chain = '${collection.id}'`,
    ];
    expect((await verifyTampered(cut)).code).toBe(0);
    expect((await verifyTampered(cut, '--head', ...heads)).stderr).toMatch(
      /^chain alpha, row 5: is missing.* 6 was noted/,
    );
  });

  it('is clean after writers in several collections and issues of tokens at the same time', async () => {
    await Promise.all(['beta', 'gamma'].map(alias => hub.addCollection({ alias })));
    const partner = await hub.addPartner();
    const everywhere = await hub.tokenFor(partner, 'collection:*:write');
    const writes = Array.from({ length: 24 }, (_, n) =>
      hub.post(everywhere, objectsOf(['alpha', 'beta', 'gamma'][n % 3] as string), {
        objects: indicators(1 + (n % 5)),
      }),
    );
    const issues = Array.from({ length: 8 }, () => hub.tokenFor(partner, 'collection:beta:read'));
    const whileWriting = await verify();
    expect(whileWriting).toMatchObject({ code: 0 });
    for (const answer of await Promise.all(writes)) expect(answer.statusCode).toBe(202);
    await Promise.all(issues);
    expect(await verify()).toMatchObject({ code: 0, stderr: 'The audit log is whole: 40 rows in 4 chains.\n' });
  });

  it('takes no head that it could not have printed', async () => {
    const { code, stderr } = await verify('--head', 'hub:x:y');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('--head takes <chain>:<seq>:<hash>') });
  });
});

describe('what is written', () => {
  it('every operation of the command line that changes something is in the log of the hub', async () => {
    const before = Number((await json('audit', 'list', '--chain', 'hub', '--limit', '1'))[0].seq);
    await site.ok('root', 'add', 'aviation', '--title', 'Aviation');
    await site.ok('collection', 'add', 'airports', '--title', 'Airports', '--root', 'aviation');
    await site.ok('partner', 'add', 'police', '--name', 'Police', '--sector', 'law-enforcement');
    await site.ok('grant', 'police', 'airports', 'read', 'write');
    const { jti } = await json('token', 'issue', 'police', '--scope', 'collection:airports:read', '--ttl', '1d');
    await site.ok('token', 'revoke', jti);
    await site.ok('partner', 'disable', 'police');
    await site.ok('partner', 'enable', 'police');
    await site.ok('revoke-grant', 'police', 'airports');
    const rows = (await json('audit', 'list', '--chain', 'hub')).filter((row: AuditRow) => Number(row.seq) > before);
    expect(rows.reverse().map((row: AuditRow) => `${row.actor} ${row.action} ${row.subject}`)).toEqual([
      'operator api-root-added aviation',
      'operator collection-added airports',
      'operator partner-added police',
      'operator grant-changed police',
      'operator token-issued police',
      'operator token-revoked police',
      'operator partner-disabled police',
      'operator partner-enabled police',
      'operator grant-changed police',
    ]);
  });

  it('adding, refusing and deleting objects names the partner, the token and the request', async () => {
    await hub.addCollection({ alias: 'delta' });
    const delta = objectsOf('delta');
    const [bank, other] = await Promise.all([
      hub.tokenFor(await hub.addPartner('owner'), 'collection:delta:read collection:delta:write'),
      hub.tokenFor(await hub.addPartner('thief'), 'collection:delta:read collection:delta:write'),
    ]);
    const object = indicator();
    await hub.post(bank, delta, { objects: [object] });
    await hub.post(bank, delta, { objects: [object] });
    await hub.post(other, delta, { objects: [{ ...object, modified: '2026-06-01T00:00:00.000Z' }] });
    await hub.request(bank, { method: 'DELETE', url: `${delta}${object.id}/` });
    const rows: AuditRow[] = await json('audit', 'list', '--chain', 'delta');
    expect(rows.map(row => [row.actor, row.action, JSON.parse(row.details)])).toEqual([
      ['owner', 'objects-deleted', { id: object.id, versions: 1 }],
      ['thief', 'objects-refused', { added: 0, present: 0, refused: 1 }],
      ['owner', 'objects-added', { added: 1, present: 0, refused: 0 }],
    ]);
    const { jti } = JSON.parse(Buffer.from(bank.split('.')[1] as string, 'base64url').toString());
    expect(rows[2]).toMatchObject({ token: jti, request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(hub.log.join('')).toContain(rows[2]?.request_id);
  });
});

describe('audit list and export', () => {
  it('lists the newest first, as many as asked for, for people too', async () => {
    const rows: AuditRow[] = await json('audit', 'list', '--limit', '3');
    expect(rows).toHaveLength(3);
    expect(rows.map(row => row.at)).toEqual(
      rows
        .map(row => row.at)
        .sort()
        .reverse(),
    );
    expect(await json('audit', 'list', '--since', rows[1]?.at as string)).toHaveLength(2);
    expect(await json('audit', 'list', '--since', '2999-01-01')).toEqual([]);
    expect(await site.ok('audit', 'list', '--chain', 'alpha')).toMatch(
      /^at +chain +seq +actor.*\n2\S+Z +alpha +\d+ +\S+ +objects-added/,
    );
  });

  it('exports every row, by chain and oldest first, with which hashes can be recomputed', async () => {
    const file = join(site.dataDir, 'audit.jsonl');
    await site.ok('audit', 'export', file);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const rows: AuditRow[] = lines.map(line => JSON.parse(line));
    expect(rows).toEqual(await auditRows());
    expect((await site.ok('audit', 'export')).split('\n')).toEqual(lines);
    const hashes = new Map<string, string>();
    for (const row of rows) {
      expect(hashAuditRow(hashes.get(row.chain) ?? '', row)).toBe(row.hash);
      hashes.set(row.chain, row.hash);
    }
  });

  it.each([
    [['list', '--since', 'yesterday'], /--since takes a date/],
    [['list', '--limit', '0'], /--limit takes a whole number/],
    [['list', '--chain', 'none'], /no collection "none"/],
    [['export', '/nowhere/at/all'], /ENOENT/],
  ])('%j is one sentence and exit code 1', async (args, sentence) => {
    const { code, stderr } = await site.run('audit', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});
