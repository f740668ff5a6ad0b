import { isGraver, isRefused, type Policy, type ProblemCode, problemCatalogue } from './catalogue.ts';

/** One thing that is wrong with an object, and where. */
export interface Problem {
  /** stable: a key of problemCatalogue */
  code: ProblemCode;
  /** JSON Pointer (RFC 6901) into the object, cut where it is very long; a missing property's is where it would be */
  path: string;
  /** what is wrong there, as the rest of a sentence that begins with the path */
  message: string;
  /** where the rule stands, such as `STIX 2.1 §4.7.1` */
  section: string;
}

interface Detail {
  message?: string | undefined;
  section?: string;
}

const problemsMax = 100;
const describedMax = 10;
const pathLengthMax = 250;

/**
 * What is wrong with one object under a policy: errors and warnings, at most 100 of each. A path has one problem, the
 * gravest that is found there, and of equally grave ones the first: so it is the same one under both policies.
 */
export class ProblemList {
  readonly #policy: Policy;
  readonly #found = new Map<string, Problem>();
  #errorCount = 0;
  #warningCount = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /** What the object is refused for. */
  get errors(): Problem[] {
    return [...this.#found.values()].filter(({ code }) => isRefused(code, this.#policy));
  }

  /** What it is taken with. */
  get warnings(): Problem[] {
    return [...this.#found.values()].filter(({ code }) => !isRefused(code, this.#policy));
  }

  get hasErrors(): boolean {
    return this.#errorCount > 0;
  }

  /** No error more is kept: what is left to find changes nothing. */
  get isFull(): boolean {
    return this.#errorCount >= problemsMax;
  }

  /** Whether there is room for one more of its kind; asked first where making a path costs something. */
  accepts(code: ProblemCode): boolean {
    return (isRefused(code, this.#policy) ? this.#errorCount : this.#warningCount) < problemsMax;
  }

  has(path: string): boolean {
    return this.#found.has(path);
  }

  /**
   * @param describe asked only where the problem is kept: a `message` that says it better for this place than the
   *   catalogue does, and the `section` that describes this place, for a code that has no section of its own
   */
  add(code: ProblemCode, path: string, describe: () => Detail = () => ({})): void {
    this.#put(path, code, path, describe);
  }

  /** As `add`, but for a text with rules of its own, which may break several of them at the one path that it has. */
  addBeside(code: ProblemCode, path: string, describe: () => Detail): void {
    this.#put(`${path} ${code}`, code, path, describe);
  }

  #put(key: string, code: ProblemCode, path: string, describe: () => Detail): void {
    if (!this.accepts(code)) return;
    const known = this.#found.get(key);
    if (known && !isGraver(code, known.code)) return;
    if (known) this.#count(known.code, -1);
    this.#count(code, 1);
    const entry: { message: string; section?: string } = problemCatalogue[code];
    const detail = describe();
    this.#found.set(key, {
      code,
      path: printable(path),
      message: detail.message ?? entry.message,
      section: entry.section ?? detail.section ?? 'STIX 2.1 §3.2',
    });
  }

  /** Takes over what was found in a part of the object. @param place where that part stands, as a JSON Pointer */
  addAll(part: ProblemList, place: string): void {
    for (const [key, problem] of part.#found) this.#put(place + key, problem.code, place + problem.path, () => problem);
  }

  #count(code: ProblemCode, change: 1 | -1): void {
    if (isRefused(code, this.#policy)) this.#errorCount += change;
    else this.#warningCount += change;
  }
}

// Keys come from outside and end in status messages and logs, so a path is kept short and free of control characters.
function printable(path: string): string {
  const short = path.length > pathLengthMax ? `${path.slice(0, pathLengthMax)}…` : path;
  return short.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd');
}

/** One segment of a JSON Pointer, `/` included (RFC 6901 §3). */
export function pointerTo(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * Problems as text for people, such as
 * `/valid_until must be later than /valid_from (STIX 2.1 §4.7.1, valid-until-order)`: at most ten, joined by `; `, and how many more there are.
 */
export function describeProblems(problems: Problem[]): string {
  const described = problems
    .slice(0, describedMax)
    .map(({ code, path, message, section }) => `${path || 'the object'} ${message} (${section}, ${code})`);
  if (problems.length > describedMax) described.push(`and ${problems.length - describedMax} more`);
  return described.join('; ');
}
