import { Command } from 'commander';
import ms, { type StringValue } from 'ms';
import { parseScope } from '../auth/scopes.ts';
import { issueToken } from '../auth/tokens.ts';
import type { Db } from '../db/pool.ts';
import { listTokens, revokeToken } from '../db/tokens.ts';
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
            const issued = await issueToken(db, identity, { partnerId: partner.id, partner: slug, scope, ttlMs });
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
          const isKnown = isUuid(jti) && (await revokeToken(db, jti));
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

function requireTtl(text: string): number {
  const ttlMs = /^\d+ ?[a-z]+$/.test(text) ? ms(text as StringValue) : undefined;
  if (ttlMs !== undefined && ttlMs >= 1000 && ttlMs <= ttlMsMax) return ttlMs;
  throw new OperatorError(`--ttl takes a time from 1s to 10y such as 90d or 12h, not "${text}".`);
}
