import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgePattern } from '../../../src/stix/pattern/judge.ts';

// Valid patterns, made by the grammar of STIX 2.1 §9 with names and types that the text allows.
const space = fc.constantFrom(' ', ' ', '\n', '\u00a0 \t');
const characters = fc.constantFrom('a', 'Z', '0', ' ', '.', '[', ')', '\n', 'é', '\u{1f600}', "\\'", '\\\\');
const string = fc.array(characters, { maxLength: 6 }).map(parts => `'${parts.join('')}'`);
const number = fc.oneof(fc.maxSafeInteger().map(String), fc.constantFrom('0', '-0', '1.5', '-.25', '00.5'));
const timestamp = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map(date => `t'${date.toISOString()}'`);
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 6 }).map(bytes => `b'${Buffer.from(bytes).toString('base64')}'`),
  fc.uint8Array({ maxLength: 6 }).map(bytes => `h'${Buffer.from(bytes).toString('hex')}'`),
);
const boolean = fc.constantFrom('true', 'false');
const ordered = fc.oneof(string, number, timestamp, octets);
const set = fc
  .oneof(...[string, number, timestamp, octets, boolean].map(one => fc.array(one, { minLength: 1, maxLength: 4 })))
  .map(constants => `(${constants.join(', ')})`);
const step = fc.constantFrom('.name', ".'a-key'", '[0]', '[*]', ".'windows-pebinary-ext'", '.x');
const path = (objectType: string) =>
  fc.array(step, { maxLength: 3 }).map(steps => `${objectType}:name${steps.join('')}`);
const negation = fc.constantFrom('', ' NOT');
const test = fc.oneof(
  fc.tuple(fc.constantFrom('=', '!='), fc.oneof(ordered, boolean)),
  fc.tuple(fc.constantFrom('<', '<=', '>', '>='), ordered),
  fc.tuple(fc.constant('IN'), set),
  fc.tuple(fc.constant('LIKE'), string),
  fc.tuple(fc.constant('MATCHES'), fc.constantFrom("'^a+$'", "'[(]\\\\('")),
  // ISSUBSET and ISSUPERSET compare the values of addresses only, to which each path here is made to lead.
  fc.tuple(fc.constantFrom('ISSUBSET', 'ISSUPERSET'), fc.constantFrom("'192.0.2.0/24'", "'2001:db8::1'")),
);
const pathFor = (to: string, operator: string) => (operator.startsWith('ISSU') ? `${to}.value` : to);
const comparison = (objectType: string) =>
  fc.oneof(
    fc
      .tuple(path(objectType), negation, test)
      .map(([to, not, [operator, operand]]) => `${pathFor(to, operator)}${not} ${operator} ${operand}`),
    fc.tuple(fc.constantFrom('', 'NOT '), path(objectType)).map(([not, to]) => `${not}EXISTS ${to}`),
  );

/** Operands joined by operators, with groups among them. */
function joined(
  operand: fc.Arbitrary<string>,
  operators: string[],
  behindGroup: fc.Arbitrary<string> = fc.constant(''),
): fc.Arbitrary<string> {
  const { expression } = fc.letrec<{ expression: string; part: string }>(tie => ({
    part: fc.oneof(
      { maxDepth: 4 },
      operand,
      fc.tuple(tie('expression'), behindGroup).map(([inner, behind]) => `(${inner})${behind}`),
    ),
    expression: fc
      .tuple(tie('part'), fc.array(fc.tuple(fc.constantFrom(...operators), tie('part')), { maxLength: 3 }))
      .map(([first, others]) => [first, ...others.flat()].join(' ')),
  }));
  return expression;
}

const qualifier = fc.constantFrom(
  ' WITHIN 1.5 SECONDS',
  ' REPEATS 5 TIMES',
  " START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00.5Z'",
);
const qualifiers = fc.uniqueArray(qualifier, { maxLength: 3 }).map(all => all.join(''));
const oneType = fc.constantFrom('file', 'ipv4-addr', 'x-foo').chain(type => joined(comparison(type), ['AND', 'OR']));
const anyType = joined(fc.constantFrom('file', 'x-foo').chain(comparison), ['OR']);
const observation = fc.tuple(fc.oneof(oneType, anyType), qualifiers).map(([inner, behind]) => `[${inner}]${behind}`);
const pattern = joined(observation, ['AND', 'OR', 'FOLLOWEDBY'], qualifiers);

const tokens = /'(?:[^'\\]|\\.)*'|[\w-]+|\s+|[=!<>]+|./gsu;

describe('patterns made from the grammar', () => {
  it('are taken, and so are they in parentheses, joined by OR, and with other whitespace', () => {
    fc.assert(
      fc.property(pattern, pattern, space, (one, other, blank) => {
        const spaced = (one.match(/[tbh]?'(?:[^'\\]|\\.)*'|[\w-]+(?:\.\w+)?|[=!<>]+|\S/gsu) ?? []).join(blank);
        for (const text of [one, `(${one})`, `${one} OR (${other})`, spaced]) expect(judgePattern(text)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('are refused where a bracket is missing', () => {
    fc.assert(
      fc.property(pattern, fc.nat(), (text, nth) => {
        const parts = text.match(tokens) ?? [];
        const brackets = parts.flatMap((part, index) => ('[]()'.includes(part) ? [index] : []));
        parts.splice(brackets[nth % brackets.length] as number, 1);
        expect(judgePattern(parts.join('')).map(({ code }) => code)).toContain('pattern-syntax');
      }),
      { numRuns: 2000 },
    );
  });
});

it('whatever the text, judging it does not throw, and what it says is short Unicode text in one line', () => {
  const change = fc.tuple(
    fc.nat(),
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '\0', "'", '\\', '(')),
  );
  fc.assert(
    fc.property(pattern, fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
      const parts = text.match(tokens) ?? [];
      for (const [at, inserted] of changes) parts.splice(at % parts.length, at % 2, inserted);
      const changed = parts.join('');
      const problems = judgePattern(changed);
      expect(judgePattern(changed)).toEqual(problems);
      for (const { message } of problems) {
        expect(message).toMatch(
          /^(is not a STIX pattern|breaks a rule of STIX patterns): at character \d+, [^\p{C}]+$/u,
        );
        expect(message.length).toBeLessThan(250);
      }
    }),
    { numRuns: 5000 },
  );
});
