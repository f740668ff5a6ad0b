import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The rules of ARCHITECTURE.md that a reviewer should not have to look for.

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = (await readdir(join(root, 'src'), { recursive: true })).filter(name => name.endsWith('.ts'));
const sources = await Promise.all(
  files.map(async file => ({
    file: file.replaceAll('\\', '/'),
    text: await readFile(join(root, 'src', file), 'utf8'),
  })),
);
/** what a source imports or requires, but for types, which are gone at run time */
const importsOf = (text: string) =>
  [...text.matchAll(/^import (?!type\b)[^;]*?from '([^']+)'|\brequire\([`']([^`']+)[`']\)/gms)].map(
    match => match[1] ?? (match[2] as string),
  );
const breaking = (isBroken: (file: string, imported: string, text: string) => boolean) =>
  sources.flatMap(({ file, text }) =>
    importsOf(text)
      .filter(imported => isBroken(file, imported, text))
      .map(imported => `${file} imports ${imported}`),
  );

describe('imports', () => {
  it('only db/ speaks to PostgreSQL', () => {
    expect(breaking((file, imported) => /^(kysely|pg)$/.test(imported) && !file.startsWith('db/'))).toEqual([]);
  });

  it('only http/, the routes, app.ts and main.ts know Fastify', () => {
    const mayKnow = /^(http\/|taxii\/routes\/|app\.ts$|main\.ts$)/;
    expect(breaking((file, imported) => /fastify/.test(imported) && !mayKnow.test(file))).toEqual([]);
  });

  it('stix/ stands by itself', () => {
    const mayImport = /^(stix\/|generated\/stix-|errors\.ts$)/;
    const isAllowed = (file: string, imported: string) =>
      !imported.startsWith('.') || mayImport.test(posix.join(posix.dirname(file), imported));
    expect(breaking((file, imported) => /^(stix|generated)\//.test(file) && !isAllowed(file, imported))).toEqual([]);
  });

  it('every dependency is used, and ARCHITECTURE.md says what for', async () => {
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const architecture = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8');
    const imported = new Set(sources.flatMap(({ text }) => importsOf(text)));
    for (const name of Object.keys(dependencies)) {
      expect({ name, isUsed: [...imported].some(one => one === name || one.startsWith(`${name}/`)) }).toEqual({
        name,
        isUsed: true,
      });
      expect(architecture).toContain(`\`${name}\``);
    }
  });
});

it('only config.ts reads process.env', () => {
  expect(
    sources.filter(({ file, text }) => file !== 'config.ts' && text.includes('process.env')).map(({ file }) => file),
  ).toEqual([]);
});

it('everything that config.ts reads stands in .env.example, and nothing else', async () => {
  const config = sources.find(({ file }) => file === 'config.ts')?.text ?? '';
  const read = [...config.matchAll(/env\.([A-Z_]+)|env, '([A-Z_]+)'/g)].map(match => match[1] ?? match[2]);
  const example = await readFile(join(root, '.env.example'), 'utf8');
  const listed = [...example.matchAll(/^#? ?([A-Z_]+)=/gm)].map(match => match[1]);
  expect(listed.sort()).toEqual([...new Set(read)].sort());
});
