import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSite, type RunningHub, type Site } from '../support/process.ts';
import { indicator, indicators, revise } from '../support/stix.ts';

let site: Site;
let hub: RunningHub;
beforeAll(async () => {
  site = await createSite();
  hub = await site.serve();
});
afterAll(() => site.remove());

const json = async (...args: string[]) => JSON.parse(await site.ok(...args, '--json'));
const file = (name: string) => join(site.dataDir, name);

describe('partners', () => {
  it('are added, listed, disabled and enabled, for people and for machines', async () => {
    expect(await site.ok('partner', 'add', 'bank', '--name', 'A Bank', '--sector', 'finance')).toBe('Added bank.');
    expect(await json('partner', 'add', 'police', '--name', 'Police', '--sector', 'law-enforcement')).toMatchObject({
      slug: 'police',
    });
    expect(await site.ok('partner', 'list')).toMatch(/^slug +name +sector.*\nbank +A Bank +finance/);
    expect(await json('partner', 'disable', 'police')).toMatchObject({ disabled_at: expect.any(String) });
    expect((await json('partner', 'list'))[1]).toMatchObject({
      slug: 'police',
      disabled_at: expect.stringMatching(/Z$/),
    });
    expect(await site.ok('partner', 'enable', 'police')).toBe('police is enabled.');
  });

  it('may come from the addresses that the operator says', async () => {
    expect(await site.ok('partner', 'addresses', 'police')).toBe('police may come from anywhere.');
    expect(await site.ok('partner', 'addresses', 'police', '192.0.2.0/24', '2001:DB8::/32', '192.0.2.0/24')).toBe(
      'police may come from 192.0.2.0/24, 2001:db8::/32.',
    );
    const addresses = ['192.0.2.0/24', '2001:db8::/32'];
    expect(await json('partner', 'addresses', 'police')).toEqual({ slug: 'police', addresses });
    const refused = await site.run('partner', 'addresses', 'police', '192.0.2.0/33');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('not "192.0.2.0/33"') });
    expect((await site.run('partner', 'addresses', 'police', '10.0.0.1', '--any')).code).toBe(1);
    expect((await site.run('partner', 'addresses', 'nobody')).code).toBe(1);
    expect(await site.ok('partner', 'addresses', 'police', '--any')).toBe('police may come from anywhere.');
  });

  it('have names of one line', async () => {
    const refused = await site.run('partner', 'add', 'liar', '--name', 'A\nbank  Bank', '--sector', 'finance');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('must be one line') });
  });
});

describe('API roots and collections', () => {
  it('are added and listed', async () => {
    expect(await json('root', 'list')).toEqual([expect.objectContaining({ slug: 'hub' })]);
    await site.ok('root', 'add', 'aviation', '--title', 'Aviation');
    const id = await site.ok('collection', 'add', 'alpha', '--title', 'Alpha');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const given = '0f3b6c3e-9f0e-4d55-8d1b-0d4f3a5c9e21';
    const options = ['--title', 'Airports', '--description', 'Of airports', '--id', given, '--root', 'aviation'];
    expect(await json('collection', 'add', 'airports', ...options)).toMatchObject({
      id: given,
      alias: 'airports',
      api_root: 'aviation',
    });
    expect((await json('collection', 'list')).map((one: { alias: string }) => one.alias).sort()).toEqual([
      'airports',
      'alpha',
    ]);
  });
});

describe('quotas', () => {
  it('stand in the grant to write, are shown with what is stored, and go back to the default', async () => {
    await site.ok('partner', 'add', 'insurer', '--name', 'Insurer', '--sector', 'finance');
    await site.ok('collection', 'add', 'claims', '--title', 'Claims');
    const quota = async (text: string) => site.ok('grant', 'insurer', 'claims', 'write', '--quota', text);
    expect(await quota('10GB')).toBe('insurer may write up to 10GB in claims.');
    expect(await json('grants', 'insurer')).toEqual([
      expect.objectContaining({ collection: 'claims', quota_bytes: 10 * 2 ** 30, stored_bytes: 0 }),
    ]);
    expect(await site.ok('grant', 'insurer', 'claims', 'read')).toBe(
      'insurer may write up to 10GB and read up to TLP:AMBER in claims.',
    );
    expect(await quota('0')).toBe('insurer may write and read up to TLP:AMBER in claims.');
    expect(await quota('default')).toBe('insurer may write and read up to TLP:AMBER in claims.');
    for (const text of ['ten', '10 potatoes', '-1', '1e9', '1000TB', '']) {
      const { code, stderr } = await site.run('grant', 'insurer', 'claims', 'write', '--quota', text);
      expect({ text, code, stderr }).toEqual({
        text,
        code: 1,
        stderr: expect.stringMatching(/^taxiway: --quota takes/),
      });
    }
    expect((await site.run('grant', 'insurer', 'claims', 'read', '--quota', '1GB')).stderr).toMatch(/right to write/);
  });
});

describe('grants', () => {
  it('are given, listed, raised with a word about what is behind, replayed, and taken', async () => {
    await site.ok('partner', 'add', 'reader', '--name', 'Reader', '--sector', 'academia');
    await site.ok('collection', 'add', 'raised', '--title', 'Raised', '--tlp-default', 'green', '--tlp-max', 'amber');
    expect(await site.ok('grant', 'reader', 'raised', 'read', '--tlp', 'clear')).toBe(
      'reader may read up to TLP:CLEAR in raised.',
    );
    await site.ok('import', 'raised', 'examples/campaign.json', '--as', 'bank');
    const nothing = await site.run('replay', 'reader', 'raised');
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toMatch(/--since makes all come again/);
    expect(await site.ok('grant', 'reader', 'raised', 'read', '--tlp', 'amber')).toMatch(
      /^reader may read up to TLP:AMBER in raised\.\n.*`npx taxiway replay reader raised`/,
    );
    expect((await json('replay', 'reader', 'raised')).versions).toBeGreaterThan(0);
    expect((await site.run('replay', 'reader', 'raised')).code).toBe(1);
    expect((await json('replay', 'reader', 'raised', '--since', '2026-01-01T00:00:00Z')).versions).toBeGreaterThan(0);
    expect(await json('grants', 'reader')).toMatchObject([{ collection: 'raised', can_read: true, tlp: 'amber' }]);
    expect(await site.ok('revoke-grant', 'reader', 'raised')).toBe('reader may do nothing any more in raised.');
    expect(await json('grants', 'reader')).toEqual([]);
  });

  it.each([
    [['grant', 'bank', 'alpha', 'admin'], /A right is read or write, not "admin"/],
    [['grant', 'bank', 'alpha', 'write', '--tlp', 'red'], /--tlp belongs to the right to read/],
    [['grant', 'bank', 'alpha', 'read', '--tlp', 'purple'], /Allowed choices are clear, green, amber/],
    [['grant', 'bank', 'nowhere', 'read'], /no collection "nowhere"/],
    [['revoke-grant', 'nobody', 'alpha'], /no partner "nobody"/],
    [['replay', 'bank', 'alpha', '--since', 'yesterday'], /--since takes a timestamp such as/],
    [['collection', 'add', 'x', '--title', 'X', '--tlp-default', 'red', '--tlp-max', 'green'], /must not be above/],
  ])('%j says what is wrong', async (args, message) => {
    const { code, stderr } = await site.run(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe('tokens', () => {
  it('are printed alone, work at once, are listed, and stop when revoked', async () => {
    const refused = await site.run('token', 'issue', 'bank', '--scope', 'collection:alpha:read', '--ttl', '90d');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/`npx taxiway grant bank alpha read` grants it/);
    expect(await site.ok('grant', 'bank', 'alpha', 'read')).toBe('bank may read up to TLP:AMBER in alpha.');
    const token = await site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read', '--ttl', '90d');
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const ask = async () =>
      (await fetch(`${hub.url}/hub/collections/alpha/objects/`, { headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect(await ask()).toBe(200);
    const [listed] = await json('token', 'list');
    expect(listed).toMatchObject({ partner: 'bank', scope: 'collection:alpha:read', revoked_at: null });
    await site.ok('token', 'revoke', listed.jti);
    await expect.poll(ask, { timeout: 2000 }).toBe(401);
    expect(await json('token', 'issue', 'bank', '--scope', 'collection:*:read', '--ttl', '1h')).toMatchObject({
      token: expect.any(String),
      jti: expect.any(String),
      expires_at: expect.stringMatching(/Z$/),
    });
  });
});

describe('import and export', () => {
  it('carry objects in and out as they came, with a summary', async () => {
    const objects = [...indicators(2500), revise(indicator(), '2026-05-01T00:00:00.000Z')];
    await writeFile(file('bundle.json'), JSON.stringify({ type: 'bundle', id: 'bundle--1', objects }, null, 2));
    expect(await site.ok('import', 'alpha', file('bundle.json'), '--as', 'bank')).toBe(
      '2501 taken, 0 already there, 0 refused.',
    );
    expect(await json('import', 'alpha', file('bundle.json'), '--as', 'bank')).toEqual({
      added: 0,
      present: 2501,
      refused: 0,
      failures: [],
    });
    await site.ok('export', 'alpha', file('export.json'));
    expect(JSON.parse(await readFile(file('export.json'), 'utf8'))).toMatchObject({ type: 'bundle', objects });
    await site.ok('collection', 'add', 'copy', '--title', 'Copy');
    await site.ok('import', 'copy', file('export.json'), '--as', 'police');
    const printed = await site.ok('export', 'copy');
    expect(JSON.parse(printed).objects).toEqual(objects);
  });

  it('names what was refused and why; the rest is taken', async () => {
    const bad = indicator({ pattern_type: undefined });
    await writeFile(file('mixed.json'), JSON.stringify({ objects: [bad, indicator()] }));
    const { code, stdout, stderr } = await site.run('import', 'alpha', file('mixed.json'), '--as', 'bank');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1 taken, 0 already there, 1 refused.\n' });
    expect(stderr).toContain(`refused: ${bad.id} (${bad.modified}): `);
    await writeFile(file('bad.json'), JSON.stringify({ objects: [bad] }));
    expect((await site.run('import', 'alpha', file('bad.json'), '--as', 'bank')).code).toBe(1);
  });

  it('an empty collection is an empty bundle', async () => {
    await site.ok('collection', 'add', 'nothing', '--title', 'Nothing');
    expect(JSON.parse(await site.ok('export', 'nothing'))).toEqual({
      type: 'bundle',
      id: expect.stringMatching(/^bundle--/),
    });
  });
});

describe('a mistake', () => {
  it.each([
    [['partner', 'add', 'bank', '--name', 'x', '--sector', 'x'], /There is a partner "bank" already/],
    [['partner', 'add', 'A Bank', '--name', 'x', '--sector', 'x'], /takes a-z, 0-9 and single hyphens/],
    [['partner', 'disable', 'nobody'], /no partner "nobody"/],
    [['root', 'add', 'docs', '--title', 'x'], /needs itself/],
    [['collection', 'add', 'alpha', '--title', 'x'], /alias "alpha" or that id already/],
    [['collection', 'add', 'beta', '--title', 'x', '--id', '1'], /UUID of version 4/],
    [['collection', 'add', 'beta', '--title', 'x', '--root', 'none'], /no API root "none"/],
    [['token', 'issue', 'nobody', '--scope', 'collection:*:read', '--ttl', '1d'], /no partner "nobody"/],
    [['token', 'issue', 'bank', '--scope', 'everything', '--ttl', '1d'], /--scope takes words/],
    [['token', 'issue', 'bank', '--scope', 'collection:none:read', '--ttl', '1d'], /no collection "none"/],
    [['token', 'issue', 'bank', '--scope', 'collection:*:read', '--ttl', 'long'], /--ttl takes a time/],
    [['token', 'revoke', 'x'], /no token "x"/],
    [['collection', 'add', '5eade70e-5a0d-41da-9e05-1b66ee92baf8', '--title', 'x'], /no UUID/],
    [['collection', 'add', 'beta', '--title', ' '], /--title must not be empty/],
    [['import', 'none', 'x', '--as', 'bank'], /no collection "none"/],
    [['import', 'alpha', 'missing.json', '--as', 'bank'], /"missing.json" cannot be read: ENOENT/],
    [['import', 'alpha', 'package.json', '--as', 'bank'], /no list called objects/],
    [['import', 'alpha', 'README.md', '--as', 'bank'], /not valid JSON/],
    [['export', 'none'], /no collection "none"/],
    [
      ['replay', 'police', 'alpha', '--since', '2026-01-01T00:00:00Z'],
      /may not read "alpha": `npx taxiway grant police/,
    ],
    [['export', 'alpha', '/nowhere/at/all.json'], /ENOENT/],
    [['collection', 'add', 'beta'], /required option '--title/],
    [['nonsense'], /unknown command/],
  ])('%j is one sentence and exit code 1', async (args, sentence) => {
    const { code, stdout, stderr } = await site.run(...args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('help is everywhere', async () => {
    for (const args of [
      [],
      ['partner'],
      ['partner', 'add'],
      ['root', 'add'],
      ['collection', 'add'],
      ['token', 'issue'],
      ['import'],
      ['export'],
      ['validate'],
      ['serve'],
      ['migrate'],
      ['audit'],
      ['audit', 'verify'],
      ['provenance'],
      ['delivered'],
      ['partner', 'identity'],
    ]) {
      const { code, stdout } = await site.run(...args, '--help');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: taxiway/);
    }
  });
});

it('migrate says that the database is up to date', async () => {
  expect(await site.ok('migrate')).toBe('The database is up to date.');
  expect(await json('migrate')).toEqual({ applied: [] });
});
