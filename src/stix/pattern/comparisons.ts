import { booleans, contentOf, parseConstant, parseIndex, parseSet } from './constants.ts';
import { isAddressRange } from './forms.ts';
import { findNameFault, type NameKind } from './names.ts';
import type { PatternReader } from './reader.ts';
import { findRegexFault } from './regex.ts';

/** What of an object path the rest of a comparison depends on. */
interface ObjectPath {
  objectType: string;
  /** the name or key that it ends with; empty for an element of a list */
  step: string;
  /** whether that is a property of the object itself */
  isOwn: boolean;
  /** the algorithm, where the path leads to a hash */
  algorithm: string | undefined;
}

// STIX 2.1 §6.7.6 has a second one.
const hashDictionaries = new Set(['hashes', 'file_header_hashes']);
const addressVersions = new Map([
  ['ipv4-addr', 4],
  ['ipv6-addr', 6],
]);
const keywords = new Set([
  ...['AND', 'OR', 'FOLLOWEDBY', 'WITHIN', 'SECONDS', 'REPEATS', 'TIMES', 'START', 'STOP'],
  ...['NOT', 'EXISTS', 'IN', 'LIKE', 'MATCHES', 'ISSUBSET', 'ISSUPERSET', 'true', 'false'],
]);

/**
 * Reads a comparison expression (STIX 2.1 §9.6).
 * @returns the object type that it is about
 * @throws PatternSyntaxError where the text stops being one
 */
export function parseComparison(reader: PatternReader): string {
  const isNegated = reader.accept('NOT');
  if (isNegated || reader.text === 'EXISTS') {
    reader.expect('EXISTS', 'EXISTS, since NOT stands before that or before an operator');
    return parseObjectPath(reader).objectType;
  }
  const path = parseObjectPath(reader);
  reader.accept('NOT');
  parseTest(reader, path);
  return path.objectType;
}

// STIX 2.1 §9.7
function parseObjectPath(reader: PatternReader): ObjectPath {
  const objectType = reader.text;
  if (reader.kind !== 'word' || keywords.has(objectType)) throw reader.expected('an object type such as file');
  judgeName(reader, objectType, 'an object type');
  reader.advance();
  reader.expect(':');
  let parent = '';
  let isOwn = true;
  let step = parseName(reader, 'a property');
  for (; ; isOwn = false) {
    if (reader.accept('.')) {
      parent = step;
      step = parseName(reader, hashDictionaries.has(parent) ? 'a hash' : 'a dictionary key');
    } else if (reader.accept('[')) {
      parseIndex(reader);
      reader.expect(']');
      parent = step = '';
    } else {
      return { objectType, step, isOwn, algorithm: hashDictionaries.has(parent) ? step : undefined };
    }
  }
}

function parseName(reader: PatternReader, kind: NameKind): string {
  const { kind: tokenKind, text } = reader;
  const isQuoted = tokenKind === 'string';
  if (!isQuoted && (tokenKind !== 'word' || keywords.has(text))) throw reader.expected(`the name of ${kind}`);
  if (!isQuoted && text.includes('-')) throw reader.expected('a name without hyphen, or in apostrophes');
  const name = isQuoted ? contentOf(text) : text;
  judgeName(reader, name, kind);
  reader.advance();
  return name;
}

function judgeName(reader: PatternReader, name: string, kind: NameKind): void {
  const fault = findNameFault(name, kind);
  if (fault) reader.report(fault.code, fault.what);
}

// STIX 2.1 §9.6.1
function parseTest(reader: PatternReader, path: ObjectPath): void {
  const { algorithm } = path;
  const operator = reader.text;
  switch (operator) {
    case '==':
    case '<>':
      reader.report('pattern-grammar-only', `the standard has no ${operator}: write ${operator === '==' ? '=' : '!='}`);
      reader.advance();
      parseConstant(reader, algorithm);
      break;
    case '=':
    case '!=':
      reader.advance();
      parseConstant(reader, algorithm);
      break;
    case '<':
    case '<=':
    case '>':
    case '>=':
      reader.advance();
      if (booleans.has(reader.text)) throw reader.expected(`a constant that ${operator} can compare`);
      parseConstant(reader, undefined);
      break;
    case 'IN':
      reader.advance();
      parseSet(reader, algorithm);
      break;
    case 'LIKE':
    case 'MATCHES':
    case 'ISSUBSET':
    case 'ISSUPERSET':
      reader.advance();
      parseOperand(reader, operator, path);
      break;
    default:
      throw reader.expected('a comparison operator such as =');
  }
}

function parseOperand(reader: PatternReader, operator: string, { objectType, step, isOwn }: ObjectPath): void {
  if (reader.kind !== 'string') throw reader.expected(`a string in apostrophes, as ${operator} needs it`);
  const content = contentOf(reader.text);
  if (operator === 'MATCHES') {
    const fault = findRegexFault(content);
    if (fault) reader.report('pattern-regex', `the regular expression ${fault}`);
  } else if (operator !== 'LIKE' && step !== 'value') {
    reader.report('pattern-subset-operand', `${operator} needs a path to the value of an IPv4 or IPv6 address`);
  } else if (operator !== 'LIKE' && !isAddressRange(content, isOwn ? addressVersions.get(objectType) : undefined)) {
    reader.report('pattern-subset-operand', `${operator} needs an IPv4 or IPv6 address or CIDR range, as the path is`);
  }
  reader.advance();
}
