import { SingleBar } from 'cli-progress';
import { operator } from '../db/audit.ts';
import { findGrant } from '../db/grants.ts';
import { OperatorError } from '../errors.ts';
import { replay } from '../taxii/replay.ts';
import { parseTimestamp, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { describeCommand, printResult, requireCollection, requirePartner, withHub } from './command.ts';

export const replayCommand = () =>
  describeCommand(
    'replay <partner> <collection>',
    'make what a raised ceiling uncovers come again, for this partner alone',
  )
    .option('--since <timestamp>', 'instead: all that other partners added after it, such as 2026-01-31T00:00:00Z')
    .action((slug, name, options) =>
      withHub(async ({ db }) => {
        const [partner, collection] = [await requirePartner(db, slug), await requireCollection(db, name)];
        const since = options.since === undefined ? undefined : requireTimestamp(options.since);
        if (!(await findGrant(db, partner.id, collection.id))?.can_read) {
          throw new OperatorError(
            `"${slug}" may not read "${name}": \`npx taxiway grant ${slug} ${name} read\` changes that.`,
          );
        }
        const bar = process.stderr.isTTY ? new SingleBar({ format: '{value} objects' }) : undefined;
        bar?.start(0, 0);
        const count = await replay(db, partner, collection.id, {
          since,
          actor: operator,
          onProgress: count => bar?.update(count),
        }).finally(() => bar?.stop());
        if (count === undefined) {
          throw new OperatorError(
            `No raise of its grant has uncovered anything for "${slug}" in "${name}". --since makes all come again that it may read.`,
          );
        }
        const what = count === 1 ? '1 version comes' : `${count} versions come`;
        const line = `${what} again for ${slug} at its next poll of ${collection.alias}.`;
        printResult(line, { partner: slug, collection: collection.alias, versions: count }, options);
      }),
    );

function requireTimestamp(text: string): TaxiiTimestamp {
  const timestamp = parseTimestamp(text);
  if (timestamp !== undefined) return timestamp;
  throw new OperatorError(`--since takes a timestamp such as 2026-01-31T00:00:00Z, not "${text}".`);
}
