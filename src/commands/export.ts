import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { exportBundle } from '../taxii/export.ts';
import { describeCommand, requireCollection, withHub } from './command.ts';

export const exportCommand = () =>
  describeCommand(
    'export <collection> [file]',
    'write all versions of all objects as a STIX bundle, or print it',
  ).action((name, file) =>
    withHub(async hub => {
      const collection = await requireCollection(hub.db, name);
      const bundle = exportBundle(hub.db, collection.id, `bundle--${randomUUID()}`);
      await (file ? pipeline(bundle, createWriteStream(file)) : pipeline(bundle, process.stdout, { end: false }));
    }),
  );
