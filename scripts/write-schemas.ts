// Writes src/generated/stix-schemas.ts from schemas/stix/2.1: `npm run schemas`. A test fails where they differ.
import { writeFile } from 'node:fs/promises';
import { compileSchemas } from './compile-schemas.ts';

await writeFile(new URL('../src/generated/stix-schemas.ts', import.meta.url), await compileSchemas());
