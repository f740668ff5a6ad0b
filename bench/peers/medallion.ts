import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mediaType } from '../exchange.ts';
import { type BenchHub, findFreePort, waitUntilAnswers } from '../hub.ts';
import { installPython } from './python.ts';
import type { Peer } from './start.ts';

// The newest with which its release of 2020 works.
const packages = ['medallion==3.0.0', 'flask<2.3', 'werkzeug<2.3'];

/** OASIS's medallion, its objects in memory and not on disk. */
export async function startMedallion(hub: BenchHub): Promise<Peer> {
  const python = await installPython('medallion', packages);
  const collection = randomUUID();
  const [data, file] = [join(hub.directory, 'medallion-data.json'), join(hub.directory, 'medallion.json')];
  await writeFile(data, JSON.stringify(describeData(collection)));
  const backend = { module: 'medallion.backends.memory_backend', module_class: 'MemoryBackend', filename: data };
  await writeFile(file, JSON.stringify({ users: { bench: 'bench' }, taxii: { max_page_size: 10_000 }, backend }));
  const port = await findFreePort();
  const child = python.start('medallion', ['--port', String(port), '--log-level', 'CRITICAL', file]);
  await waitUntilAnswers(child, `http://127.0.0.1:${port}/taxii2/`);
  return {
    server: {
      name: 'medallion 3.0.0',
      url: `http://127.0.0.1:${port}/bench/collections/${collection}/objects/`,
      headers: { accept: mediaType, authorization: `Basic ${Buffer.from('bench:bench').toString('base64')}` },
    },
    child,
  };
}

function describeData(collection: string) {
  const about = { title: 'Benchmark', description: '' };
  return {
    '/discovery': { ...about, default: '/bench/', api_roots: ['/bench/'] },
    bench: {
      information: { ...about, versions: [mediaType], max_content_length: 32 * 1024 * 1024 },
      status: [],
      collections: [
        { ...about, id: collection, can_read: true, can_write: true, media_types: [], manifest: [], objects: [] },
      ],
    },
  };
}
