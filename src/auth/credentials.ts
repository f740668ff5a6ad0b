import { HubError } from '../errors.ts';

/** What came in the Authorization header: a token, and with Basic the user who is said to hold it. */
export interface Credential {
  token: string;
  user: string | undefined;
}

/**
 * Reads the Authorization header: `Bearer`, `Token` (taxii2client), or the password of `Basic` with the partner or
 * nothing as user (RFC 7617), since Sentinel, MISP and others can send nothing but Basic. Schemes in any letter case.
 * @throws HubError credential-missing or credential-invalid
 */
export function readCredential(header: string | undefined): Credential {
  if (!header) {
    throw new HubError(
      'credential-missing',
      'Send your token as "Authorization: Bearer <token>", or as Basic password.',
    );
  }
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([^\s]+)\s*$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
    case 'token':
      return { token: value, user: undefined };
    case 'basic':
      return readBasic(value);
    default:
      throw new HubError(
        'credential-invalid',
        'The Authorization header must be Bearer, Token or Basic with your token.',
      );
  }
}

function readBasic(value: string): Credential {
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw new HubError('credential-invalid', 'Basic takes base64 of "<partner>:<token>" (RFC 7617).');
  return { token: text.slice(colon + 1), user: text.slice(0, colon) };
}
