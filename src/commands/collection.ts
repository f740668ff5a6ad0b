import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { defaultApiRoot, findApiRoot, insertCollection, listCollections } from '../db/collections.ts';
import { OperatorError } from '../errors.ts';
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
        .addOption(policyOption('--validation <policy>', 'how strictly pushed objects are judged'))
        .action((alias, options) =>
          withHub(async ({ db }) => {
            const title = requireText('--title', options.title);
            const { description = null, root, id = randomUUID(), validation } = options;
            if (!uuid4.test(id)) throw new OperatorError(`--id must be a lower-case UUID of version 4, not "${id}".`);
            if (!(await findApiRoot(db, root))) {
              throw new OperatorError(
                `There is no API root "${root}": \`npx taxiway root add ${root} --title …\` adds it.`,
              );
            }
            const row = { id, alias: requireSlug('collection', alias), api_root: root, title, description, validation };
            const collection = await db.transaction().execute(async tx => {
              const added = await insertCollection(tx, row);
              if (!added)
                throw new OperatorError(`There is a collection with the alias "${alias}" or that id already.`);
              await appendAudit(tx, operator, { chain: hubChain, action: 'collection-added', subject: alias });
              return added;
            });
            printResult(collection.id, collection, options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list', 'list the collections').action(options =>
        withHub(async ({ db }) => printRows(await listCollections(db), options)),
      ),
    );
