import { readdir, readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { compileSchemas } from '../../scripts/compile-schemas.ts';
import { describeApi } from '../../scripts/describe-api.ts';
import { errorCatalogue } from '../../src/errors.ts';
import { isRefused, type Policy, type ProblemCode, problemCatalogue } from '../../src/stix/catalogue.ts';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('openapi/taxiway.json', () => {
  it('is what the routes say: `npm run openapi` writes it', async () => {
    expect(await describeApi()).toBe(await read('openapi/taxiway.json'));
  });

  it('is valid OpenAPI 3.1, with every TAXII operation', async () => {
    const document = JSON.parse(await read('openapi/taxiway.json'));
    const validator = new Validator();
    expect(await validator.validate(document)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    const operations = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>)
      .flatMap(path => Object.values(path).map(operation => operation.operationId))
      .sort();
    const files = await readdir(new URL('../../src/taxii/routes/', import.meta.url));
    const fromFiles = files
      .map(file => file.replace('.ts', '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()))
      .filter(name => name !== 'routeSchema')
      .concat('getStixSchema', 'requestToken', 'getAuthorizationServer')
      .sort();
    expect(operations).toEqual(fromFiles);
  });
});

it('src/generated/stix-schemas.ts is what the schemas say: `npm run schemas` writes it', async () => {
  // Compared as a whole, but not shown: it is a megabyte.
  expect((await read('src/generated/stix-schemas.ts')) === (await compileSchemas())).toBe(true);
});

it('docs/validation.md documents every rule, and no other, with what both policies do', async () => {
  const rows = (await read('docs/validation.md')).matchAll(/^\| `([a-z0-9-]+)` \|[^|]*\| (\w+) \| (\w+) \|/gm);
  const documented = [...rows].map(([, code, strict, tolerant]) => ({ code, strict, tolerant }));
  const verb = (code: ProblemCode, policy: Policy) => (isRefused(code, policy) ? 'refuses' : 'warns');
  expect(documented).toEqual(
    (Object.keys(problemCatalogue) as ProblemCode[]).map(code => ({
      code,
      strict: verb(code, 'strict'),
      tolerant: verb(code, 'tolerant'),
    })),
  );
});

it('docs/errors.md documents every error code, and no other, with its HTTP status', async () => {
  const documented = [...(await read('docs/errors.md')).matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(match => [
    match[1],
    Number(match[2]),
  ]);
  expect(documented).toEqual(Object.entries(errorCatalogue).map(([code, { status }]) => [code, status]));
});

it('the commands that documents show exist', async () => {
  const { run } = await import('../../src/cli.ts');
  const shown = (
    await Promise.all(
      [
        'README.md',
        'CONTRIBUTING.md',
        'examples/README.md',
        'docs/identity.md',
        'docs/operations.md',
        'docs/visibility.md',
      ].map(read),
    )
  )
    .flatMap(text => [
      ...text.matchAll(/npx taxiway ([a-z-]+(?: (?:add|list|issue|revoke|disable|enable|addresses))?)/g),
    ])
    .map(match => match[1] as string);
  expect(shown.length).toBeGreaterThan(5);
  for (const command of new Set(shown)) expect(await run([...command.split(' '), '--help'])).toBe(0);
});
