import { Command } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { insertPartner, listPartners, type PartnerRow, setPartnerState } from '../db/partners.ts';
import { OperatorError } from '../errors.ts';
import { clientCommand } from './client.ts';
import { describeCommand, printResult, printRows, requireSlug, requireText, withHub } from './command.ts';
import { issuerCommand } from './issuer.ts';

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
            const partner = await db.transaction().execute(async tx => {
              const added = await insertPartner(tx, { slug: requireSlug('partner', slug), name, sector });
              if (!added) throw new OperatorError(`There is a partner "${slug}" already.`);
              await appendAudit(tx, operator, { chain: hubChain, action: 'partner-added', subject: slug });
              return added;
            });
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
    .addCommand(stateCommand('enable', 'enabled', 'let the tokens of a partner work again'))
    .addCommand(issuerCommand())
    .addCommand(clientCommand());

function stateCommand(verb: string, state: 'enabled' | 'disabled', description: string): Command {
  return describeCommand(`${verb} <slug>`, description).action((slug, options) =>
    withHub(async ({ db }) => {
      const partner = await db.transaction().execute(async tx => {
        const changed = await setPartnerState(tx, slug, state);
        if (!changed)
          throw new OperatorError(`There is no partner "${slug}": \`npx taxiway partner list\` shows them.`);
        await appendAudit(tx, operator, { chain: hubChain, action: `partner-${state}`, subject: slug });
        return changed;
      });
      printResult(`${slug} is ${state}.`, toRecord(partner), options);
    }),
  );
}

function toRecord({ id: _, ...partner }: PartnerRow) {
  return partner;
}
