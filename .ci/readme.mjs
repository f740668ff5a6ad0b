// Does what the README tells a newcomer to do, word by word: the commands are read from it, and so are those that the
// first start prints. Data go to a temporary directory, so that a developer's own stay as they are.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const readme = readFileSync('README.md', 'utf8');
const commandsUnder = heading =>
  /```sh\n([\s\S]*?)```/
    .exec(readme.slice(readme.indexOf(heading)))[1]
    .trim()
    .split('\n');

const dataDir = mkdtempSync(join(tmpdir(), 'taxiway-readme-'));
process.env.TAXIWAY_DATA_DIR = dataDir;

function run(command) {
  console.log(`$ ${command.length > 200 ? `${command.slice(0, 60)} …` : command}`);
  const { status, stdout } = spawnSync('bash', ['-c', command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`it ended with ${status}: ${stdout}`);
  return stdout;
}

function check(text, expected) {
  if (!expected.test(text)) throw new Error(`expected ${expected} in: ${text.slice(0, 2000)}`);
}

const [install, start] = commandsUnder('### With Node alone');
run(install);
console.log(`$ ${start}`);
const hub = spawn('bash', ['-c', `exec ${start}`], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise(resolve => hub.on('exit', (code, signal) => resolve(code ?? signal)));
try {
  let printed = '';
  await new Promise((resolve, reject) => {
    hub.stdout.on('data', chunk => {
      printed += chunk;
      if (printed.includes('Documentation for integrators')) resolve();
    });
    ended.then(code => reject(new Error(`the hub ended with ${code}: ${printed}`)));
    setTimeout(
      () => reject(new Error(`the hub printed no demonstration within two minutes: ${printed}`)),
      120_000,
    ).unref();
  });
  const [poll, push] = printed.split('\n\n').filter(text => text.startsWith('  curl'));
  check(run(poll), /"type": *"indicator"/);
  check(run(push), /"success_count":1/);
  const [, docs] = /integrators: (\S+)/.exec(printed);
  check(run(`curl --silent --show-error --location --fail '${docs}'`), /swagger/i);

  const outputs = commandsUnder('## Share real data').map(command =>
    run(command.replace('indicators.json', join(dataDir, 'out.json'))),
  );
  check(outputs[3], /^\d+ taken, 0 already there, 0 refused\.$/m);
  check(outputs[4], /^[\w-]+\.[\w-]+\.[\w-]+$/m);
  const { objects } = JSON.parse(readFileSync('examples/campaign.json', 'utf8'));
  if (JSON.parse(readFileSync(join(dataDir, 'out.json'), 'utf8')).objects.length !== objects.length) {
    throw new Error('what was exported is not what was imported');
  }

  const [people, machines] = commandsUnder('## Validate').map(run);
  check(people, /^\d+ objects: .*0 refused\.$/m);
  check(machines, /^\{"index":0,"id":"[a-z-]+--[0-9a-f-]{36}","valid":true,/);
} finally {
  hub.kill('SIGTERM');
  const code = await ended;
  rmSync(dataDir, { recursive: true, force: true });
  if (code !== 0) {
    console.error(`the hub ended with ${code} at SIGTERM`);
    process.exitCode = 1;
  }
}
console.log('the commands of the README have run');
