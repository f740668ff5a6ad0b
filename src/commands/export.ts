import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { exportBundle } from '../taxii/export.ts';
import { requireCollection, withHub } from './command.ts';
import { writeText } from './write-text.ts';

export const exportCommand = () =>
  new Command('export')
    .argument('<collection>')
    .argument('[file]')
    .description('write all versions of all objects as a STIX bundle, or print it')
    .showHelpAfterError('(--help tells more)')
    .action((name, file) =>
      withHub(async hub => {
        const collection = await requireCollection(hub.db, name);
        await writeText(exportBundle(hub.db, collection.id, `bundle--${randomUUID()}`), file);
      }),
    );
