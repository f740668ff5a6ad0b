import { isComplete, isRecord } from './object-types.ts';
import { type Problem, type ProblemCode, ProblemList } from './problems.ts';
import { judgeRelations } from './relations.ts';
import { addSchemaErrors } from './schema-errors.ts';
import { compileSchemas } from './schemas.ts';
import { instantOfMicros, isTimestamp } from './timestamp.ts';
import { judgeValues } from './values.ts';

export { describeProblems, type Problem } from './problems.ts';

/** A STIX object that was judged valid. */
export interface StixObject {
  id: string;
  type: string;
  specVersion: string;
  /** the text of modified, else of created, else undefined: an object without dates, such as most observables */
  version: string | undefined;
  value: Record<string, unknown>;
}

/**
 * What was found out about a value. A valid one may carry warnings: what it breaks, and is taken with. Of a refused
 * one, `id` and `version` are what a status resource can name it by
 * (TAXII 2.1 §4.3.1): what could be read of them, else `unknown`.
 */
export type Judgement =
  | { valid: true; object: StixObject; warnings: Problem[] }
  | { valid: false; id: string; version: string; problems: Problem[] };

export interface Validator {
  /**
   * Judges one value that JSON.parse gave, in time linear in its size. Never throws, whatever the value.
   * @param options `now` is the time that created and modified are held against
   */
  judge(value: unknown, options: { now: Date }): Judgement;
}

const unknown = 'unknown';

/**
 * Compiles the schemas, which takes about a tenth of a second: once for a process.
 * @param options `clockSkewMs`, whole milliseconds: how far ahead of the hub's clock a sender's may be
 * @throws Error where a schema file is missing or broken
 */
export function createValidator(options: { clockSkewMs?: number } = {}): Validator {
  const { clockSkewMs = 60_000 } = options;
  const schemaOf = compileSchemas();

  return {
    judge(value, { now }) {
      if (!isRecord(value)) return refuseWhole(value, 'object-expected');
      if (value.type === 'bundle') return refuseWhole(value, 'bundle-in-envelope');

      const problems = new ProblemList();
      const size = judgeValues(value, problems, { refuseEmpty: isComplete(value) });
      const schema = schemaOf(value);
      addSchemaErrors(schema.validate(value, size), problems, schema.sectionOf);
      const latest = instantOfMicros(BigInt(now.getTime() + clockSkewMs) * 1000n);
      const warnings = new ProblemList();
      judgeRelations(value, problems, warnings, { now, latest });
      if (problems.found.length > 0) return refuse(value, problems);
      return { valid: true, object: toStixObject(value), warnings: warnings.found };
    },
  };
}

function refuseWhole(value: unknown, code: ProblemCode): Judgement {
  const problems = new ProblemList();
  problems.add(code, '');
  return refuse(isRecord(value) ? value : {}, problems);
}

function refuse({ id, created, modified }: Record<string, unknown>, { found: problems }: ProblemList): Judgement {
  const version = [modified, created].find(date => isReadable(date) && isTimestamp(date));
  return {
    valid: false,
    id: isReadable(id) ? id : unknown,
    version: isReadable(version) ? version : unknown,
    problems,
  };
}

// What is echoed goes into a status resource and into logs: no longer than an identifier, no blank, nothing unprintable.
function isReadable(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]{1,288}$/.test(value);
}

/** Only of an object that has no problems, so that its properties are of their types. */
function toStixObject(value: Record<string, unknown>): StixObject {
  const { id, type, created, modified } = value as { id: string; type: string; created?: string; modified?: string };
  return { id, type, specVersion: '2.1', version: modified ?? created, value };
}
