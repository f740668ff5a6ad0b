import bytes from 'bytes';
import { Option } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { deleteGrant, findGrant, type Grant, listGrants, putGrant } from '../db/grants.ts';
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
const nothing: Grant = { can_read: false, can_write: false, tlp_ceiling: tlpLevelOfLabel('amber'), quota_bytes: null };

export const grantCommand = () =>
  describeCommand('grant <partner> <collection> <right...>', 'let a partner read or write a collection, or both')
    .addOption(
      new Option('--tlp <level>', 'with read: the highest level that it may see; amber unless set').choices(tlpLabels),
    )
    .option(
      '--quota <bytes>',
      'with write: what it may store there, such as 500MB or 10GB; 0 for all it likes, or default',
    )
    .action((slug, name, words: string[], options) =>
      withHub(async ({ db }) => {
        await requirePartner(db, slug);
        const rights = words.map(requireRight);
        if (options.tlp && !rights.includes('read')) throw new OperatorError('--tlp belongs to the right to read.');
        const quota = options.quota === undefined ? {} : { quota_bytes: requireQuota(options.quota, rights) };
        const changed = await changeGrant(db, slug, name, (before = nothing) => ({
          ...before,
          can_read: before.can_read || rights.includes('read'),
          can_write: before.can_write || rights.includes('write'),
          ...(options.tlp && { tlp_ceiling: tlpLevelOfLabel(options.tlp) }),
          ...quota,
        }));
        printGrant(changed, options);
      }),
    );

export const revokeGrantCommand = () =>
  describeCommand(
    'revoke-grant <partner> <collection> [right]',
    'take a right from a partner, or both, at once',
  ).action((slug, name, word: string | undefined, options) =>
    withHub(async ({ db }) => {
      const taken = word === undefined ? ['read', 'write'] : [requireRight(word)];
      const changed = await changeGrant(db, slug, name, before => {
        if (!before) throw new OperatorError(`"${slug}" has no grant in "${name}": \`npx taxiway grants\` shows them.`);
        return {
          ...before,
          can_read: before.can_read && !taken.includes('read'),
          can_write: before.can_write && !taken.includes('write'),
        };
      });
      printGrant(changed, options);
    }),
  );

export const grantsCommand = () =>
  describeCommand('grants [partner]', 'list what partners may do, whatever their tokens claim').action(
    (slug, options) =>
      withHub(async ({ db }) => {
        const partner = slug === undefined ? undefined : await requireKnownPartner(db, slug);
        printRows((await listGrants(db, partner?.id)).map(toRecord), options);
      }),
  );

interface ChangedGrant extends Grant {
  partner: string;
  collection: string;
}

async function changeGrant(
  db: Db,
  slug: string,
  name: string,
  change: (before: Grant | undefined) => Grant,
): Promise<ChangedGrant> {
  const partner = await requireKnownPartner(db, slug);
  const collection = await requireCollection(db, name);
  return db.transaction().execute(async tx => {
    const grant = change(await findGrant(tx, partner.id, collection.id));
    if (grant.can_read || grant.can_write) await putGrant(tx, partner.id, collection.id, grant);
    else await deleteGrant(tx, partner.id, collection.id);
    const changed = { ...grant, partner: slug, collection: collection.alias };
    const { partner: subject, ...details } = toRecord(changed);
    await appendAudit(tx, operator, { chain: hubChain, action: 'grant-changed', subject, details });
    return changed;
  });
}

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

function printGrant(grant: ChangedGrant, options: { json?: boolean }): void {
  const { partner, collection, can_read, can_write, tlp_ceiling, quota_bytes } = grant;
  const quota = quota_bytes ? ` up to ${bytes.format(quota_bytes)}` : '';
  const rights = [
    ...(can_write ? [`write${quota}`] : []),
    ...(can_read ? [`read up to ${describeTlp(tlp_ceiling)}`] : []),
  ];
  const line = `${partner} may ${rights.join(' and ') || 'do nothing any more'} in ${collection}.`;
  printResult(line, toRecord(grant), options);
}

function toRecord<Row extends Grant & { partner: string; collection: string }>({ tlp_ceiling, ...row }: Row) {
  const { partner, collection, can_read, can_write, ...rest } = row;
  return { partner, collection, can_read, can_write, tlp: can_read ? tlpLabels[tlp_ceiling] : null, ...rest };
}
