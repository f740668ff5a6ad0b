// `npm run test:interop`: real clients of other people against a hub that runs as a process. README.md tells more.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startHub } from '../conformance/support/hub-process.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const checkout = fileURLToPath(new URL('../../', import.meta.url));
const environment = join(checkout, '.cache', 'interop-venv');
const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const requirements = join(here, 'requirements.txt');
const bytesMax = 1024 * 1024;

process.exitCode = await main();

/** @returns {Promise<number>} the exit code */
async function main() {
  const why = await prepareEnvironment();
  if (why !== undefined) {
    console.log(`interop skipped: ${why}`);
    console.log(`0 passed, 0 failed, ${await countTests()} skipped`);
    return 0;
  }
  const data = await findData();
  const { passed, failed, skipped } = await withHub(data, runTests).catch(error => {
    console.log(error.stderr || error.message);
    return { passed: 0, failed: 1, skipped: 0 };
  });
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 ? 0 : 1;
}

/**
 * Makes the virtual environment, or takes the one that is there. What pip says is not shown.
 * @returns {Promise<string | undefined>} why it cannot be had
 */
async function prepareEnvironment() {
  const wanted = await readFile(requirements, 'utf8');
  const stamp = join(environment, 'taxiway-requirements.txt');
  const present = await readFile(stamp, 'utf8').catch(() => undefined);
  if (present === wanted && (await run(python, ['-c', 'import taxii2client, stix2']))) return undefined;
  if (!(await run('python3', ['-c', 'import venv, ensurepip']))) return 'there is no python3 with the module venv';
  await rm(environment, { recursive: true, force: true });
  if (!(await run('python3', ['-m', 'venv', environment]))) return 'the virtual environment could not be made';
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
  if (!(await run(python, pip))) return 'taxii2-client and stix2 could not be installed';
  await writeFile(stamp, wanted);
  return undefined;
}

/** Whether a program ends well; its output is dropped. */
function run(program, args) {
  return new Promise(resolve => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('exit', code => resolve(code === 0));
  });
}

async function countTests() {
  const files = (await readdir(here)).filter(name => /^test_.*\.py$/.test(name));
  const texts = await Promise.all(files.map(name => readFile(join(here, name), 'utf8')));
  return texts.join('').match(/^ +def test_/gm)?.length ?? 0;
}

/** The ATT&CK bundles beside the checkout, else the example. */
async function findData() {
  const directory = join(checkout, '..', 'shared', 'data');
  const names = existsSync(directory) ? (await readdir(directory)).filter(name => name.endsWith('.json')).sort() : [];
  if (names.length > 0) return names.map(name => join(directory, name));
  console.log('The ATT&CK bundles of ../shared/data are not there: examples/campaign.json is used instead.');
  return [join(checkout, 'examples', 'campaign.json')];
}

/** Runs `work` with a hub that has partners, collections and tokens, and stops the hub whatever happens. */
async function withHub(data, work) {
  const hub = await startHub({ TAXIWAY_MAX_CONTENT_LENGTH: String(bytesMax) });
  const stopOnSignal = () => hub.stop().finally(() => process.exit(1));
  process.once('SIGINT', stopOnSignal);
  process.once('SIGTERM', stopOnSignal);
  try {
    return await work(await setUp(hub, data));
  } finally {
    process.off('SIGINT', stopOnSignal);
    process.off('SIGTERM', stopOnSignal);
    await hub.stop();
  }
}

/** What the operator of a hub does before partners come. */
async function setUp({ url, taxiway }, data) {
  const bundles = data.map((file, index) => ({ file, collection: `bundle-${index + 1}` }));
  const aliases = ['objects', 'releases', 'sink', 'texts', 'inbox', ...bundles.map(bundle => bundle.collection)];
  const partners = ['producer', 'consumer', 'depositor'];
  const grants = {
    producer: [aliases, ['read', 'write']],
    consumer: [aliases, ['read']],
    depositor: [['inbox'], ['write']],
  };
  const scopes = {
    producer: 'collection:*:read collection:*:write',
    consumer: 'collection:*:read',
    depositor: 'collection:inbox:write',
  };
  const ids = await inOrder(aliases, alias => taxiway('collection', 'add', alias, '--title', `The ${alias}`));
  await inOrder(partners, slug => taxiway('partner', 'add', slug, '--name', slug, '--sector', 'finance'));
  for (const slug of partners) {
    const [collections, rights] = grants[slug];
    await inOrder(collections, alias => taxiway('grant', slug, alias, ...rights));
  }
  const tokens = await inOrder(partners, slug =>
    taxiway('token', 'issue', slug, '--scope', scopes[slug], '--ttl', '1d'),
  );
  return {
    url,
    max_content_length: bytesMax,
    bundles,
    collections: Object.fromEntries(aliases.map((alias, index) => [alias, ids[index]])),
    tokens: Object.fromEntries(partners.map((slug, index) => [slug, tokens[index]])),
  };
}

async function inOrder(list, work) {
  const results = [];
  for (const one of list) results.push(await work(one));
  return results;
}

/** Runs the Python tests. @returns {Promise<{passed: number, failed: number, skipped: number}>} */
async function runTests(hub) {
  const directory = await mkdtemp(join(tmpdir(), 'taxiway-interop-'));
  const results = join(directory, 'results.json');
  try {
    await new Promise((resolve, reject) => {
      const env = {
        ...process.env,
        NO_PROXY: '*',
        PYTHONDONTWRITEBYTECODE: '1',
        INTEROP_HUB: JSON.stringify(hub),
        INTEROP_RESULTS: results,
      };
      const tests = spawn(python, [join(here, 'main.py')], { cwd: here, stdio: ['ignore', 'inherit', 'inherit'], env });
      tests.on('error', reject);
      tests.on('exit', resolve);
    });
    return JSON.parse(await readFile(results, 'utf8'));
  } catch {
    console.log('The Python tests ended before their results were known.');
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
