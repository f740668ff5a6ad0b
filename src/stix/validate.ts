import type { Policy } from './catalogue.ts';
import { isRecord, schemaNameOf } from './object-types.ts';
import { type Problem, ProblemList } from './problems.ts';
import { judgeBytes } from './rules/bytes.ts';
import { judgeId } from './rules/identifiers.ts';
import { judgePatternOf } from './rules/indicators.ts';
import { judgeLanguages } from './rules/languages.ts';
import { judgeSelectors, judgeSelfReference, judgeTlp } from './rules/markings.ts';
import { judgeObservable } from './rules/observables.ts';
import { judgeContainer } from './rules/observed-data.ts';
import { type Clock, judgeTimestamps } from './rules/timestamps.ts';
import { addSchemaErrors } from './schema-errors.ts';
import { checkSchema } from './schemas.ts';
import { instantOfMicros, isTimestamp } from './timestamp.ts';
import { judgeValues } from './values.ts';
import { SeenVersions } from './versions.ts';

export type { Policy } from './catalogue.ts';
export { describeProblems, type Problem } from './problems.ts';

/** A STIX object that was judged valid. */
export interface StixObject {
  id: string;
  type: string;
  specVersion: string;
  /** the text of modified, else of created, else undefined: an object without dates, such as most observables */
  version: string | undefined;
}

/**
 * What was found out about a value. A valid one may carry warnings: what it breaks, and is taken with. Of a refused
 * one, `id` and `version` are what a status resource can name it by (TAXII 2.1 §4.3.1): what could be read of them,
 * else `unknown`.
 */
export type Judgement =
  | { valid: true; object: StixObject; errors: []; warnings: Problem[] }
  | { valid: false; id: string; version: string; errors: Problem[]; warnings: Problem[] };

export interface JudgeOptions {
  policy: Policy;
  /** the time that created and modified are held against */
  now: Date;
  /** how many members of objects the text holds that the value was parsed from: some are lost where names repeat */
  memberCount?: number | undefined;
}

export interface Validator {
  /**
   * Judges one value that JSON.parse gave, in time linear in its size. Never throws, whatever the value. A bundle is no
   * object of an envelope: `judgeBundle` judges one.
   */
  judge(value: unknown, options: JudgeOptions): Judgement;
  /** Judges a bundle and all the objects in it as one value: with one broken object it is refused. Never throws. */
  judgeBundle(bundle: Record<string, unknown>, options: JudgeOptions): Judgement;
}

const unknown = 'unknown';

/** @param options `clockSkewMs`, whole milliseconds: how far ahead of the hub's clock a sender's may be */
export function createValidator(options: { clockSkewMs?: number } = {}): Validator {
  const { clockSkewMs = 60_000 } = options;
  let clock: Clock | undefined;

  function findProblems(value: unknown, { policy, now, memberCount }: JudgeOptions): ProblemList {
    const problems = new ProblemList(policy);
    if (!isRecord(value)) problems.add('object-expected', '');
    else if (value.type === 'bundle') problems.add('bundle-in-envelope', '/type');
    else judgeObject(value, problems, { clock: toClock(now), memberCount });
    return problems;
  }

  function judge(value: unknown, options: JudgeOptions): Judgement {
    return conclude(isRecord(value) ? value : {}, findProblems(value, options));
  }

  function judgeBundle(bundle: Record<string, unknown>, options: JudgeOptions): Judgement {
    const problems = new ProblemList(options.policy);
    const { objects, ...shell } = bundle;
    if (judgeValues(shell, problems)) addSchemaErrors(checkSchema('bundle', bundle), problems, 'bundle');
    const seen = new SeenVersions();
    for (const [index, object] of Array.isArray(objects) ? objects.entries() : []) {
      if (problems.isFull) break;
      const found = findProblems(object, { policy: options.policy, now: options.now });
      problems.addAll(found, `/objects/${index}`);
      if (!found.hasErrors && seen.conflicts(object)) problems.add('version-conflict', `/objects/${index}`);
    }
    return conclude(bundle, problems);
  }

  // All objects of an envelope are judged at one time.
  function toClock(now: Date): Clock {
    if (clock?.now !== now) clock = { now, latest: instantOfMicros(BigInt(now.getTime() + clockSkewMs) * 1000n) };
    return clock;
  }

  return { judge, judgeBundle };
}

function judgeObject(
  object: Record<string, unknown>,
  problems: ProblemList,
  { clock, memberCount }: { clock: Clock; memberCount: number | undefined },
): void {
  if (!judgeValues(object, problems, { memberCount })) return;
  const schemaName = schemaNameOf(object);
  addSchemaErrors(checkSchema(schemaName, object), problems, schemaName);
  judgeId(object, problems);
  judgeBytes(object, problems);
  judgeTimestamps(object, problems, clock);
  judgeLanguages(object, problems);
  judgeSelectors(object, problems);
  if (object.type === 'indicator') judgePatternOf(object, problems);
  if (object.type === 'observed-data') judgeContainer(object, problems);
  if (object.type === 'marking-definition') {
    judgeSelfReference(object, problems);
    judgeTlp(object, problems);
  }
  judgeObservable(object, problems);
}

function conclude(value: Record<string, unknown>, problems: ProblemList): Judgement {
  if (problems.hasErrors) return refuse(value, problems);
  return { valid: true, object: toStixObject(value), errors: [], warnings: problems.warnings };
}

function refuse(value: Record<string, unknown>, problems: ProblemList): Judgement {
  const version = versionOf(value);
  return {
    valid: false,
    id: isReadable(value.id) ? value.id : unknown,
    version: isReadable(version) ? version : unknown,
    errors: problems.errors,
    warnings: problems.warnings,
  };
}

// What is echoed goes into a status resource and into logs: no longer than an identifier, no blank, nothing unprintable.
function isReadable(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]{1,288}$/.test(value);
}

/** Only of an object that was not refused, so that its id and type are texts. */
function toStixObject(value: Record<string, unknown>): StixObject {
  const { id, type } = value as { id: string; type: string };
  return { id, type, specVersion: '2.1', version: versionOf(value) };
}

function versionOf({ modified, created }: Record<string, unknown>): string | undefined {
  return [modified, created].find(date => typeof date === 'string' && isTimestamp(date)) as string | undefined;
}
