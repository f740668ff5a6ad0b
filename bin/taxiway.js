#!/usr/bin/env node
// The compiled program. `npm ci` builds it; `npm run build` does so again.
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli.js', import.meta.url);
if (existsSync(program)) {
  const { run } = await import(program.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  console.error('taxiway: not built yet: run `npm run build` first.');
  process.exitCode = 1;
}
