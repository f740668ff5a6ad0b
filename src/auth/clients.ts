import { createHash } from 'node:crypto';
import { decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { type ClientRow, findClient, insertAssertion } from '../db/clients.ts';
import { asUnavailable, type Db } from '../db/pool.ts';
import { HubError } from '../errors.ts';
import { fromMicros } from '../taxii/timestamp.ts';
import { isUuid } from '../taxii/uuid.ts';
import { createSecretComparison } from './client-secrets.ts';
import { partnerAlgorithms, rememberPartnerKeys } from './partner-keys.ts';
import type { ClientCredential } from './token-request.ts';

const clockToleranceSeconds = 10;
const assertionSecondsMax = 300;

/** The names by which an assertion may mean this hub: its token endpoint, or its issuer (RFC 7523 §3). */
export type Audience = [tokenEndpoint: string, issuer: string];

/**
 * @returns what finds the client that a credential belongs to. It throws HubError oauth-client-invalid, with the same
 * words and the same work whether there is no such client or its secret is another
 */
export function createClientAuthenticator(
  db: Db,
): (credential: ClientCredential, audience: Audience) => Promise<ClientRow> {
  const isSecret = createSecretComparison();
  const keysOf = rememberPartnerKeys();

  const verifyAssertion = async (assertion: string, claimed: string | undefined, audience: Audience) => {
    const { sub: clientId = '' } = decodeJwt(assertion);
    const client = await findKnown(db, clientId);
    if (!client || (claimed !== undefined && claimed !== clientId)) throw new Error('there is no such client');
    const { payload } = await jwtVerify(assertion, keysOf(client), {
      algorithms: partnerAlgorithms,
      issuer: client.id,
      subject: client.id,
      audience,
      requiredClaims: ['exp', 'jti'],
      clockTolerance: clockToleranceSeconds,
    });
    await useAssertion(db, client.id, payload);
    return client;
  };

  return async (credential, audience) => {
    if (credential.method !== 'private_key_jwt') {
      const client = await findKnown(db, credential.clientId);
      if (await isSecret(credential.secret, client?.secret ?? undefined)) return client as ClientRow;
      throw clientInvalid(new Error(client ? `the secret of ${client.id} is another` : 'there is no such client'));
    }
    return verifyAssertion(credential.assertion, credential.clientId, audience).catch(error => {
      throw asUnavailable(error) ?? clientInvalid(error);
    });
  };
}

// Only what can be an id is asked for.
async function findKnown(db: Db, clientId: unknown): Promise<ClientRow | undefined> {
  return typeof clientId === 'string' && isUuid(clientId) ? findClient(db, clientId) : undefined;
}

/**
 * Checks that an assertion is for this hub alone, short-lived, and used for the first time on any node (RFC 7523 §3).
 * @throws Error
 */
async function useAssertion(db: Db, clientId: string, { aud, exp = 0, iat, jti }: JWTPayload) {
  const latest = Date.now() / 1000 + clockToleranceSeconds;
  // Whoever else is named could use it here.
  if (Array.isArray(aud) && aud.length > 1) throw new Error('the claim aud names others too');
  if (exp > latest + assertionSecondsMax) throw new Error('the claim exp is too far away');
  if (iat !== undefined && iat > latest) throw new Error('the claim iat lies in the future');
  const digest = createHash('sha256')
    .update(JSON.stringify([clientId, jti]))
    .digest();
  const expiresAt = fromMicros(BigInt(Math.ceil(exp)) * 1_000_000n);
  if (!(await insertAssertion(db, digest, expiresAt))) throw new Error('the assertion has been used already');
}

/** The one answer to whoever is not a client that may have tokens; why stands in the log alone. */
export function clientInvalid(cause: unknown): HubError {
  return new HubError('oauth-client-invalid', 'The client could not be authenticated.', { cause });
}
