import { Command } from 'commander';
import ms, { type StringValue } from 'ms';
import { findUngranted, parseScope } from '../auth/scopes.ts';
import { issueToken, revokeToken } from '../auth/tokens.ts';
import { operator } from '../db/audit.ts';
import { listGrantedCollections } from '../db/grants.ts';
import type { PartnerRow } from '../db/partners.ts';
import type { Db } from '../db/pool.ts';
import { listTokens } from '../db/tokens.ts';
import { OperatorError } from '../errors.ts';
import { isUuid } from '../taxii/uuid.ts';
import { describeCommand, printResult, printRows, requireCollection, requirePartner, withHub } from './command.ts';

const ttlMsMax = ms('10y');

export const tokenCommand = () =>
  new Command('token')
    .description('what partners present: JWTs signed by the hub')
    .addCommand(
      describeCommand('issue <partner>', 'sign a token and print it; it is not kept and cannot be shown again')
        .requiredOption('--scope <scope>', 'such as "collection:campaign:read collection:campaign:write"; * for all')
        .requiredOption('--ttl <time>', 'how long it is good, such as 90d or 12h')
        .action((slug, options) =>
          withHub(async ({ db, identity }) => {
            const partner = await requirePartner(db, slug);
            const scope = await requireScope(db, options.scope);
            const ttlMs = requireTtl(options.ttl);
            await requireGranted(db, partner, scope);
            const request = { partnerId: partner.id, partner: slug, scope, ttlMs };
            const issued = await db.transaction().execute(tx => issueToken(tx, identity, operator, request));
            printResult(issued.token, { ...issued, partner: slug, scope }, options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list', 'list the tokens that were issued, newest first').action(options =>
        withHub(async ({ db }) => printRows(await listTokens(db), options)),
      ),
    )
    .addCommand(
      describeCommand('revoke <jti>', 'stop a token within two seconds').action((jti, options) =>
        withHub(async ({ db }) => {
          const isKnown = isUuid(jti) && (await db.transaction().execute(tx => revokeToken(tx, operator, jti)));
          if (!isKnown) throw new OperatorError(`There is no token "${jti}": \`npx taxiway token list\` shows them.`);
          printResult(`Revoked ${jti}.`, { jti, revoked: true }, options);
        }),
      ),
    );

async function requireScope(db: Db, text: string): Promise<string> {
  const scopes = parseScope(text);
  if (!scopes) throw new OperatorError(`--scope takes words like collection:<alias or id or *>:read, not "${text}".`);
  const words = scopes.map(async ({ collection, right }) => {
    const found = collection === '*' ? undefined : await requireCollection(db, collection);
    // By its id as the hub writes it, or by its alias: rights are compared as text.
    return `collection:${found && isUuid(collection) ? found.id : collection}:${right}`;
  });
  return (await Promise.all(words)).join(' ');
}

// A token beyond them would not be wrong, but it would not do what its holder expects.
async function requireGranted(db: Db, partner: PartnerRow, scope: string): Promise<void> {
  const ungranted = findUngranted(parseScope(scope) ?? [], await listGrantedCollections(db, partner.id));
  if (!ungranted) return;
  const collection = ungranted.collection === '*' ? '<collection>' : ungranted.collection;
  throw new OperatorError(
    `"${partner.slug}" has not been granted collection:${ungranted.collection}:${ungranted.right}. ` +
      `\`npx taxiway grant ${partner.slug} ${collection} ${ungranted.right}\` grants it.`,
  );
}

function requireTtl(text: string): number {
  const ttlMs = /^\d+ ?[a-z]+$/.test(text) ? ms(text as StringValue) : undefined;
  if (ttlMs !== undefined && ttlMs >= 1000 && ttlMs <= ttlMsMax) return ttlMs;
  throw new OperatorError(`--ttl takes a time from 1s to 10y such as 90d or 12h, not "${text}".`);
}
