import { readdir, readFile } from 'node:fs/promises';
import { _ } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import compileStandalone from 'ajv/dist/standalone/index.js';
import { codeOfTitle } from '../src/stix/titles.ts';

const folder = new URL('../schemas/stix/2.1/', import.meta.url);
const kinds = ['versioned-object', 'observable'];

/**
 * The STIX schemas as the code that checks an object against them, as src/generated/stix-schemas.ts holds it: starting
 * with it takes a few milliseconds, compiling the schemas takes a second.
 * @throws Error where a schema is broken, or is not what ajv calls strict
 */
export async function compileSchemas(): Promise<string> {
  const names = (await readdir(folder)).sort();
  const schemas = await Promise.all(
    names.map(async name => JSON.parse(await readFile(new URL(name, folder), 'utf8')) as { $id: string }),
  );
  schemas.forEach(requireKnownTitles);
  const ajv = new Ajv2020({
    strict: true,
    allErrors: true,
    // The titles of the schemas, which the errors carry then, say what is wrong (src/stix/titles.ts).
    verbose: true,
    messages: false,
    // Only the call is compiled; the generated code imports what it calls.
    formats: { 'date-time': () => true },
    schemas,
    code: { source: true, esm: true, formats: _`formats` },
  });
  const references = new Map(schemas.map(({ $id }) => [nameOf($id), $id]));
  const common = references.get('common') as string;
  references.delete('common');
  for (const kind of kinds) references.set(kind.replaceAll('-', '_'), `${common}#/$defs/${kind}`);
  const code = addInLinearTime(compileStandalone.default(ajv, Object.fromEntries(references)));
  return `// @ts-nocheck\n// Written by \`npm run schemas\` from schemas/stix/2.1.\nimport { formats } from '../stix/formats.ts';\n${code}\n`;
}

/** @throws Error where a schema has a title, other than that of a document, for which there is no code */
function requireKnownTitles(document: object): void {
  const schemas: unknown[] = Object.values(document);
  for (const schema of schemas) {
    if (typeof schema !== 'object' || schema === null) continue;
    if ('title' in schema && typeof schema.title === 'string' && codeOfTitle(schema.title) === undefined) {
      throw new Error(`no error code for the title "${schema.title}": src/stix/titles.ts gives them`);
    }
    schemas.push(...Object.values(schema));
  }
}

/**
 * For each element of a list that a schema of its own judges, ajv copies all errors found so far: quadratic in the number
 * of broken elements. Here they are pushed instead.
 * @throws Error where ajv writes that otherwise than it did
 */
function addInLinearTime(code: string): string {
  const copying = /vErrors = vErrors === null \? (validate\d+)\.errors : vErrors\.concat\(\1\.errors\);/g;
  const pushing = code.replace(
    copying,
    'if (vErrors === null) vErrors = []; for (const error of $1.errors) vErrors.push(error);',
  );
  if (pushing === code || pushing.includes('.concat(')) throw new Error('ajv adds errors in another way now');
  return pushing;
}

/** `attack_pattern` for `https://…/attack-pattern.json`: what the code exports has to be a name of JavaScript. */
function nameOf(id: string): string {
  return (id.split('/').at(-1) as string).replace('.json', '').replaceAll('-', '_');
}
