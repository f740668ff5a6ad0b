import { Command } from 'commander';
import { partnerAlgorithms } from '../auth/partner-keys.ts';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { deleteIssuer, type Issuer, insertIssuer, listIssuers } from '../db/issuers.ts';
import { OperatorError } from '../errors.ts';
import type { Hub } from '../hub.ts';
import {
  describeCommand,
  printResult,
  printRows,
  requireKnownPartner,
  requirePartner,
  requireScope,
  withHub,
} from './command.ts';
import { readKeySource } from './key-source.ts';

interface IssuerOptions {
  issuer: string;
  jwksUri?: string;
  jwksFile?: string;
  audience?: string;
  scopeClaim?: string;
  scope?: string;
  algorithms: string;
}

export const issuerCommand = () =>
  new Command('issuer')
    .description('identity providers of partners, whose tokens the hub takes')
    .addCommand(
      describeCommand('add <partner>', 'let an issuer speak for a partner, and for that one alone')
        .requiredOption('--issuer <issuer>', 'the claim iss of its tokens, to the letter')
        .option('--jwks-uri <url>', 'where its public keys are published')
        .option('--jwks-file <file>', 'its public keys, where they are not published')
        .option('--audience <audience>', "the claim aud of its tokens; the hub's issuer where not given")
        .option('--scope-claim <name>', 'the claim that holds the scope; scope where not given')
        .option('--scope <scope>', 'a scope for all its tokens, whatever they claim')
        .option('--algorithms <list>', 'how its tokens may be signed', partnerAlgorithms.join(','))
        .action((slug, options) =>
          withHub(async hub => {
            const partner = await requirePartner(hub.db, slug);
            const issuer = await toIssuer(hub, options);
            await hub.db.transaction().execute(async tx => {
              if (!(await insertIssuer(tx, partner.id, issuer))) {
                throw new OperatorError(`The issuer "${issuer.issuer}" has been added already: remove it first.`);
              }
              const { jwks: _, ...details } = issuer;
              await appendAudit(tx, operator, { chain: hubChain, action: 'issuer-added', subject: slug, details });
            });
            const line = `${issuer.issuer} speaks for ${slug}. Its tokens must be for the audience ${issuer.audience}.`;
            printResult(line, toRecord({ ...issuer, partner: slug }), options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list [partner]', 'list the issuers').action((slug, options) =>
        withHub(async ({ db }) => {
          const partner = slug === undefined ? undefined : await requireKnownPartner(db, slug);
          printRows((await listIssuers(db, partner?.id)).map(toRecord), options);
        }),
      ),
    )
    .addCommand(
      describeCommand('remove <partner> <issuer>', 'stop its tokens within two seconds').action(
        (slug, issuer, options) =>
          withHub(async ({ db }) => {
            const partner = await requireKnownPartner(db, slug);
            await db.transaction().execute(async tx => {
              if (!(await deleteIssuer(tx, partner.id, issuer))) {
                throw new OperatorError(
                  `"${slug}" has no issuer "${issuer}": \`npx taxiway partner issuer list\` shows them.`,
                );
              }
              const details = { issuer };
              await appendAudit(tx, operator, { chain: hubChain, action: 'issuer-removed', subject: slug, details });
            });
            printResult(`${issuer} speaks for ${slug} no more.`, { partner: slug, issuer, removed: true }, options);
          }),
      ),
    );

async function toIssuer({ db, identity }: Hub, options: IssuerOptions): Promise<Issuer> {
  if (options.scope !== undefined && options.scopeClaim !== undefined) {
    throw new OperatorError('--scope is for all tokens, so that --scope-claim would not be looked at: leave one out.');
  }
  return {
    issuer: requireIssuer(options.issuer, identity.issuer),
    ...(await readKeySource(options)),
    audience: requirePrintable('--audience', options.audience ?? identity.issuer),
    scope_claim: requirePrintable('--scope-claim', options.scopeClaim ?? 'scope'),
    scope: options.scope === undefined ? null : await requireScope(db, options.scope),
    algorithms: requireAlgorithms(options.algorithms),
  };
}

function requireIssuer(text: string, own: string): string {
  if (text.toLowerCase() !== own) return requirePrintable('--issuer', text);
  throw new OperatorError('--issuer is the issuer of this hub itself: its tokens are good already.');
}

function requirePrintable(option: string, text: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new OperatorError(`${option} takes 1 to 255 ASCII characters without spaces, not "${text}".`);
}

function requireAlgorithms(text: string): string[] {
  const algorithms = text.split(',').map(one => one.trim());
  const unknown = algorithms.find(one => !partnerAlgorithms.includes(one));
  if (unknown === undefined) return algorithms;
  throw new OperatorError(`--algorithms takes some of ${partnerAlgorithms.join(',')}, not "${unknown}".`);
}

function toRecord({
  partner,
  issuer,
  jwks_uri,
  audience,
  scope,
  scope_claim,
  algorithms,
}: Issuer & { partner: string }) {
  const keys = jwks_uri ?? 'from a file';
  return { partner, issuer, keys, audience, scope: scope ?? `claim ${scope_claim}`, algorithms: algorithms.join(',') };
}
