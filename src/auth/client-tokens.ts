import type { Actor } from '../db/audit.ts';
import { type ClientRow, lockClient } from '../db/clients.ts';
import { type GrantedCollection, listGrantedCollections } from '../db/grants.ts';
import type { Tx } from '../db/pool.ts';
import { countLivingTokens } from '../db/tokens.ts';
import { HubError } from '../errors.ts';
import { clientInvalid } from './clients.ts';
import type { HubIdentity } from './hub-identity.ts';
import { parseScope, type Rights, rightsIn, type Scope } from './scopes.ts';
import { issueToken } from './tokens.ts';

// A token travels in a header, of which many proxies take 8 KiB.
const scopeCharactersMax = 4000;

// Each leaves a row in the audit log. A program that asks for a token at each poll stays far below.
const livingTokensMax = 500;

/**
 * Issues a short-lived token to a client that has been authenticated.
 * @param request the scope that it asks for; undefined: all that it may have
 * @returns the token, and its scope
 * @throws HubError oauth-client-invalid where the client has been removed since or its partner is disabled,
 * oauth-scope-invalid where it asks for more than it may have, oauth-client-unauthorized where it may have nothing,
 * too-many-requests where it has more tokens than it can use
 */
export async function issueClientToken(
  tx: Tx,
  identity: HubIdentity,
  client: ClientRow,
  request: { scope: string | undefined; ttlMs: number; requestId: string; certificate?: string | undefined },
): Promise<{ token: string; scope: string }> {
  if (!(await lockClient(tx, client.id))) {
    throw clientInvalid(new Error(`${client.id} has been removed, or its partner is disabled`));
  }
  if ((await countLivingTokens(tx, client.id, livingTokensMax)) >= livingTokensMax) {
    throw new HubError(
      'too-many-requests',
      `You hold ${livingTokensMax} tokens that are good still. Use one until it expires before you ask for another.`,
      { retryAfterSeconds: Math.ceil(request.ttlMs / 1000) },
    );
  }
  const scope = narrowScope(request.scope, client.scope, await listGrantedCollections(tx, client.partner_id));
  const { partner_id: partnerId, partner, id: clientId } = client;
  const { ttlMs, certificate } = request;
  const actor: Actor = { name: partner, token: `client:${clientId}`, requestId: request.requestId };
  const { token } = await issueToken(tx, identity, actor, { partnerId, partner, scope, ttlMs, certificate, clientId });
  return { token, scope };
}

/** What is asked for, where the client and the grants of its partner allow it; all that they allow where nothing is. */
function narrowScope(asked: string | undefined, own: string | null, granted: GrantedCollection[]): string {
  const ownScopes = parseScope(own ?? 'collection:*:read collection:*:write') ?? [];
  const allowed = granted.flatMap(collection => toWords(collection, rightsIn(ownScopes, collection)));
  if (allowed.length === 0) {
    throw new HubError('oauth-client-unauthorized', 'Nothing has been granted to this client. Ask the operator.');
  }
  const scopes = asked === undefined ? undefined : parseScope(asked);
  if (asked !== undefined && !scopes) {
    throw scopeInvalid('The scope takes words like collection:campaign:read, separated by spaces.');
  }
  const words = scopes?.flatMap(one => requireAllowed(one, ownScopes, allowed)) ?? allowed.map(({ word }) => word);
  const scope = [...new Set(words)].join(' ');
  if (scope.length > scopeCharactersMax) {
    throw scopeInvalid('The scope would be too long for a header. Ask for some of the collections.');
  }
  return scope;
}

interface Allowed extends Scope {
  id: string;
  word: string;
}

function toWords({ id, alias }: GrantedCollection, rights: Rights): Allowed[] {
  return (['read', 'write'] as const)
    .filter(right => rights[right])
    .map(right => ({ id, collection: alias, right, word: `collection:${alias}:${right}` }));
}

function requireAllowed(one: Scope, own: Scope[], allowed: Allowed[]): string[] {
  const named = allowed.filter(
    ({ id, collection, right }) => right === one.right && ['*', id, collection].includes(one.collection),
  );
  if (named.length === 0) throw scopeInvalid('The scope goes beyond what has been granted to this client.');
  // Only for who may have all of them does * stay what it is; the grants bound it at each request.
  const isWhole = one.collection === '*' && own.some(scope => scope.collection === '*' && scope.right === one.right);
  return isWhole ? [`collection:*:${one.right}`] : named.map(({ word }) => word);
}

function scopeInvalid(message: string): HubError {
  return new HubError('oauth-scope-invalid', message);
}
