import { instantOf } from '../timestamp.ts';
import { isBase64, isHex, missingHashForm } from './forms.ts';
import { quote } from './problems.ts';
import type { PatternReader } from './reader.ts';

/** The constants of a set must be of one of these; those of one of these can be compared alike (STIX 2.1 §9.2). */
type ConstantType = 'string' | 'number' | 'boolean' | 'timestamp' | 'octets';

export const booleans: ReadonlySet<string> = new Set(['true', 'false']);

/**
 * Reads a constant (STIX 2.1 §9.2).
 * @param algorithm where the constant stands for a hash
 * @throws PatternSyntaxError where there is none
 */
export function parseConstant(reader: PatternReader, algorithm: string | undefined): ConstantType {
  const type = judgeConstant(reader, algorithm);
  reader.advance();
  return type;
}

function judgeConstant(reader: PatternReader, algorithm: string | undefined): ConstantType {
  const { kind, text } = reader;
  switch (kind) {
    case 'string':
      if (algorithm !== undefined) judgeHash(reader, algorithm);
      return 'string';
    case 'number':
      judgeNumber(reader);
      return 'number';
    case 'timestamp':
      judgeTimestamp(reader);
      return 'timestamp';
    case 'binary':
      if (!isBase64(text.slice(2, -1))) reader.report('pattern-octets', `${quote(text)} must be base64`);
      return 'octets';
    case 'hex':
      if (!isHex(text.slice(2, -1))) {
        reader.report('pattern-octets', `${quote(text)} must be an even number of hexadecimal digits`);
      }
      return 'octets';
    default:
      if (booleans.has(text)) return 'boolean';
      throw reader.expected("a constant, such as 1, true, t'2026-01-31T23:59:59Z' or a text in apostrophes");
  }
}

/**
 * Reads the set behind IN (STIX 2.1 §9.6.1).
 * @throws PatternSyntaxError where there is none
 */
export function parseSet(reader: PatternReader, algorithm: string | undefined): void {
  reader.expect('(');
  if (reader.text === ')') {
    reader.report('pattern-grammar-only', 'a set must hold at least one constant');
  } else {
    const type = parseConstant(reader, algorithm);
    while (reader.accept(',')) {
      const { start } = reader;
      if (parseConstant(reader, algorithm) === type) continue;
      reader.report('pattern-set-types', 'the constants of a set must be of one type', start);
    }
  }
  reader.expect(')', ', or )');
}

/**
 * Reads a list index (STIX 2.1 §9.7.2).
 * @throws PatternSyntaxError where there is none
 */
export function parseIndex(reader: PatternReader): void {
  const { kind, text } = reader;
  if (kind === 'number' && !text.includes('.')) judgeNumber(reader);
  else if (text !== '*') throw reader.expected('a list index or *');
  if (text.startsWith('-')) reader.report('pattern-grammar-only', 'a list index must not be negative');
  reader.advance();
}

/**
 * Reads how often, or within how many seconds (STIX 2.1 §9.5.1).
 * @throws PatternSyntaxError where there is no number, or one below zero
 */
export function parseAmount(reader: PatternReader, { isCount }: { isCount: boolean }): void {
  const { kind, text } = reader;
  if (kind !== 'number' || text.startsWith('-') || (isCount && text.includes('.'))) {
    throw reader.expected(`a positive ${isCount ? 'integer' : 'number'}`);
  }
  if (Number(text) === 0) reader.report('pattern-qualifier-value', 'a qualifier needs a number above zero');
  judgeNumber(reader);
  reader.advance();
}

/**
 * Reads a timestamp.
 * @returns its instant, or undefined where there is no such time
 * @throws PatternSyntaxError where there is none
 */
export function parseTimestamp(reader: PatternReader): string | undefined {
  if (reader.kind !== 'timestamp') throw reader.expected("a timestamp such as t'2026-01-31T23:59:59Z'");
  const instant = judgeTimestamp(reader);
  reader.advance();
  return instant;
}

/** What a text in apostrophes says. */
export function contentOf(text: string): string {
  const content = text.slice(1, -1);
  return content.includes('\\') ? content.replaceAll(/\\(.)/g, '$1') : content;
}

function judgeTimestamp(reader: PatternReader): string | undefined {
  const { text } = reader;
  const instant = instantOf(text.slice(2, -1));
  if (instant === undefined) {
    const form = "a timestamp on a date that exists, such as t'2026-01-31T23:59:59Z'";
    reader.report('pattern-timestamp', `${quote(text)} must be ${form}`);
  }
  return instant;
}

function judgeHash(reader: PatternReader, algorithm: string): void {
  const hash = contentOf(reader.text);
  const form = missingHashForm(algorithm, hash);
  if (form) reader.report('pattern-hash-value', `${quote(hash)} must be a hash by ${algorithm}: ${form}`);
}

// STIX 2.1 §9.2 integer and float, §2.6, §2.10
function judgeNumber(reader: PatternReader): void {
  const { text } = reader;
  if (text.startsWith('+')) reader.report('pattern-grammar-only', 'the standard has no plus sign: leave it out');
  const isInRange = text.includes('.') ? Number.isFinite(Number(text)) : Number.isSafeInteger(Number(text));
  if (!isInRange) reader.report('pattern-number-range', 'a number must be from -(2^53)+1 to (2^53)-1');
}
