import { parsePattern } from './observations.ts';
import { type PatternProblem, PatternProblemList, PatternSyntaxError } from './problems.ts';
import { PatternReader } from './reader.ts';

export type { PatternProblem, PatternProblemCode } from './problems.ts';

/**
 * Judges a STIX pattern by STIX 2.1 §9, in time linear in its length and without recursion. Never throws.
 * @returns the first problem of each code, none where the pattern is right. Where the text stops being a pattern,
 *   judging ends with `pattern-syntax`.
 */
export function judgePattern(pattern: string): PatternProblem[] {
  const problems = new PatternProblemList(pattern);
  try {
    parsePattern(new PatternReader(pattern, problems));
  } catch (error) {
    if (!(error instanceof PatternSyntaxError)) throw error;
    problems.add('pattern-syntax', error.at, error.message);
  }
  return problems.found;
}
