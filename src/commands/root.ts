import { Command } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { insertApiRoot, listApiRoots } from '../db/collections.ts';
import { OperatorError } from '../errors.ts';
import { describeCommand, printResult, printRows, requireSlug, requireText, withHub } from './command.ts';

// What the hub serves itself, now or under the names that standards reserve.
const reserved = ['docs', 'healthz', 'metrics', 'oauth2', 'readyz', 'schemas', 'taxii', 'taxii2'];

export const rootCommand = () =>
  new Command('root')
    .description('API roots, one for each trust group; "hub" is there from the start')
    .addCommand(
      describeCommand('add <slug>', 'add an API root, served at /<slug>/')
        .requiredOption('--title <title>', 'what people call it')
        .option('--description <text>', 'what it is for')
        .action((slug, options) =>
          withHub(async ({ db }) => {
            const title = requireText('--title', options.title);
            const { description = null } = options;
            if (reserved.includes(slug)) throw new OperatorError(`"${slug}" is a path that the hub needs itself.`);
            const root = await db.transaction().execute(async tx => {
              const added = await insertApiRoot(tx, { slug: requireSlug('API root', slug), title, description });
              if (!added) throw new OperatorError(`There is an API root "${slug}" already.`);
              await appendAudit(tx, operator, { chain: hubChain, action: 'api-root-added', subject: slug });
              return added;
            });
            printResult(`Added ${slug}.`, root, options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list', 'list the API roots, the default one first').action(options =>
        withHub(async ({ db }) => printRows(await listApiRoots(db), options)),
      ),
    );
