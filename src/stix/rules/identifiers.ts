import { isIdentifier, typeOfIdentifier, uuidVersionOf } from '../identifier.ts';
import type { ProblemList } from '../problems.ts';

// STIX 2.1 §6: the ID Contributing Properties of the observables that can be without any of them.
const contributingProperties = new Map([
  ['artifact', ['hashes', 'payload_bin']],
  ['email-message', ['from_ref', 'subject', 'body']],
  ['process', []],
  ['user-account', ['account_type', 'user_id', 'account_login']],
  ['windows-registry-key', ['key', 'values']],
  ['x509-certificate', ['hashes', 'serial_number']],
]);
const random = '4';

/** Judges the id of an object: its type (STIX 2.1 §2.9), and whether its UUID can be a deterministic one (§2.9, §3.4). */
export function judgeId(object: Record<string, unknown>, problems: ProblemList): void {
  const { type, id } = object;
  // Where the type itself is wrong, nothing can be said of how the id begins.
  if (!isIdentifier(id) || problems.has('/type')) return;
  if (typeOfIdentifier(id) !== type) problems.add('id-type-mismatch', '/id');
  const contributing = contributingProperties.get(type as string);
  if (contributing && uuidVersionOf(id) !== random && !contributing.some(name => Object.hasOwn(object, name))) {
    problems.add('deterministic-id', '/id');
  }
}
