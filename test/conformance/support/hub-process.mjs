// Runs the hub as an operator does: `bin/taxiway.js serve` on an empty embedded database, and its commands beside it.
// Plain JavaScript, because it also runs where nothing compiles TypeScript.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../../../bin/taxiway.js', import.meta.url));
const startMsMax = 60_000;
const stopMsMax = 40_000;

/**
 * Starts a hub on a free port of 127.0.0.1, without the demonstration.
 * @param {Record<string, string>} settings environment variables beside those
 * @returns {Promise<{url: string, taxiway: (...args: string[]) => Promise<string>, stop: () => Promise<void>}>}
 *   `taxiway` runs a command line and gives what it printed; `stop` also removes the data
 */
export async function startHub(settings = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'taxiway-process-'));
  // The working directory is the data's, so that a .env of the checkout does not count.
  const options = { cwd: dataDir, env: toEnvironment(dataDir, settings) };
  const hub = spawn(process.execPath, [program, 'serve'], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise(resolve => hub.once('exit', resolve));
  const stop = async () => {
    hub.kill('SIGTERM');
    const timer = setTimeout(() => hub.kill('SIGKILL'), stopMsMax);
    await ended;
    clearTimeout(timer);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const url = await readAddress(hub);
    const taxiway = async (...args) => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], options);
      return stdout.trim();
    };
    return { url, taxiway, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function toEnvironment(dataDir, settings) {
  const ours = /^(TAXIWAY_|TAXII_|DATABASE_URL$|PUBLIC_URL$|HOST$|PORT$|LOG_LEVEL$)/;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  return { ...inherited, PORT: '0', TAXIWAY_DATA_DIR: dataDir, TAXIWAY_DEMO: 'off', ...settings };
}

/** Reads the log until it says where the hub listens, and goes on reading so that the pipe never fills. */
function readAddress(hub) {
  return new Promise((resolve, reject) => {
    const lastLines = [];
    const fail = why => reject(new Error(`the hub did not start: ${why}\n${lastLines.join('\n')}`));
    const timer = setTimeout(() => fail('it took too long'), startMsMax);
    hub.once('error', error => fail(error.message));
    hub.once('close', code => fail(`it ended with exit code ${code}`));
    for (const output of [hub.stdout, hub.stderr]) {
      createInterface({ input: output }).on('line', line => {
        lastLines.push(line);
        if (lastLines.length > 10) lastLines.shift();
        const address = /"address":"(https?:\/\/[^"]+)"/.exec(line)?.[1];
        if (address === undefined) return;
        clearTimeout(timer);
        resolve(address);
      });
    }
  });
}
