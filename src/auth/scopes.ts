/** What a partner may do in one collection. */
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
  const words = text.split(' ').filter(word => word !== '');
  const scopes = words.map(word => {
    const [, collection, right] = form.exec(word) ?? [];
    return collection === undefined ? undefined : { collection, right: right as keyof Rights };
  });
  return scopes.length > 0 && scopes.every(scope => scope !== undefined) ? scopes : undefined;
}

/** What these scopes allow in a collection. */
export function rightsIn(scopes: Scope[], collection: { id: string; alias: string }): Rights {
  const names = ['*', collection.alias, collection.id];
  const allows = (right: keyof Rights) =>
    scopes.some(scope => scope.right === right && names.includes(scope.collection));
  return { read: allows('read'), write: allows('write') };
}
