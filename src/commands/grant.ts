import bytes from 'bytes';
import { Option } from 'commander';
import { changeGrant, toRecord } from '../auth/grants.ts';
import { operator } from '../db/audit.ts';
import { type GrantedRights, listGrants } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import { OperatorError } from '../errors.ts';
import { describeTlp, tlpLabels, tlpLevelOfLabel } from '../stix/tlp.ts';
import {
  describeCommand,
  printResult,
  printRows,
  requireCollection,
  requireKnownPartner,
  requirePartner,
  withHub,
} from './command.ts';

const quotaBytesMax = 2 ** 49;

export const grantCommand = () =>
  describeCommand('grant <partner> <collection> <right...>', 'let a partner read or write a collection, or both')
    .addOption(
      new Option('--tlp <level>', 'with read: the highest level that it may see; amber unless set').choices(tlpLabels),
    )
    .option('--see-partners', 'with write: told by name, not by sector, who has been handed its objects')
    .option('--no-see-partners', 'told by sector again')
    .option(
      '--quota <bytes>',
      'with write: what it may store there, such as 500MB or 10GB; 0 for all it likes, or default',
    )
    .action((slug, name, words: string[], options) =>
      withHub(async ({ db }) => {
        await requirePartner(db, slug);
        const rights = words.map(requireRight);
        if (options.tlp && !rights.includes('read')) throw new OperatorError('--tlp belongs to the right to read.');
        if (options.seePartners !== undefined && !rights.includes('write')) {
          throw new OperatorError('--see-partners belongs to the right to write.');
        }
        const quota = options.quota === undefined ? undefined : requireQuota(options.quota, rights);
        await changeAndPrint(db, slug, name, options, before => ({
          can_read: before.can_read || rights.includes('read'),
          can_write: before.can_write || rights.includes('write'),
          ...(options.tlp && { tlp_ceiling: tlpLevelOfLabel(options.tlp) }),
          ...(quota !== undefined && { quota_bytes: quota }),
          ...(options.seePartners !== undefined && { sees_partners: options.seePartners }),
        }));
      }),
    );

export const revokeGrantCommand = () =>
  describeCommand(
    'revoke-grant <partner> <collection> [right]',
    'take a right from a partner, or both, within a quarter of a second',
  ).action((slug, name, word: string | undefined, options) =>
    withHub(async ({ db }) => {
      const taken = word === undefined ? ['read', 'write'] : [requireRight(word)];
      await changeAndPrint(db, slug, name, options, before => ({
        can_read: before.can_read && !taken.includes('read'),
        can_write: before.can_write && !taken.includes('write'),
        ...(taken.includes('write') && { sees_partners: false }),
      }));
    }),
  );

export const grantsCommand = () =>
  describeCommand('grants [partner]', 'list what partners may do, whatever their tokens claim').action(
    (slug, options) =>
      withHub(async ({ db }) => {
        const partner = slug === undefined ? undefined : await requireKnownPartner(db, slug);
        const grants = await listGrants(db, partner?.id);
        printRows(
          grants.map(({ partner, collection, stored_bytes, created_at, ...grant }) => ({
            ...{ partner, collection, ...toRecord(grant), stored_bytes, created_at },
          })),
          options,
        );
      }),
  );

function requireRight(word: string): 'read' | 'write' {
  if (word === 'read' || word === 'write') return word;
  throw new OperatorError(`A right is read or write, not "${word}".`);
}

function requireQuota(text: string, rights: string[]): number | null {
  if (!rights.includes('write')) throw new OperatorError('--quota belongs to the right to write.');
  if (text === 'default') return null;
  // The library takes whatever begins with a number.
  const quota = /^\d+(\.\d+)? ?([kmgtp]?b)?$/i.test(text) ? bytes.parse(text) : null;
  if (quota !== null && quota <= quotaBytesMax) return quota;
  throw new OperatorError(`--quota takes up to 512TB such as 500MB or 10GB, 0 or default, not "${text}".`);
}

type Change = (before: GrantedRights) => Partial<GrantedRights>;

async function changeAndPrint(db: Db, slug: string, name: string, options: { json?: boolean }, change: Change) {
  const [partner, collection] = [await requireKnownPartner(db, slug), await requireCollection(db, name)];
  const grant = await changeGrant(db, partner, collection, operator, change);
  const { alias } = collection;
  const quota = grant.quota_bytes ? ` up to ${bytes.format(grant.quota_bytes)}` : '';
  const rights = [
    ...(grant.can_write ? [`write${quota}`] : []),
    ...(grant.can_read ? [`read up to ${describeTlp(grant.tlp_ceiling)}`] : []),
  ];
  const lines = [`${slug} may ${rights.join(' and ') || 'do nothing any more'} in ${alias}.`];
  if (grant.replay_above !== null) {
    lines.push(`What it may see now and has passed by: \`npx taxiway replay ${slug} ${alias}\` makes it come again.`);
  }
  printResult(lines.join('\n'), { partner: slug, collection: alias, ...toRecord(grant) }, options);
}
