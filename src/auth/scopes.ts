import type { Grant } from '../db/grants.ts';

/** A collection, and what a partner may do in it. */
interface Granted {
  id: string;
  alias: string;
  grant: Pick<Grant, 'can_read' | 'can_write'>;
}

/** What a request may do in one collection. */
export interface Rights {
  read: boolean;
  write: boolean;
}

/** One word of a token's `scope` (RFC 6749 §3.3): `collection:<alias, id or *>:<read or write>`. */
export interface Scope {
  collection: string;
  right: keyof Rights;
}

const form = /^collection:(\*|[A-Za-z0-9-]{1,100}):(read|write)$/;

/**
 * Reads a space-separated scope.
 * @returns undefined where a word is not of the form, or where there is none
 */
export function parseScope(text: string): Scope[] | undefined {
  const scopes = splitWords(text).map(toScope);
  return scopes.length > 0 && scopes.every(scope => scope !== undefined) ? scopes : undefined;
}

/** The words of a space-separated scope that are of the form, without those that mean something to others. */
export function pickScopes(text: string): Scope[] {
  return splitWords(text)
    .map(toScope)
    .filter(scope => scope !== undefined);
}

/** The text that parseScope reads. */
export function formatScope(scopes: Scope[]): string {
  return scopes.map(({ collection, right }) => `collection:${collection}:${right}`).join(' ');
}

function splitWords(text: string): string[] {
  return text.split(' ').filter(word => word !== '');
}

function toScope(word: string): Scope | undefined {
  const [, collection, right] = form.exec(word) ?? [];
  return collection === undefined ? undefined : { collection, right: right as keyof Rights };
}

/** What these scopes allow in a collection, and no more than the partner's grant there does. */
export function rightsIn(scopes: Scope[], granted: Granted): Rights {
  const allows = (right: keyof Rights) =>
    scopes.some(scope => scope.right === right && names(scope, granted) && isGranted(granted, right));
  return { read: allows('read'), write: allows('write') };
}

/**
 * The first of the scopes that goes beyond what the partner has been granted. `*` stands for all that it has been granted,
 * now and later, so that it takes one such grant.
 * @param granted the collections in which the partner has a grant
 */
export function findUngranted(scopes: Scope[], granted: Granted[]): Scope | undefined {
  return scopes.find(scope => !granted.some(one => names(scope, one) && isGranted(one, scope.right)));
}

function names({ collection }: Scope, { id, alias }: Granted): boolean {
  return collection === '*' || collection === alias || collection === id;
}

function isGranted({ grant }: Granted, right: keyof Rights): boolean {
  return right === 'read' ? grant.can_read : grant.can_write;
}
