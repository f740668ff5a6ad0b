/**
 * The catalogue of everything Taxiway can refuse, and how it says so.
 *
 * A code is stable: integrators may branch on it. docs/errors.md documents each, and a test compares the two.
 * What stands in `HubError.message` is public: it never names a table, a file or another partner.
 */
export const errorCatalogue = {
  'accept-not-supported': { status: 406, title: 'Media type in Accept is not served' },
  'address-forbidden': { status: 403, title: 'The partner may not come from this address' },
  'api-root-not-found': { status: 404, title: 'API root not found' },
  'body-too-large': { status: 413, title: 'Request body is larger than max_content_length' },
  'collection-not-found': { status: 404, title: 'Collection not found' },
  'content-type-not-supported': { status: 415, title: 'Media type of the body is not accepted' },
  'credential-invalid': { status: 401, title: 'Credential is not valid' },
  'credential-missing': { status: 401, title: 'Credential is missing' },
  'cursor-invalid': { status: 400, title: 'Value of next is not valid' },
  'database-unavailable': { status: 503, title: 'The hub cannot reach its database' },
  'envelope-malformed': { status: 400, title: 'Envelope is malformed' },
  'envelope-refused': { status: 422, title: 'No object of the envelope was taken' },
  'envelope-too-many-objects': { status: 422, title: 'Envelope holds too many objects' },
  'filter-invalid': { status: 400, title: 'Query parameter is not valid' },
  'headers-too-large': { status: 431, title: 'Headers of the request are too large' },
  'internal-error': { status: 500, title: 'The hub failed to answer' },
  'method-not-allowed': { status: 405, title: 'Method is not allowed here' },
  'object-not-found': { status: 404, title: 'Object not found' },
  'oauth-client-invalid': { status: 401, title: 'Client could not be authenticated' },
  'oauth-client-unauthorized': { status: 400, title: 'Client may not have a token' },
  'oauth-grant-type-unsupported': { status: 400, title: 'Grant type is not supported' },
  'oauth-request-invalid': { status: 400, title: 'Token request is malformed' },
  'oauth-scope-invalid': { status: 400, title: 'Scope is malformed or goes beyond the grants' },
  overloaded: { status: 503, title: 'The hub is busy' },
  'path-not-found': { status: 404, title: 'Nothing is served here' },
  'read-forbidden': { status: 403, title: 'Reading is not allowed here' },
  'request-malformed': { status: 400, title: 'Request is malformed' },
  'request-timeout': { status: 408, title: 'Request did not arrive in time' },
  'status-not-found': { status: 404, title: 'Status not found' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'write-forbidden': { status: 403, title: 'Writing is not allowed here' },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

const soonSeconds = 5;

/** An answer that is not a success. Thrown anywhere; `http/taxii-errors.ts` turns it into a TAXII error resource. */
export class HubError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** Machine-readable detail for the error resource's `details` (TAXII 2.1 §3.6.1). */
  readonly details: Record<string, unknown> | undefined;
  /** when to try again: Retry-After (RFC 9110 §10.2.3) */
  readonly retryAfterSeconds: number | undefined;

  /**
   * @param code an entry of the catalogue
   * @param message public: what is wrong, where, and what to do
   * @param options `details` go to the client, `cause` only to the log; a 503 that does not say when to try again means
   * soon
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.status = errorCatalogue[code].status;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds ?? (this.status === 503 ? soonSeconds : undefined);
  }
}

/** A mistake of the operator on the command line or in the environment: one sentence, exit code 1. */
export class OperatorError extends Error {
  override name = 'OperatorError';
}
