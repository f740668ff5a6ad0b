import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSite, type Site } from '../support/process.ts';
import { indicator, indicators } from '../support/stix.ts';

const program = fileURLToPath(new URL('../../bin/taxiway.js', import.meta.url));
const nowhere = 'postgres://nobody@127.0.0.1:1/none';

let site: Site;
let folder: string;
beforeAll(async () => {
  site = await createSite({ DATABASE_URL: nowhere });
  folder = await mkdtemp(join(tmpdir(), 'taxiway-validate-'));
});
afterAll(async () => {
  // It needs no database and leaves nothing behind.
  expect(await readdir(site.dataDir)).toEqual([]);
  await site.remove();
  await rm(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, name);

async function write(name: string, content: unknown): Promise<string> {
  const isWritten = typeof content === 'string' || Buffer.isBuffer(content);
  await writeFile(file(name), isWritten ? content : JSON.stringify(content));
  return file(name);
}

/** Runs the command in the folder of the files, with something on stdin. */
async function pipe(input: string | Buffer, ...args: string[]) {
  const child = spawn(process.execPath, [program, 'validate', ...args], { env: site.env, cwd: folder });
  const read = async (stream: NodeJS.ReadableStream) => {
    let text = '';
    for await (const chunk of stream) text += chunk;
    return text;
  };
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'close')]);
  return { code: code as number, stdout, stderr };
}

const linesOf = (stdout: string) =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));

/** What --json prints, in short: the codes of the errors of each line, and what the lines are of. */
async function judge(input: string | Buffer | object, ...args: string[]) {
  const isWritten = typeof input === 'string' || Buffer.isBuffer(input);
  const { code, stdout, stderr } = await pipe(isWritten ? input : JSON.stringify(input), '--json', ...args);
  const lines = linesOf(stdout);
  return {
    code,
    stderr,
    lines,
    indexes: lines.map(({ index }) => index),
    errors: lines.map(({ errors }) => errors.map((problem: { code: string }) => problem.code).join(' ')),
  };
}

const bundleId = 'bundle--0f3b6c3e-9f0e-4d55-8d1b-0d4f3a5c9e21';
const bundle = (objects: unknown[], more: object = {}) => ({ type: 'bundle', id: bundleId, objects, ...more });
const expired = () => indicator({ valid_until: '2020-01-01T00:00:00Z' });
/** Strict refuses it, tolerant takes it with a warning. */
const coarse = () => indicator({ modified: '2026-03-01T10:00:00Z', created: '2026-03-01T10:00:00Z' });
const nested = (levels: number) => indicator({ x_deep: JSON.parse('['.repeat(levels) + ']'.repeat(levels)) });

describe('lines of --json', () => {
  it('say which object, whether it is valid, and all that is wrong with it', async () => {
    const [good, bad] = [indicator(), expired()];
    const { code, stdout, stderr } = await pipe(JSON.stringify(bundle([good, bad])), '--json');
    const error =
      '{"code":"valid-until-order","path":"/valid_until","message":"must be later than /valid_from","section":"4.7.1"}';
    expect(stdout).toBe(
      `{"index":0,"id":"${good.id}","valid":true,"errors":[],"warnings":[]}\n` +
        `{"index":1,"id":"${bad.id}","valid":false,"errors":[${error}],"warnings":[]}\n`,
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  });

  it('name the section of rules that are not of STIX as it is', async () => {
    const { lines } = await judge(`{}\n7\n{"a"\n${JSON.stringify(nested(101))}\n`);
    expect(lines.map(({ errors }) => errors[0].section)).toEqual(['3.2', 'TAXII 2.1 §3.7', 'RFC 8259', 'Taxiway']);
    expect(lines.map(({ id }) => id)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  });

  it('stand alone on stdout, in order over all files', async () => {
    const objects = indicators(3);
    await write('one.json', bundle(objects.slice(0, 1)));
    await write(
      'two.jsonl',
      objects
        .slice(1)
        .map(object => JSON.stringify(object))
        .join('\n'),
    );
    const { lines, code } = await judge(expired(), 'one.json', 'missing.json', '-', 'two.jsonl');
    expect(lines.map(({ id }) => id)).toEqual([objects[0]?.id, expect.any(String), objects[1]?.id, objects[2]?.id]);
    expect(lines.map(({ index, valid }) => [index, valid])).toEqual([
      [0, true],
      [1, false],
      [2, true],
      [3, true],
    ]);
    expect(code).toBe(1);
  });
});

describe('a document', () => {
  const objects = [indicator(), expired(), coarse()];
  const forms: [string, unknown][] = [
    ['a bundle', bundle(objects)],
    ['a bundle whose objects come first', { objects, id: bundleId, type: 'bundle' }],
    ['an envelope', { more: false, objects }],
    ['a list', objects],
  ];

  it.each(forms)('%s stands for its objects, from a file and from stdin, pretty or not', async (_, value) => {
    const piped = await judge(JSON.stringify(value));
    expect(piped).toMatchObject({ code: 1, stderr: '', indexes: [0, 1, 2], errors: ['', 'valid-until-order', ''] });
    expect(piped.lines.map(({ id }) => id)).toEqual(objects.map(({ id }) => id));
    await write('plain.json', value);
    await write('pretty.json', JSON.stringify(value, null, 2));
    await write('windows.json', `\ufeff${JSON.stringify(value, null, 2).replaceAll('\n', '\r\n')}\r\n`);
    const { lines } = await judge('', 'plain.json', 'pretty.json', 'windows.json');
    expect(lines).toEqual(
      [0, 1, 2].flatMap(round => piped.lines.map((line, index) => ({ ...line, index: 3 * round + index }))),
    );
  });

  it.each([
    ['an indicator', indicator(), ''],
    ['an observed-data, whose objects is no list', observedData(), ''],
    ['an object of another version', { ...indicator(), spec_version: '2.0' }, 'spec-version-unsupported'],
    ['no object', 'text', 'object-expected'],
    ['an object that is nested too deep', nested(101), 'object-nested-too-deep'],
    ['an object as deep as it may be', nested(99), ''],
  ])('%s is judged alone', async (_, value, errors) => {
    expect(await judge(JSON.stringify(value))).toMatchObject({ code: errors ? 1 : 0, stderr: '', errors: [errors] });
  });

  it('an object may be longer than what a bundle holds beside its objects', async () => {
    const long = indicator({ description: 'x'.repeat(3e6) });
    expect(await judge(long)).toMatchObject({ code: 0, stderr: '', errors: [''] });
    expect(await judge(bundle([long, long]))).toMatchObject({ code: 0, stderr: '', errors: ['', ''] });
  });

  it('an element of a bundle is judged whatever it is', async () => {
    const { errors, code } = await judge(bundle([bundle([]), 7, nested(101), indicator()]));
    expect(errors).toEqual(['bundle-in-envelope', 'object-expected', 'object-nested-too-deep', '']);
    expect(code).toBe(1);
  });

  it('a bundle that is wrong itself has a line of its own after its objects', async () => {
    const wrong = await judge(bundle([indicator()], { id: 'bundle--1' }));
    expect(wrong).toMatchObject({ code: 1, indexes: [0, null], errors: ['', 'identifier-invalid'] });
    expect(wrong.lines[1]).toMatchObject({ index: null, id: 'bundle--1', valid: false, errors: [{ path: '/id' }] });
    const empty = await judge(bundle([]));
    expect(empty).toMatchObject({ code: 0, indexes: [null], errors: [''] });
    expect(empty.lines[0].warnings).toMatchObject([{ code: 'list-empty', path: '/objects' }]);
    expect(await judge(bundle([]), '--policy', 'strict')).toMatchObject({ code: 1, errors: ['list-empty'] });
    expect(await judge({ type: 'bundle', id: bundleId })).toMatchObject({ code: 0, indexes: [], stderr: '' });
    expect(await judge({ objects: [] })).toMatchObject({ code: 0, indexes: [], stderr: '' });
  });
});

describe('JSON lines', () => {
  const objects = [indicator(), expired()];
  const text = objects.map(object => JSON.stringify(object)).join('\n');

  it('are known by the name of the file, or by what follows the first line', async () => {
    const inputs = [text, `${text}\n`, `\ufeff${text}`, `\n \r\n${text.replace('\n', '\r\n\t\r\n')}\r\n`];
    for (const input of inputs) {
      expect(await judge(input)).toMatchObject({ code: 1, stderr: '', errors: ['', 'valid-until-order'] });
      for (const name of ['lines.jsonl', 'lines.ndjson', 'lines.txt']) await write(name, input);
      const { indexes, errors } = await judge('', 'lines.jsonl', 'lines.ndjson', 'lines.txt');
      expect(indexes).toEqual([0, 1, 2, 3, 4, 5]);
      expect(errors).toEqual(['', 'valid-until-order', '', 'valid-until-order', '', 'valid-until-order']);
    }
    await write('one.jsonl', bundle([indicator(), indicator()]));
    expect(await judge('', 'one.jsonl')).toMatchObject({ code: 0, indexes: [0] });
    expect(await judge(bundle([indicator(), indicator()]))).toMatchObject({ code: 0, indexes: [0, 1] });
  });

  it('a bundle on a line is judged whole', async () => {
    const good = JSON.stringify(bundle([indicator(), indicator()]));
    const bad = JSON.stringify(bundle([indicator(), expired()]));
    const { lines, code } = await judge(`${good}\n${bad}\n`);
    expect(lines).toMatchObject([
      { index: 0, id: bundleId, valid: true, errors: [] },
      { index: 1, id: bundleId, valid: false, errors: [{ code: 'valid-until-order', path: '/objects/1/valid_until' }] },
    ]);
    expect(code).toBe(1);
  });

  it('each line is one line, whatever stands in it', async () => {
    const good = JSON.stringify(indicator());
    const lines: [string | Buffer, string][] = [
      [good, ''],
      ['{"type": ', 'json-invalid'],
      ['nonsense', 'json-invalid'],
      ['{"a":1}{"a":1}', 'json-invalid'],
      ['{}],"objects":[{}', 'json-invalid'],
      [Buffer.from([0x22, 0xff, 0x22]), 'json-invalid'],
      ['[', 'json-invalid'],
      ['['.repeat(2e6), 'json-invalid'],
      ['['.repeat(2e6) + ']'.repeat(2e6), 'object-nested-too-deep'],
      ['[{}]', 'object-expected'],
      ['null', 'object-expected'],
      ['"text"', 'object-expected'],
      ['1', 'object-expected'],
      [good, ''],
    ];
    const input = Buffer.concat(lines.flatMap(([line]) => [Buffer.from(line), Buffer.from('\n')]));
    const judged = await judge(input);
    expect(judged).toMatchObject({ code: 1, stderr: '', errors: lines.map(([, errors]) => errors) });
    expect(judged.lines[5].errors[0].message).toContain('UTF-8');
  });

  it('a line that is too long is refused, and the next one read', async () => {
    const good = JSON.stringify(indicator());
    const { errors, lines } = await judge(`${good}\n{"a":"${'x'.repeat(33 * 1024 * 1024)}"}\n${good}\n`);
    expect(errors).toEqual(['', 'json-invalid', '']);
    expect(lines[1].errors[0].message).toBe('must be at most 33,554,432 bytes long on a line');
  });
});

describe('the same version twice', () => {
  const object = indicator();
  const reordered = Object.fromEntries(Object.entries(object).reverse());
  const twins: [string, unknown, boolean][] = [
    ['as it was', object, false],
    ['with its keys in another order', reordered, false],
    ['with other content', { ...object, name: 'Another' }, true],
    [
      'with other content, and the instant written otherwise',
      { ...object, modified: '2026-03-01T10:00:00.000000Z' },
      true,
    ],
    ['with another modified', { ...object, modified: '2026-03-02T10:00:00.000Z', name: 'Another' }, false],
    ['with other content that is refused anyway', { ...object, valid_from: 'x' }, false],
  ];

  it.each(twins)('%s', async (_, twin, isConflict) => {
    await write('twins.json', bundle([object, twin]));
    await write('twins.jsonl', `${JSON.stringify(object)}\n${JSON.stringify(twin)}\n`);
    const { lines } = await judge('', 'twins.json', 'twins.jsonl');
    for (const [first, second] of [lines.slice(0, 2), lines.slice(2)]) {
      expect(first.errors).toEqual([]);
      const found = second.errors.filter(({ code }: { code: string }) => code === 'version-conflict');
      expect(found).toEqual(isConflict ? [expect.objectContaining({ path: '', section: '3.6' })] : []);
    }
  });

  it('is no conflict in two files, or without dates', async () => {
    await write('first.json', object);
    await write('second.json', { ...object, name: 'Another' });
    expect(await judge('', 'first.json', 'second.json')).toMatchObject({ code: 0 });
    const address = { type: 'ipv4-addr', spec_version: '2.1', id: 'ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd' };
    const observables = [
      { ...address, value: '198.51.100.3' },
      { ...address, value: '198.51.100.3', defanged: true },
    ];
    expect(await judge(bundle(observables))).toMatchObject({ code: 0 });
  });
});

describe('policies', () => {
  it('tolerant is the default and warns; strict refuses', async () => {
    const problems = [{ code: 'timestamp-too-coarse' }, { code: 'timestamp-too-coarse' }];
    const tolerant = await judge(coarse());
    expect(tolerant).toMatchObject({ code: 0, lines: [{ valid: true, errors: [], warnings: problems }] });
    expect((await judge(coarse(), '--policy', 'tolerant')).lines[0].warnings).toEqual(tolerant.lines[0].warnings);
    const strict = await judge(coarse(), '--policy', 'strict');
    expect(strict).toMatchObject({ code: 1, lines: [{ valid: false, errors: problems, warnings: [] }] });
    expect(await judge(coarse(), '--policy', 'lax')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/strict/),
    });
  });
});

describe('for people', () => {
  it('it is a line for each object with a problem, a table by rule and a count', async () => {
    const [bad, odd] = [expired(), coarse()];
    const { code, stdout, stderr } = await pipe(JSON.stringify(bundle([indicator(), bad, odd, expired()])));
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]).toBe(
      `refused: ${bad.id}: /valid_until must be later than /valid_from (STIX 2.1 §4.7.1, valid-until-order)`,
    );
    expect(lines[1]).toMatch(new RegExp(`^warning: ${odd.id}: /created must be given to the millisecond`));
    expect(lines.slice(3, 6)).toEqual([
      expect.stringMatching(/^rule +section +errors +warnings$/),
      expect.stringMatching(/^valid-until-order +STIX 2\.1 §4\.7\.1 +2 +0$/),
      expect.stringMatching(/^timestamp-too-coarse +STIX 2\.1 §3\.2 +0 +2$/),
    ]);
    expect(lines.slice(6)).toEqual(['4 objects: 1 valid, 1 with warnings, 2 refused.', '']);
  });

  it('it is one line where nothing is wrong', async () => {
    await write('good.json', indicator());
    expect(await site.run('validate', file('good.json'))).toEqual({
      code: 0,
      stdout: '1 object: 1 valid, 0 with warnings, 0 refused.\n',
      stderr: '',
    });
  });

  it('it names the file where there are several, and counts a bundle that is wrong itself', async () => {
    const bad = expired();
    await write('good.json', indicator());
    await write('bad.json', bundle([bad], { id: 'bundle--1' }));
    const { stdout } = await pipe('', 'good.json', 'bad.json');
    expect(stdout).toContain(`\nbad.json: refused: bundle--1: /id must be an identifier`);
    expect(stdout).toMatch(new RegExp(`^bad.json: refused: ${bad.id}: /valid_until must`));
    expect(stdout).toContain('\n2 objects: 1 valid, 0 with warnings, 1 refused. 1 bundle around them refused.\n');
  });
});

describe('a broken input', () => {
  const good = JSON.stringify(indicator());
  const size = good.length;
  const cases: [string, string | Buffer, number, string][] = [
    ['empty', '', 0, 'There is nothing in it.'],
    ['blank', ' \n\n', 0, 'There is nothing in it.'],
    ['only a byte order mark', '\ufeff', 0, 'There is nothing in it.'],
    ['not JSON', '# Title', 0, "The input is not valid JSON: expected '{', at byte 0."],
    ['a list that goes wrong', `[${good},,${good}]`, 1, `expected an object, at byte ${size + 2}.`],
    ['the same behind a byte order mark', `\ufeff[${good},,${good}]`, 1, `expected an object, at byte ${size + 5}.`],
    ['a list that ends too early', `[${good},`, 1, `expected an object, at byte ${size + 1}.`],
    ['a list with more behind it', `[${good}] ,"x":1`, 1, `expected nothing after the end, at byte ${size + 3}.`],
    ['an empty list with more behind it', `[],"x":1`, 0, 'expected nothing after the end, at byte 2.'],
    ['a list with a bracket too many', `[${good}]}`, 1, `expected nothing after the end, at byte ${size + 2}.`],
    ['a bundle cut off', `{"objects":[${good},${good.slice(0, 40)}`, 1, `inside a value, at byte ${size + 53}.`],
    ['a broken element', `{"objects":[${good},{"a" 1}]}`, 1, `at byte ${size + 13} is not valid JSON.`],
    ['an element that is not UTF-8', withByte(`{"objects":[${good},{"a":"?"}]}`), 1, 'is not valid UTF-8.'],
    ['a bundle that is not UTF-8', withByte(`{"type":"?","objects":[${good}]}`), 0, 'is not valid UTF-8, at byte 8.'],
    ['an object that is not UTF-8', withByte('{"a":"?"}'), 0, 'is not valid UTF-8, at byte 5.'],
    ['objects twice', `{"objects":[${good}],"objects":[]}`, 1, 'has the member objects twice'],
    ['an object that goes wrong', '{"type":"indicator",}', 0, 'expected a member name, at byte 20.'],
  ];

  it.each(cases)('%s: what came before is judged, then one sentence', async (_, input, count, sentence) => {
    const { code, lines, stderr } = await judge(input);
    expect({ code, count: lines.length }).toEqual({ code: 1, count });
    expect(stderr).toMatch(/^taxiway: stdin: .*\n$/);
    expect(stderr).toContain(sentence);
  });

  it('does not keep the other files from being judged', async () => {
    await write('broken.json', '{"objects":[');
    await write('good.json', indicator());
    const { code, stdout, stderr } = await pipe('', 'broken.json', 'missing.json', '.', 'good.json');
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^taxiway: broken.json: The input is not valid JSON: .*, at byte 12\.$/),
      'taxiway: The file "missing.json" cannot be read: ENOENT.',
      'taxiway: The file "." cannot be read: EISDIR.',
      '',
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '1 object: 1 valid, 0 with warnings, 0 refused.\n' });
  });

  it('prints no count where nothing could be read', async () => {
    expect(await pipe('', 'missing.json')).toMatchObject({ code: 1, stdout: '' });
  });
});

it('ends quietly with whoever reads it', async () => {
  const name = await write('many.json', bundle(Array.from({ length: 20_000 }, () => indicator({ spec_version: '1' }))));
  const child = spawn(process.execPath, [program, 'validate', '--json', name], { env: site.env });
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [code, signal] = await once(child, 'close');
  expect({ code, signal, stderr }).toEqual({ code: 1, signal: null, stderr: '' });
});

describe('an input of 60 MB', () => {
  const count = 90_000;
  const forms: [string, string, string, string][] = [
    ['a bundle on one line', `{"type":"bundle","id":"${bundleId}","objects":[`, ',', ']}'],
    ['a list of lines', '[\n', ',\n', '\n]\n'],
    ['JSON lines', '', '\n', '\n'],
  ];

  it.each(forms)('%s takes little memory', async (_, start, between, end) => {
    const name = file('large');
    await pipeline(function* () {
      for (let index = 0; index < count; index += 1) {
        yield (index === 0 ? start : between) + JSON.stringify(indicator({ description: 'x'.repeat(300) }));
      }
      yield end;
    }, createWriteStream(name));

    const look = `let most = 0;
      setInterval(() => { most = Math.max(most, process.memoryUsage().rss); }, 5).unref();
      process.on('exit', () => console.error(most));`;
    const child = spawn(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(look)}`, program, 'validate', name],
      { env: site.env },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    await once(child, 'close');
    expect(stdout).toBe(`${count} objects: ${count} valid, 0 with warnings, 0 refused.\n`);
    expect(Number(stderr)).toBeGreaterThan(20e6);
    expect(Number(stderr)).toBeLessThan(300e6);
  });
});

function observedData() {
  return {
    type: 'observed-data',
    spec_version: '2.1',
    id: 'observed-data--b67d30ff-02ac-498a-92f9-32f845f448cf',
    created: '2026-03-01T10:00:00.000Z',
    modified: '2026-03-01T10:00:00.000Z',
    first_observed: '2026-03-01T10:00:00Z',
    last_observed: '2026-03-01T10:00:00Z',
    number_observed: 1,
    objects: { '0': { type: 'ipv4-addr', value: '198.51.100.3' } },
  };
}

/** The text with a byte in the place of its question mark that no UTF-8 has. */
function withByte(text: string): Buffer {
  const bytes = Buffer.from(text);
  bytes[bytes.indexOf('?')] = 0xff;
  return bytes;
}
