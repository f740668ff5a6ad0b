import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { hashSecret, makeSecret } from '../auth/client-secrets.ts';
import { appendAudit, hubChain, operator } from '../db/audit.ts';
import { type Client, deleteClient, insertClient, listClients } from '../db/clients.ts';
import { setClientTokensRevoked } from '../db/tokens.ts';
import { OperatorError } from '../errors.ts';
import { isUuid } from '../taxii/uuid.ts';
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

export const clientCommand = () =>
  new Command('client')
    .description('programs of partners that get short-lived tokens at /oauth2/token')
    .addCommand(
      describeCommand('add <partner>', 'add a client and print its id, and its secret, which cannot be shown again')
        .option(
          '--scope <scope>',
          'the most that it may ask for; all that the partner has been granted where not given',
        )
        .option('--secret', 'it sends a secret, which the hub makes')
        .option('--jwks-uri <url>', 'it signs assertions; its public keys are published there')
        .option('--jwks-file <file>', 'it signs assertions; its public keys')
        .action((slug, options) =>
          withHub(async ({ db }) => {
            const partner = await requirePartner(db, slug);
            const scope = options.scope === undefined ? null : await requireScope(db, options.scope);
            const { secret, stored } = await makeCredential(options);
            const client: Client = { id: randomUUID(), scope, ...stored };
            const authentication = describeAuthentication(client);
            await db.transaction().execute(async tx => {
              await insertClient(tx, partner.id, client);
              const details = { client_id: client.id, scope, authentication };
              await appendAudit(tx, operator, { chain: hubChain, action: 'client-added', subject: slug, details });
            });
            const printed = { client_id: client.id, ...(secret && { client_secret: secret }) };
            const lines = Object.entries(printed).map(([name, value]) => `${name}: ${value}`);
            printResult(lines.join('\n'), { ...printed, partner: slug, scope, authentication }, options);
          }),
        ),
    )
    .addCommand(
      describeCommand('list [partner]', 'list the clients').action((slug, options) =>
        withHub(async ({ db }) => {
          const partner = slug === undefined ? undefined : await requireKnownPartner(db, slug);
          const rows = (await listClients(db, partner?.id)).map(client => ({
            client_id: client.id,
            partner: client.partner,
            scope: client.scope,
            authentication: describeAuthentication(client),
            created_at: client.created_at,
          }));
          printRows(rows, options);
        }),
      ),
    )
    .addCommand(
      describeCommand('remove <client-id>', 'give it no more tokens, and stop those it has within two seconds').action(
        (id, options) =>
          withHub(async ({ db }) => {
            await db.transaction().execute(async tx => {
              const subject = isUuid(id) ? await deleteClient(tx, id) : undefined;
              if (subject === undefined) {
                throw new OperatorError(`There is no client "${id}": \`npx taxiway partner client list\` shows them.`);
              }
              await setClientTokensRevoked(tx, id);
              const details = { client_id: id };
              await appendAudit(tx, operator, { chain: hubChain, action: 'client-removed', subject, details });
            });
            printResult(`Removed ${id}.`, { client_id: id, removed: true }, options);
          }),
      ),
    );

interface CredentialOptions {
  secret?: true;
  jwksUri?: string;
  jwksFile?: string;
}

/** What is kept of a client's credential, and its secret in clear, which is not. */
async function makeCredential(options: CredentialOptions) {
  if ([options.secret, options.jwksUri, options.jwksFile].filter(one => one !== undefined).length !== 1) {
    throw new OperatorError('A client has a secret or keys: --secret, --jwks-uri or --jwks-file, one of them.');
  }
  if (!options.secret) return { secret: null, stored: { secret: null, ...(await readKeySource(options)) } };
  const secret = makeSecret();
  return { secret, stored: { secret: await hashSecret(secret), jwks_uri: null, jwks: null } };
}

function describeAuthentication({ secret, jwks_uri }: Client): string {
  return secret === null ? `private_key_jwt, keys ${jwks_uri ?? 'from a file'}` : 'client_secret';
}
