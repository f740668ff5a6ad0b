import { type Path, pointer, type Sample, valueAt, withValue } from './judging.ts';

/** Breaks one rule: the object that does, and where. Undefined where the sample has nothing to break it with. */
export type Mutation = (sample: Sample) => { object: unknown; path: string } | undefined;

/** Gives a property of the sample another value. */
export function replace(path: Path, change: unknown): Mutation {
  return sample => {
    const old = valueAt(sample, path);
    if (old === undefined) return undefined;
    const value = typeof change === 'function' ? change(old, sample) : change;
    return value === undefined ? undefined : { object: withValue(sample, path, value), path: pointer(path) };
  };
}

/** Gives the sample a property that it has not. */
export function add(path: Path, value: unknown): Mutation {
  return sample => {
    const parent = valueAt(sample, path.slice(0, -1)) as Sample | undefined;
    if (parent === undefined || Object.hasOwn(parent, path.at(-1) as string)) return undefined;
    return { object: withValue(sample, path, value), path: pointer(path) };
  };
}

/** Takes away a property that the sample has. */
export function remove(path: Path): Mutation {
  return sample =>
    valueAt(sample, path) === undefined
      ? undefined
      : { object: withValue(sample, path, undefined), path: pointer(path) };
}

/** Only for samples of one type. */
export function of(type: string, mutation: Mutation): Mutation {
  return sample => (sample.type === type ? mutation(sample) : undefined);
}

/** Only for samples of other types. */
export function notOf(type: string, mutation: Mutation): Mutation {
  return sample => (sample.type === type ? undefined : mutation(sample));
}

/** Leaves of the sample only what every object of its kind has, and gives it other properties. */
export function reduce(type: string, properties: Sample, path: string): Mutation {
  return sample => {
    if (sample.type !== type) return undefined;
    const { id, spec_version, created, modified } = sample;
    const object = { type, id, spec_version, created, modified, ...properties };
    return { object: JSON.parse(JSON.stringify(object)), path };
  };
}

/** For a mutation whose problem is found further down. */
export function below(suffix: string, mutation: Mutation): Mutation {
  return sample => {
    const result = mutation(sample);
    return result && { ...result, path: result.path + suffix };
  };
}

/** Only for samples that have something. */
export function where(holds: (sample: Sample) => unknown, mutation: Mutation): Mutation {
  return sample => (holds(sample) ? mutation(sample) : undefined);
}
