import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { operator } from '../db/audit.ts';
import { OperatorError } from '../errors.ts';
import { importObjects } from '../taxii/import.ts';
import type { Outcome } from '../taxii/judging.ts';
import { describeCommand, printResult, requireCollection, requirePartner, withHub } from './command.ts';

const reasonsShownMax = 20;

export const importCommand = () =>
  describeCommand('import <collection> <file>', 'add the objects of a bundle or envelope of any size, as a partner')
    .requiredOption('--as <partner>', 'the partner who adds them')
    .action((name, file, options) =>
      withHub(async hub => {
        const collection = await requireCollection(hub.db, name);
        const partner = await requirePartner(hub.db, options.as);
        const { size } = await stat(file).catch(error => {
          throw new OperatorError(`The file "${file}" cannot be read: ${error.code}.`);
        });

        const bar = process.stderr.isTTY
          ? new SingleBar({ format: '{bar} {percentage} % of {size}, {objects} objects' })
          : undefined;
        const tally = { added: 0, present: 0, refused: 0 };
        const refused: Outcome[] = [];
        bar?.start(size, 0, { size: `${(size / 1e6).toFixed(1)} MB`, objects: 0 });
        try {
          await importObjects(
            hub,
            collection,
            { partnerId: partner.id, partner: partner.slug, actor: operator },
            createReadStream(file, { highWaterMark: 1 << 20 }),
            ({ bytes, outcomes }) => {
              for (const outcome of outcomes) {
                tally[outcome.result] += 1;
                if (outcome.result === 'refused' && refused.length < reasonsShownMax) refused.push(outcome);
              }
              bar?.update(bytes, { objects: tally.added + tally.present + tally.refused });
            },
          );
        } finally {
          bar?.stop();
        }

        if (!options.json) describeRefused(refused, tally.refused);
        const line = `${tally.added} taken, ${tally.present} already there, ${tally.refused} refused.`;
        printResult(line, { ...tally, failures: refused.map(({ result: _, ...detail }) => detail) }, options);
        if (tally.refused > 0 && tally.added + tally.present === 0) process.exitCode = 1;
      }),
    );

function describeRefused(refused: Outcome[], count: number): void {
  for (const { id, version, message } of refused) process.stderr.write(`refused: ${id} (${version}): ${message}\n`);
  if (count > refused.length) process.stderr.write(`and ${count - refused.length} more were refused\n`);
}
