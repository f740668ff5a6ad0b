import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgePattern } from '../../../src/stix/pattern/judge.ts';

interface Row {
  pattern?: string;
  object?: unknown;
  expect?: string;
  spec_expect?: string;
}

// Beside the repository: the data of others, which are not ours to copy into it.
const corpus = new URL('../../../../shared/corpus/', import.meta.url);

function readCorpus(name: string): Row[] {
  const text = readFileSync(new URL(`${name}.jsonl`, corpus), 'utf8');
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
}

/** The STIX patterns of the indicators in a value, however deep. */
function patternsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { type, pattern, pattern_type: language } = value as Record<string, unknown>;
  const own = type === 'indicator' && language === 'stix' && typeof pattern === 'string' ? [pattern] : [];
  return [...own, ...Object.values(value).flatMap(patternsIn)];
}

function refusedOf(patterns: string[]): string[] {
  return [...new Set(patterns)].flatMap(pattern => {
    const codes = judgePattern(pattern).map(({ code }) => code);
    return codes.length > 0 ? [`${codes} ${pattern.slice(0, 60)}`] : [];
  });
}

describe.skipIf(!existsSync(corpus))('patterns of others (skipped where the folder ../shared is missing)', () => {
  it('test suites and the standard: the verdict is that of the text', () => {
    const rows = readCorpus('patterns');
    expect(rows.length).toBeGreaterThan(100);
    const isValid = (row: Row) => row.expect === 'valid' && row.spec_expect !== 'invalid';
    const wrong = rows.filter(row => (judgePattern(String(row.pattern)).length === 0) !== isValid(row));
    expect(wrong.map(({ pattern }) => pattern)).toEqual([]);
  });

  it('real ones: nothing but what producers are known to break', () => {
    const alone = readCorpus('patterns_real').map(({ pattern }) => String(pattern));
    const inObjects = ['real_objects', 'real_breakers'].flatMap(readCorpus).flatMap(({ object }) => patternsIn(object));
    expect(refusedOf([...alone, ...inObjects])).toEqual([
      "pattern-name-form [file:name = 'oui' AND file:size = '35' AND file:hashes.MD5 ",
      "pattern-object-types [domain-name:value = 'circl.lu' AND network-traffic:dst_port",
    ]);
  });

  it('the examples of the standard', () => {
    expect(refusedOf(readCorpus('spec_examples').flatMap(({ object }) => patternsIn(object)))).toEqual([]);
  });
});
