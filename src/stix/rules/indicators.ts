import { judgePattern } from '../pattern/judge.ts';
import type { ProblemList } from '../problems.ts';
import { findSigmaFault } from '../sigma.ts';

/**
 * Judges the pattern of an indicator by its language (STIX 2.1 §4.7.1). STIX patterns of version 2.0 and all other
 * languages are taken as text, but Sigma has to be YAML.
 */
export function judgePatternOf(indicator: Record<string, unknown>, problems: ProblemList): void {
  const { pattern, pattern_type, pattern_version } = indicator;
  if (typeof pattern !== 'string') return;
  if (pattern_type === 'stix' && pattern_version !== '2.0') {
    for (const { code, message } of judgePattern(pattern)) problems.addBeside(code, '/pattern', () => ({ message }));
  }
  if (pattern_type === 'sigma') {
    const message = findSigmaFault(pattern);
    if (message !== undefined) problems.add('sigma-invalid', '/pattern', () => ({ message }));
  }
}
