import { Command } from 'commander';
import { insertPartner, listPartners, type PartnerRow, setPartnerState } from '../db/partners.ts';
import { OperatorError } from '../errors.ts';
import { describeCommand, printResult, printRows, requireSlug, requireText, withHub } from './command.ts';

export const partnerCommand = () =>
  new Command('partner')
    .description('the organisations that share through the hub')
    .addCommand(
      describeCommand('add <slug>', 'add a partner')
        .requiredOption('--name <name>', 'what people call it')
        .requiredOption('--sector <sector>', 'such as finance, law-enforcement, academia')
        .action((slug, options) =>
          withHub(async ({ db }) => {
            const name = requireText('--name', options.name);
            const sector = requireText('--sector', options.sector);
            const partner = await insertPartner(db, { slug: requireSlug('partner', slug), name, sector });
            if (!partner) throw new OperatorError(`There is a partner "${slug}" already.`);
            printResult(`Added ${slug}.`, toRecord(partner), options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list', 'list the partners').action(options =>
        withHub(async ({ db }) => printRows((await listPartners(db)).map(toRecord), options)),
      ),
    )
    .addCommand(
      stateCommand('disable', 'disabled', 'stop all tokens of a partner within two seconds; its objects stay'),
    )
    .addCommand(stateCommand('enable', 'enabled', 'let the tokens of a partner work again'));

function stateCommand(verb: string, state: 'enabled' | 'disabled', description: string): Command {
  return describeCommand(`${verb} <slug>`, description).action((slug, options) =>
    withHub(async ({ db }) => {
      const partner = await setPartnerState(db, slug, state);
      if (!partner) throw new OperatorError(`There is no partner "${slug}": \`npx taxiway partner list\` shows them.`);
      printResult(`${slug} is ${state}.`, toRecord(partner), options);
    }),
  );
}

function toRecord({ id: _, ...partner }: PartnerRow) {
  return partner;
}
