import { Option } from 'commander';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { lockCollection } from '../db/collections.ts';
import { deleteGrant, findGrant, type Grant, type GrantedRights, listGrants, putGrant } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import { OperatorError } from '../errors.ts';
import { describeTlp, type TlpLevel, tlpLabels, tlpLevelOfLabel } from '../stix/tlp.ts';
import {
  describeCommand,
  printResult,
  printRows,
  requireCollection,
  requireKnownPartner,
  requirePartner,
  withHub,
} from './command.ts';

const nothing: GrantedRights = { can_read: false, can_write: false, tlp_ceiling: tlpLevelOfLabel('amber') };

export const grantCommand = () =>
  describeCommand('grant <partner> <collection> <right...>', 'let a partner read or write a collection, or both')
    .addOption(
      new Option('--tlp <level>', 'with read: the highest level that it may see; amber unless set').choices(tlpLabels),
    )
    .action((slug, name, words: string[], options) =>
      withHub(async ({ db }) => {
        await requirePartner(db, slug);
        const rights = words.map(requireRight);
        if (options.tlp && !rights.includes('read')) throw new OperatorError('--tlp belongs to the right to read.');
        const changed = await changeGrant(db, slug, name, before => ({
          can_read: before.can_read || rights.includes('read'),
          can_write: before.can_write || rights.includes('write'),
          tlp_ceiling: options.tlp ? tlpLevelOfLabel(options.tlp) : before.tlp_ceiling,
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
      const changed = await changeGrant(db, slug, name, before => ({
        can_read: before.can_read && !taken.includes('read'),
        can_write: before.can_write && !taken.includes('write'),
        tlp_ceiling: before.tlp_ceiling,
      }));
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

interface ChangedGrant extends GrantedRights {
  partner: string;
  collection: string;
  replay_above: TlpLevel | null;
}

async function changeGrant(
  db: Db,
  slug: string,
  name: string,
  change: (before: GrantedRights) => GrantedRights,
): Promise<ChangedGrant> {
  const partner = await requireKnownPartner(db, slug);
  const collection = await requireCollection(db, name);
  return db.transaction().execute(async tx => {
    // Nothing is added meanwhile, so that it is clear what the partner has passed by under its old ceiling.
    const { date_added_last } = await lockCollection(tx, collection.id);
    const before = await findGrant(tx, partner.id, collection.id);
    const rights = change(before ?? nothing);
    const replay_above = before?.can_read ? findUncovered(before, rights.tlp_ceiling) : null;
    const replay_until = replay_above === null ? null : date_added_last;
    const grant = { ...rights, replay_above, replay_until };
    if (rights.can_read || rights.can_write) await putGrant(tx, partner.id, collection.id, grant);
    else await deleteGrant(tx, partner.id, collection.id);
    const changed = { partner: slug, collection: collection.alias, ...rights, replay_above };
    const { partner: subject, ...details } = toRecord(changed);
    await appendAudit(tx, operator, { chain: hubChain, action: 'grant-changed', subject, details });
    return changed;
  });
}

/** The level above which objects are behind the partner's cursor once its ceiling is changed; null: none are. */
function findUncovered({ tlp_ceiling, replay_above }: Grant, ceiling: TlpLevel): TlpLevel | null {
  const lowest = Math.min(replay_above ?? tlp_ceiling, tlp_ceiling);
  return lowest < ceiling ? lowest : null;
}

function requireRight(word: string): 'read' | 'write' {
  if (word === 'read' || word === 'write') return word;
  throw new OperatorError(`A right is read or write, not "${word}".`);
}

function printGrant(grant: ChangedGrant, options: { json?: boolean }): void {
  const { partner, collection, can_read, can_write, tlp_ceiling, replay_above } = grant;
  const rights = [...(can_write ? ['write'] : []), ...(can_read ? [`read up to ${describeTlp(tlp_ceiling)}`] : [])];
  const lines = [
    `${partner} may ${rights.join(' and ') || 'do nothing any more'} in ${collection}.`,
    ...(replay_above === null
      ? []
      : [
          `What it may see now and has passed by: \`npx taxiway replay ${partner} ${collection}\` makes it come again.`,
        ]),
  ];
  printResult(lines.join('\n'), toRecord(grant), options);
}

function toRecord<Row extends GrantedRights & { partner: string; collection: string }>(row: Row) {
  const { partner, collection, can_read, can_write, tlp_ceiling } = row;
  return { partner, collection, can_read, can_write, tlp: can_read ? tlpLabels[tlp_ceiling] : null };
}
