/** The object types that an expression can be about: one, or any of several. A set has one owner, who may change it. */
export type ObjectTypes = string | Set<string>;

/** What two expressions joined by OR can be about. Sets that are given are used up. */
export function eitherOf(left: ObjectTypes, right: ObjectTypes): ObjectTypes {
  if (left === right) return left;
  const [small, large] = bySize(left, right);
  const types = typeof large === 'string' ? new Set([large]) : large;
  // The larger set takes in the smaller one, so that no type moves more than log n times.
  if (typeof small === 'string') types.add(small);
  else for (const type of small) types.add(type);
  return types;
}

/** What two expressions joined by AND can be about, or undefined where that is nothing. */
export function bothOf(left: ObjectTypes, right: ObjectTypes): ObjectTypes | undefined {
  if (left === right) return left;
  const [small, large] = bySize(left, right);
  if (typeof large === 'string') return undefined;
  if (typeof small === 'string') return large.has(small) ? small : undefined;
  const common = new Set<string>();
  for (const type of small) if (large.has(type)) common.add(type);
  return common.size > 0 ? common : undefined;
}

function bySize(left: ObjectTypes, right: ObjectTypes): [small: ObjectTypes, large: ObjectTypes] {
  return sizeOf(left) <= sizeOf(right) ? [left, right] : [right, left];
}

// A single type is less than any set: where the larger of two is no set, neither is.
function sizeOf(types: ObjectTypes): number {
  return typeof types === 'string' ? 0 : types.size;
}
