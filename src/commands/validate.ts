import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { OperatorError } from '../errors.ts';
import type { Policy, ProblemCode } from '../stix/catalogue.ts';
import { type Problem, ProblemList } from '../stix/problems.ts';
import { createValidator, describeProblems, type Judgement, type Validator } from '../stix/validate.ts';
import { SeenVersions } from '../stix/versions.ts';
import { describeCommand, policyOption, printRows } from './command.ts';
import { type Reading, readObjects } from './read-objects.ts';

const bytesAtOnce = 1 << 20;

interface ValidateOptions {
  policy: Policy;
  json?: boolean;
}

export const validateCommand = () =>
  describeCommand('validate [file...]', 'judge a bundle, an envelope, objects or JSON lines as the hub would')
    .addOption(
      policyOption('--policy <policy>', 'strict refuses every broken MUST, tolerant what would break a consumer'),
    )
    .addHelpText(
      'after',
      '\nWithout a file, or with -, it reads stdin. Exit code 1: something was refused or could not be read.',
    )
    .action(async (files: string[], options: ValidateOptions) => {
      if (files.length === 0 && process.stdin.isTTY) {
        throw new OperatorError('Give a file, such as `npx taxiway validate bundle.json`, or pipe one in.');
      }
      endWithReader();
      const report = new Report(options, files.length > 1);
      const validator = createValidator();
      for (const file of files.length > 0 ? files : ['-']) {
        try {
          for await (const { reading, verdict } of judgeFile(file, validator, options.policy)) {
            await report.add(file, reading, verdict);
          }
        } catch (error) {
          process.stderr.write(`taxiway: ${describeFailure(file, error)}\n`);
          process.exitCode = 1;
        }
      }
      await report.end();
    });

/** Ends quietly where whoever reads stdout has had enough, as `head` has. */
function endWithReader(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      process.stderr.write(`taxiway: ${error.message}.\n`);
      process.exitCode = 1;
    }
    process.exit();
  });
}

/** @throws Error where the error is of neither the input nor the file */
function describeFailure(file: string, error: unknown): string {
  if (error instanceof OperatorError) return `${file === '-' ? 'stdin' : file}: ${error.message}`;
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
  return `${file === '-' ? 'stdin' : `The file "${file}"`} cannot be read: ${error.code}.`;
}

/** What was found out about an object; it is refused where there are errors. */
interface Verdict {
  id: string;
  errors: Problem[];
  warnings: Problem[];
}

async function* judgeFile(
  file: string,
  validator: Validator,
  policy: Policy,
): AsyncGenerator<{ reading: Reading; verdict: Verdict }, void, undefined> {
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: bytesAtOnce });
  const seen = new SeenVersions();
  for await (const reading of readObjects(source, { hasLines: /\.(jsonl|ndjson)$/i.test(file) })) {
    yield { reading, verdict: judgeReading(reading, { validator, policy, seen }) };
  }
}

function judgeReading(
  reading: Reading,
  { validator, policy, seen }: { validator: Validator; policy: Policy; seen: SeenVersions },
): Verdict {
  if (reading.kind === 'unreadable') return { id: 'unknown', ...refuse(reading.code, policy, reading.message) };
  const options = { policy, now: new Date() };
  if (reading.kind !== 'object') return toVerdict(validator.judgeBundle(reading.value, options));
  const judgement = validator.judge(reading.value, { ...options, memberCount: reading.memberCount });
  const verdict = toVerdict(judgement);
  // What is refused anyway stands in the way of no other.
  if (!judgement.valid || !seen.conflicts(reading.value as Record<string, unknown>)) return verdict;
  return { ...verdict, errors: refuse('version-conflict', policy).errors };
}

function refuse(code: ProblemCode, policy: Policy, message?: string): { errors: Problem[]; warnings: Problem[] } {
  const problems = new ProblemList(policy);
  problems.add(code, '', () => ({ message }));
  return { errors: problems.errors, warnings: problems.warnings };
}

function toVerdict(judgement: Judgement): Verdict {
  const { errors, warnings } = judgement;
  return { id: judgement.valid ? judgement.object.id : judgement.id, errors, warnings };
}

interface RuleCount {
  rule: ProblemCode;
  section: string;
  errors: number;
  warnings: number;
}

/** Prints verdicts as they come, and counts them for the end. */
class Report {
  readonly #options: ValidateOptions;
  readonly #hasManyFiles: boolean;
  readonly #rules = new Map<string, RuleCount>();
  readonly #count = { valid: 0, warned: 0, refused: 0, bundles: 0 };
  #index = 0;

  constructor(options: ValidateOptions, hasManyFiles: boolean) {
    this.#options = options;
    this.#hasManyFiles = hasManyFiles;
  }

  async add(file: string, { kind }: Reading, verdict: Verdict): Promise<void> {
    const { errors, warnings } = verdict;
    // Of a bundle whose objects were judged one by one, only what is wrong is news.
    if (kind === 'shell' && errors.length + warnings.length === 0) return;
    this.#tally(kind, verdict);
    if (this.#options.json) await this.#print(toJsonLine(kind === 'shell' ? null : this.#index, verdict));
    else {
      const prefix = this.#hasManyFiles ? `${file}: ` : '';
      if (errors.length > 0) await this.#print(`${prefix}refused: ${verdict.id}: ${describeProblems(errors)}`);
      if (warnings.length > 0) await this.#print(`${prefix}warning: ${verdict.id}: ${describeProblems(warnings)}`);
    }
    if (kind !== 'shell') this.#index += 1;
  }

  async end(): Promise<void> {
    // A sentence on stderr has said already why there is nothing.
    const isUnread = this.#index === 0 && this.#rules.size === 0 && process.exitCode === 1;
    if (this.#options.json || isUnread) return;
    const rules = [...this.#rules.values()].sort((a, b) => b.errors - a.errors || b.warnings - a.warnings);
    if (rules.length > 0) printRows(rules, {});
    await this.#print(this.#describeCount());
  }

  async #print(line: string): Promise<void> {
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  }

  #tally(kind: Reading['kind'], { errors, warnings }: Verdict): void {
    const result = errors.length > 0 ? 'refused' : warnings.length > 0 ? 'warned' : 'valid';
    if (kind !== 'shell') this.#count[result] += 1;
    else if (result === 'refused') this.#count.bundles += 1;
    if (result === 'refused') process.exitCode = 1;
    for (const problem of errors) this.#countRule(problem).errors += 1;
    for (const problem of warnings) this.#countRule(problem).warnings += 1;
  }

  #countRule({ code, section }: Problem): RuleCount {
    const key = `${code} ${section}`;
    const count = this.#rules.get(key) ?? { rule: code, section, errors: 0, warnings: 0 };
    this.#rules.set(key, count);
    return count;
  }

  #describeCount(): string {
    const { valid, warned, refused, bundles } = this.#count;
    const line = `${counted(this.#index, 'object')}: ${valid} valid, ${warned} with warnings, ${refused} refused.`;
    return bundles > 0 ? `${line} ${counted(bundles, 'bundle')} around them refused.` : line;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function toJsonLine(index: number | null, { id, errors, warnings }: Verdict): string {
  const [shownErrors, shownWarnings] = [errors, warnings].map(problems => problems.map(toShown));
  return JSON.stringify({ index, id, valid: errors.length === 0, errors: shownErrors, warnings: shownWarnings });
}

function toShown({ code, path, message, section }: Problem): object {
  return { code, path, message, section: section.replace(/^STIX 2\.1 §/, '') };
}
