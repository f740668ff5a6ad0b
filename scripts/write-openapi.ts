// Writes openapi/taxiway.json from the routes: `npm run openapi`. A test fails where the file and the routes differ.
import { writeFile } from 'node:fs/promises';
import { describeApi } from './describe-api.ts';

await writeFile(new URL('../openapi/taxiway.json', import.meta.url), await describeApi());
