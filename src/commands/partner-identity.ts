import { Command } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { deletePartnerIdentity, insertPartnerIdentity, listPartnerIdentities } from '../db/partner-identities.ts';
import { OperatorError } from '../errors.ts';
import type { Hub } from '../hub.ts';
import { isIdentifier, typeOfIdentifier } from '../stix/identifier.ts';
import { describeCommand, printResult, printRows, requireKnownPartner, withHub } from './command.ts';

export const identityCommand = () =>
  new Command('identity')
    .description('the STIX identities that stand for a partner, which anonymous collections must not show')
    .addCommand(
      describeCommand('add <slug> <identity>', 'note that an identity--… stands for a partner').action(
        (slug, text, options) =>
          withHub(async hub => {
            const partner = await requireKnownPartner(hub.db, slug);
            const identity = requireIdentity(hub, text);
            await hub.db.transaction().execute(async tx => {
              const holder = await insertPartnerIdentity(tx, partner.id, identity);
              if (holder !== slug) throw new OperatorError(`${identity} stands for "${holder}" already.`);
              const entry = { action: 'identity-added', subject: slug, details: { identity } };
              await appendAudit(tx, operator, { chain: hubChain, ...entry });
            });
            printResult(`${identity} stands for ${slug}.`, { partner: slug, identity }, options);
          }),
      ),
    )
    .addCommand(
      describeCommand('list [slug]', 'list the identities of all partners, or of one').action((slug, options) =>
        withHub(async ({ db }) => {
          const partner = slug === undefined ? undefined : await requireKnownPartner(db, slug);
          printRows(await listPartnerIdentities(db, partner?.id), options);
        }),
      ),
    )
    .addCommand(
      describeCommand('remove <slug> <identity>', 'forget that an identity stands for a partner').action(
        (slug, text, options) =>
          withHub(async hub => {
            const partner = await requireKnownPartner(hub.db, slug);
            const identity = requireIdentity(hub, text);
            await hub.db.transaction().execute(async tx => {
              const isRemoved = await deletePartnerIdentity(tx, partner.id, identity);
              if (!isRemoved) throw new OperatorError(`${identity} does not stand for "${slug}".`);
              const entry = { action: 'identity-removed', subject: slug, details: { identity } };
              await appendAudit(tx, operator, { chain: hubChain, ...entry });
            });
            printResult(`${identity} does not stand for ${slug} any more.`, { partner: slug, identity }, options);
          }),
      ),
    );

function requireIdentity({ identity }: Hub, text: string): string {
  if (!isIdentifier(text) || typeOfIdentifier(text) !== 'identity') {
    throw new OperatorError(`An identity is a STIX id such as identity--<UUID>, not "${text}".`);
  }
  if (text.toLowerCase() !== identity.stixId) return text.toLowerCase();
  throw new OperatorError(`${text} is the identity of the hub itself, which stands for no partner.`);
}
