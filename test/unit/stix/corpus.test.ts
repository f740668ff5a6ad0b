import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { judgePattern } from '../../../src/stix/pattern/judge.ts';
import { createValidator, describeProblems, type Judgement, type Policy } from '../../../src/stix/validate.ts';

interface Row {
  source: string;
  object: Record<string, unknown>;
  /** what the text of the standard says, or what the official validator says without options */
  expect?: 'valid' | 'invalid' | 'unknown';
  default_expect?: 'valid' | 'invalid';
  scope?: string;
  tags?: string[];
  spec_breaks?: string[];
  breaks?: string[];
}

interface PatternRow {
  source: string;
  pattern: string;
  expect: 'valid' | 'invalid';
  spec_expect?: 'invalid';
}

/** A row whose verdict the text of the standard does not bear out, told from others of its source by its content. */
interface CorpusException {
  file: string;
  source: string;
  digest: string;
  section: string;
  reason: string;
}

// Beside the repository: the data of others, which are not ours to copy into it.
const shared = new URL('../../../../shared/', import.meta.url);
const isMissing = !existsSync(new URL('corpus/', shared));
if (isMissing) console.warn('cases for a STIX validator: skipped, since ../shared/corpus is missing');

const exceptions: CorpusException[] = JSON.parse(
  readFileSync(new URL('../../corpus-exceptions.json', import.meta.url), 'utf8'),
);
const validator = createValidator();
const now = new Date();
const counts: string[] = [];
afterAll(() => {
  if (counts.length > 0) console.info(`corpus: ${counts.join(', ')}`);
});

function readRows<T>(file: string): T[] {
  const text = readFileSync(new URL(`corpus/${file}.jsonl`, shared), 'utf8');
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
}

function judge(object: Record<string, unknown>, policy: Policy): Judgement {
  return object.type === 'bundle'
    ? validator.judgeBundle(object, { policy, now })
    : validator.judge(object, { policy, now });
}

/** The first digits of the SHA-256 of a value's JSON text with sorted keys. */
function digestOf(value: unknown): string {
  const canonical = JSON.stringify(value, (_key, child) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([one], [other]) => (one < other ? -1 : 1)))
      : child,
  );
  return createHash('sha256').update(canonical).digest('hex').slice(0, 12);
}

interface Case {
  source: string;
  object: Record<string, unknown>;
  digest: string;
  isValid: boolean;
}

/** The rows of a file that say something about STIX 2.1, with what they say. */
function readCases(file: string): Case[] {
  const rows = readRows<Row>(file)
    .map(row => ({ ...row, digest: digestOf(row.object), verdict: row.default_expect ?? row.expect }))
    .filter(
      ({ scope, tags, verdict }) => scope !== '2.0-mixed' && !tags?.includes('anchor-only') && verdict !== 'unknown',
    );
  // What its authors expect to be valid, though it breaks a MUST that their tools do not look at. Where an object stands
  // in several rows, since it was judged with several options, only one of them says so.
  const broken = new Set(rows.filter(({ spec_breaks }) => spec_breaks).map(({ digest }) => digest));
  return rows.map(({ source, object, digest, verdict }) => ({
    source,
    object,
    digest,
    isValid: verdict === 'valid' && !broken.has(digest),
  }));
}

function isException(file: string, { source, digest }: Case): boolean {
  return exceptions.some(other => other.file === file && other.source === source && other.digest === digest);
}

function describeJudgement(judgement: Judgement): string {
  return judgement.valid ? 'taken' : describeProblems(judgement.errors);
}

function refusalsOf(objects: Record<string, unknown>[], policy: Policy): string[] {
  return objects.flatMap(object => {
    const judgement = judge(object, policy);
    return judgement.valid ? [] : [`${judgement.id}: ${describeJudgement(judgement)}`];
  });
}

function toIndicator(pattern: string): Record<string, unknown> {
  const date = '2016-04-06T20:03:48.000Z';
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: 'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f',
    created: date,
    modified: date,
    pattern,
    pattern_type: 'stix',
    valid_from: date,
  };
}

describe.skipIf(isMissing)('strict', () => {
  it.each(['spec_examples', 'validator_cases', 'python_stix2_cases'])('%s: every verdict is that of the row', file => {
    const cases = readCases(file);
    const excepted = new Set(cases.filter(each => isException(file, each)));
    const disagreements = cases.flatMap(each => {
      const judgement = judge(each.object, 'strict');
      const agrees = judgement.valid === each.isValid;
      if (agrees !== excepted.has(each)) return [];
      return [`${each.source} ${each.digest}: ${agrees ? 'is an exception no more' : describeJudgement(judgement)}`];
    });
    counts.push(`${file} ${cases.length - excepted.size} of ${cases.length}`);
    expect(disagreements).toEqual([]);
    // An exception whose row is gone is stale too.
    expect([...excepted].map(({ digest }) => digest).sort()).toEqual(
      exceptions
        .filter(exception => exception.file === file)
        .map(({ digest }) => digest)
        .sort(),
    );
  });

  it('patterns: every verdict is that of the row, by the pattern alone and in an indicator', () => {
    const rows = readRows<PatternRow>('patterns');
    const disagreements = rows.flatMap(({ source, pattern, expect: verdict, spec_expect }) => {
      const isValid = verdict === 'valid' && spec_expect !== 'invalid';
      const found = judgePattern(pattern).map(({ code }) => code);
      const judgement = judge(toIndicator(pattern), 'strict');
      return (found.length === 0) === isValid && judgement.valid === isValid
        ? []
        : [
            `${source} ${digestOf(pattern)}: ${found.join() || 'taken'}, in an indicator: ${describeJudgement(judgement)}`,
          ];
    });
    counts.push(`patterns ${rows.length}`);
    expect(disagreements).toEqual([]);
  });
});

describe.skipIf(isMissing)('tolerant', () => {
  it.each(['real_objects', 'real_breakers'])('%s: all are taken', file => {
    const rows = readRows<Row>(file);
    counts.push(`${file} ${rows.length}`);
    expect(
      refusalsOf(
        rows.map(({ object }) => object),
        'tolerant',
      ),
    ).toEqual([]);
  });

  it('real_breakers: what strict refuses is taken with the same words as warnings', () => {
    // What a strict reading of a SHOULD, or of a form that §2.9 leaves open, would refuse.
    const isNoMust = /SHOULD|upper-case letters|differs from the deterministic id/;
    for (const { object, breaks, source } of readRows<Row>('real_breakers')) {
      const { errors } = judge(object, 'strict');
      if (breaks?.every(rule => isNoMust.test(rule))) expect(errors, source).toEqual([]);
      else expect(errors, source).not.toEqual([]);
      expect(judge(object, 'tolerant').warnings, source).toEqual(expect.arrayContaining(errors));
    }
  });

  it('patterns_real: all are taken', () => {
    const rows = readRows<PatternRow>('patterns_real');
    counts.push(`patterns_real ${rows.length}`);
    expect(
      refusalsOf(
        rows.map(({ pattern }) => toIndicator(pattern)),
        'tolerant',
      ),
    ).toEqual([]);
  });

  const folder = new URL('data/', shared);
  const bundles = existsSync(folder) ? readdirSync(folder).filter(file => file.endsWith('.json')) : [];
  it.each(bundles)('%s: all objects are taken', file => {
    const { objects } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    counts.push(`${file} ${objects.length}`);
    expect(objects.length).toBeGreaterThan(1000);
    expect(refusalsOf(objects, 'tolerant')).toEqual([]);
  });
});
