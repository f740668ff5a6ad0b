import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/failover-test.ts', import.meta.url));

// PostgreSQL comes with the embedded database, so that it needs nothing else.
it('a fail-over loses nothing that was acknowledged, and pollers go on without a gap', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', script, '--objects', '60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', text => {
    said += text;
  });
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('The fail-over went well.') });
  expect(said.match(/^Yes: /gm)).toHaveLength(5);
}, 300_000);
