import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import {
  type CollectionRow,
  defaultApiRoot,
  findApiRoot,
  insertCollection,
  listCollections,
} from '../db/collections.ts';
import { OperatorError } from '../errors.ts';
import { tlpLabels, tlpLevelOfLabel } from '../stix/tlp.ts';
import { introduceHub } from '../taxii/introduce-hub.ts';
import { describeCommand, policyOption, printResult, printRows, requireSlug, requireText, withHub } from './command.ts';

// TAXII 2.1 §2: an identifier is a UUID of version 4.
const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const collectionCommand = () =>
  new Command('collection')
    .description('the collections that partners push to and poll')
    .addCommand(
      describeCommand('add <alias>', 'add a collection and print its id')
        .requiredOption('--title <title>', 'what people call it')
        .option('--description <text>', 'what it holds')
        .option('--id <uuid>', 'its id, a UUID of version 4; made up where not given')
        .option('--root <slug>', 'the API root it belongs to', defaultApiRoot)
        .option('--anonymous', 'consumers must not learn who sends: what would reveal it is refused')
        .addOption(policyOption('--validation <policy>', 'how strictly pushed objects are judged'))
        .addOption(
          new Option('--tlp-default <level>', 'the level of objects that carry no TLP marking')
            .choices(tlpLabels)
            .default('amber'),
        )
        .addOption(new Option('--tlp-max <level>', 'refuse objects above it').choices(tlpLabels).default('red'))
        .action((alias, options) =>
          withHub(async hub => {
            const { db } = hub;
            const title = requireText('--title', options.title);
            const { description = null, root, id = randomUUID(), validation, anonymous = false } = options;
            if (!uuid4.test(id)) throw new OperatorError(`--id must be a lower-case UUID of version 4, not "${id}".`);
            if (!(await findApiRoot(db, root))) {
              throw new OperatorError(
                `There is no API root "${root}": \`npx taxiway root add ${root} --title …\` adds it.`,
              );
            }
            const levels = {
              tlp_default: tlpLevelOfLabel(options.tlpDefault),
              tlp_max: tlpLevelOfLabel(options.tlpMax),
            };
            if (levels.tlp_default > levels.tlp_max)
              throw new OperatorError('--tlp-default must not be above --tlp-max.');
            const described = { id, alias: requireSlug('collection', alias), api_root: root, title, description };
            const row = { ...described, validation, anonymous, ...levels };
            const collection = await db.transaction().execute(async tx => {
              const added = await insertCollection(tx, row);
              if (!added)
                throw new OperatorError(`There is a collection with the alias "${alias}" or that id already.`);
              if (anonymous) await introduceHub(tx, hub, added);
              const entry = { action: 'collection-added', subject: alias, details: { validation, anonymous } };
              await appendAudit(tx, operator, { chain: hubChain, ...entry });
              return added;
            });
            printResult(collection.id, toRecord(collection), options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list', 'list the collections').action(options =>
        withHub(async ({ db }) => printRows((await listCollections(db)).map(toRecord), options)),
      ),
    );

function toRecord({ id, alias, api_root, title, description, validation, anonymous, ...row }: CollectionRow) {
  const { tlp_default, tlp_max, date_added_last, created_at } = row;
  const levels = { tlp_default: tlpLabels[tlp_default], tlp_max: tlpLabels[tlp_max] };
  return { id, alias, api_root, title, description, validation, anonymous, ...levels, date_added_last, created_at };
}
