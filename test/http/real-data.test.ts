import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ObjectSlicer } from '../../src/taxii/object-slices.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

const folder = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const bundles = existsSync(folder) ? (await readdir(folder)).filter(name => name.endsWith('.json')) : [];
if (bundles.length === 0) console.warn('real bundles: skipped, since ../shared/data is missing');

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

describe.skipIf(bundles.length === 0)('real bundles', () => {
  it.each(bundles)('all objects of %s are taken, and come back as they were, to the byte', async name => {
    const bundle = await readFile(folder + name);
    const alias = name.replace(/\.json$/, '').replaceAll('.', '-');
    await hub.addCollection({ alias });
    const url = `/hub/collections/${alias}/objects/`;
    const token = await hub.tokenFor(await hub.addPartner(), `collection:${alias}:read collection:${alias}:write`);

    const status = (await hub.post(token, url, bundle)).json();
    expect(status.failures).toBeUndefined();

    const sent = [...new ObjectSlicer({ elementBytesMax: bundle.length }).push(bundle)].map(slice =>
      slice.bytes.toString(),
    );
    const received: string[] = [];
    for (let query = ''; query !== undefined; ) {
      const answer = await hub.get(token, `${url}?limit=700${query}`);
      const page = [...new ObjectSlicer({ elementBytesMax: 1e8 }).push(answer.rawPayload)];
      received.push(...page.map(slice => slice.bytes.toString()));
      const { next } = answer.json();
      if (!next) break;
      query = `&next=${next}`;
    }
    expect(received).toHaveLength(sent.length);
    expect(received.every((text, index) => text === sent[index])).toBe(true);
  });
});
