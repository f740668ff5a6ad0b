import { HubError } from '../errors.ts';

/** How a client says who it is (RFC 6749 §2.3, RFC 7523 §2.2). */
export type ClientCredential =
  | { method: 'client_secret_basic' | 'client_secret_post'; clientId: string; secret: string }
  | { method: 'private_key_jwt'; clientId: string | undefined; assertion: string };

/** A request for a token by client credentials (RFC 6749 §4.4.2). */
export interface ClientTokenRequest {
  credential: ClientCredential;
  /** undefined: all that there is */
  scope: string | undefined;
}

/** The ways to authenticate, as RFC 8414 §2 lists them. */
export const authenticationMethods: ClientCredential['method'][] = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
];

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Reads the body of a token request, and its Authorization header.
 * @throws HubError oauth-request-invalid, oauth-grant-type-unsupported or oauth-client-invalid
 */
export function readTokenRequest(body: string, authorization: string | undefined): ClientTokenRequest {
  const form = readForm(body);
  const grantType = form.get('grant_type');
  if (grantType === undefined) throw invalid('The parameter grant_type is missing: send client_credentials.');
  if (grantType !== 'client_credentials') {
    throw new HubError('oauth-grant-type-unsupported', 'The one grant_type here is client_credentials.');
  }
  return { credential: readClientCredential(form, authorization), scope: form.get('scope') };
}

// RFC 6749 §3.2: a parameter without a value is as good as left out, and none may come twice.
function readForm(body: string): Map<string, string> {
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (form.has(name)) throw invalid('A parameter came twice.');
    form.set(name, value);
  }
  return new Map([...form].filter(([, value]) => value !== ''));
}

function readClientCredential(form: Map<string, string>, authorization: string | undefined): ClientCredential {
  const [clientId, secret, assertion] = ['client_id', 'client_secret', 'client_assertion'].map(name => form.get(name));
  // RFC 6749 §2.3: one method a request.
  if ([authorization, secret, assertion].filter(one => one !== undefined).length > 1) {
    throw invalid('Authenticate in one way alone: Basic, client_secret or client_assertion.');
  }
  if (authorization !== undefined) return readBasic(authorization, clientId);
  if (assertion !== undefined) {
    if (form.get('client_assertion_type') !== assertionType) {
      throw invalid(`The parameter client_assertion_type must be ${assertionType}.`);
    }
    return { method: 'private_key_jwt', clientId, assertion };
  }
  if (clientId === undefined || secret === undefined) {
    throw new HubError('oauth-client-invalid', 'Send client_id and client_secret, or a client_assertion.');
  }
  return { method: 'client_secret_post', clientId, secret };
}

// RFC 6749 §2.3.1: both are form-encoded before they are joined.
function readBasic(authorization: string, clientId: string | undefined): ClientCredential {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization) ?? [];
  const [, user = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  if (user === '') throw new HubError('oauth-client-invalid', 'The Authorization header must be Basic (RFC 7617).');
  const [id, secret] = [decode(user), decode(password)];
  if (clientId !== undefined && clientId !== id) throw invalid('The parameter client_id is not the user of Basic.');
  return { method: 'client_secret_basic', clientId: id, secret };
}

function decode(text: string): string {
  return new URLSearchParams(`text=${text.replaceAll('&', '%26')}`).get('text') ?? '';
}

function invalid(message: string): HubError {
  return new HubError('oauth-request-invalid', message);
}
