import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import ms, { type StringValue } from 'ms';
import { toThumbprint } from '../auth/confirmation.ts';
import { findUngranted, parseScope } from '../auth/scopes.ts';
import { issueToken, revokeToken } from '../auth/tokens.ts';
import { operator } from '../db/audit.ts';
import { listGrantedCollections } from '../db/grants.ts';
import type { PartnerRow } from '../db/partners.ts';
import type { Db } from '../db/pool.ts';
import { listTokens } from '../db/tokens.ts';
import { OperatorError } from '../errors.ts';
import { isUuid } from '../taxii/uuid.ts';
import { describeCommand, printResult, printRows, requirePartner, requireScope, withHub } from './command.ts';

const ttlMsMax = ms('10y');

export const tokenCommand = () =>
  new Command('token')
    .description('what partners present: JWTs signed by the hub')
    .addCommand(
      describeCommand('issue <partner>', 'sign a token and print it; it is not kept and cannot be shown again')
        .requiredOption('--scope <scope>', 'such as "collection:campaign:read collection:campaign:write"; * for all')
        .requiredOption('--ttl <time>', 'how long it is good, such as 90d or 12h')
        .option('--certificate <file>', 'the client certificate (PEM) without which it is worth nothing')
        .action((slug, options) =>
          withHub(async ({ db, identity }) => {
            const partner = await requirePartner(db, slug);
            const scope = await requireScope(db, options.scope);
            const ttlMs = requireTtl(options.ttl);
            await requireGranted(db, partner, scope);
            const certificate = await readThumbprint(options.certificate);
            const request = { partnerId: partner.id, partner: slug, scope, ttlMs, certificate };
            const issued = await db.transaction().execute(tx => issueToken(tx, identity, operator, request));
            printResult(issued.token, { ...issued, partner: slug, scope, certificate }, options);
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

async function readThumbprint(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const pem = await readFile(file);
  try {
    return toThumbprint(new X509Certificate(pem));
  } catch {
    throw new OperatorError(`"${file}" is not a certificate in PEM.`);
  }
}
