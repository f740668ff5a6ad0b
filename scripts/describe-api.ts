import { pino } from 'pino';
import { buildApp } from '../src/app.ts';
import { toConfig } from '../src/config.ts';
import type { Hub } from '../src/hub.ts';

/** The OpenAPI document of the routes as openapi/taxiway.json holds it. Needs no database: no request is answered. */
export async function describeApi(): Promise<string> {
  const app = await buildApp({ config: toConfig({}) } as unknown as Hub, pino({ level: 'silent' }));
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}
