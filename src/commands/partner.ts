import { Command } from 'commander';
import { parseNetwork } from '../auth/addresses.ts';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { insertPartner, listPartners, type PartnerRow, setPartnerAddresses, setPartnerState } from '../db/partners.ts';
import { OperatorError } from '../errors.ts';
import { clientCommand } from './client.ts';
import {
  describeCommand,
  printResult,
  printRows,
  requireKnownPartner,
  requireSlug,
  requireText,
  withHub,
} from './command.ts';
import { issuerCommand } from './issuer.ts';
import { identityCommand } from './partner-identity.ts';

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
            if (slug === operator.name) throw new OperatorError(`"${slug}" is what the audit log calls the operator.`);
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
    .addCommand(addressesCommand())
    .addCommand(
      stateCommand('disable', 'disabled', 'stop all tokens of a partner within two seconds; its objects stay'),
    )
    .addCommand(stateCommand('enable', 'enabled', 'let the tokens of a partner work again'))
    .addCommand(issuerCommand())
    .addCommand(clientCommand())
    .addCommand(identityCommand());

const addressesCommand = () =>
  describeCommand('addresses <slug> [network...]', 'show or set from where a partner may come, within two seconds')
    .option('--any', 'from anywhere')
    .action((slug, texts: string[], options) =>
      withHub(async ({ db }) => {
        if (options.any && texts.length > 0) throw new OperatorError('Give either networks or --any.');
        const partner = await requireKnownPartner(db, slug);
        const networks = [...new Set(texts.map(requireNetwork))];
        const addresses = networks.length > 0 ? networks : options.any ? null : partner.addresses;
        if (options.any || networks.length > 0) {
          await db.transaction().execute(async tx => {
            await setPartnerAddresses(tx, partner.id, addresses);
            const entry = { action: 'partner-addresses-changed', subject: slug, details: { addresses } };
            await appendAudit(tx, operator, { chain: hubChain, ...entry });
          });
        }
        const line = `${slug} may come from ${addresses?.join(', ') ?? 'anywhere'}.`;
        printResult(line, { slug, addresses }, options);
      }),
    );

function requireNetwork(text: string): string {
  const network = parseNetwork(text);
  if (network) return network;
  throw new OperatorError(`A network is an address or CIDR such as 192.0.2.0/24 or 2001:db8::/32, not "${text}".`);
}

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
