import { Command } from 'commander';
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
            const root = await insertApiRoot(db, { slug: requireSlug('API root', slug), title, description });
            if (!root) throw new OperatorError(`There is an API root "${slug}" already.`);
            printResult(`Added ${slug}.`, root, options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list', 'list the API roots, the default one first').action(options =>
        withHub(async ({ db }) => printRows(await listApiRoots(db), options)),
      ),
    );
