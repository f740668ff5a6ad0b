import { instantOf } from '../timestamp.ts';
import { isAddressRange, isBase64, isHex, missingHashForm } from './constants.ts';
import { Lexer } from './lexer.ts';
import { findNameFault, type NameKind } from './names.ts';
import { bothOf, eitherOf, type ObjectTypes } from './object-types.ts';
import { type PatternProblemList, PatternSyntaxError, quote } from './problems.ts';
import { findRegexFault } from './regex.ts';

/** What of an object path the rest of a comparison depends on. */
interface ObjectPath {
  objectType: string;
  /** the algorithm, where the path leads to a hash */
  algorithm: string | undefined;
}

/** Comparisons joined by AND and OR: an observation expression, or a group within it. */
interface Composite {
  at: number;
  /** what the operands before the last OR can be about */
  alternatives: ObjectTypes | undefined;
  /** what the operands of AND since then can be about together */
  term: ObjectTypes | undefined;
}

/** The constants of a set must be of one of these; constants of one of these can be compared alike (STIX 2.1 §9.2). */
type ConstantType = 'string' | 'number' | 'boolean' | 'timestamp' | 'octets';

const observationOperators = new Set(['AND', 'OR', 'FOLLOWEDBY']);
const qualifiers = new Set(['WITHIN', 'REPEATS', 'START']);
const booleans = new Set(['true', 'false']);
const keywords = new Set([
  ...observationOperators,
  ...qualifiers,
  ...booleans,
  ...['SECONDS', 'TIMES', 'STOP', 'NOT', 'EXISTS', 'IN', 'LIKE', 'MATCHES', 'ISSUBSET', 'ISSUPERSET'],
]);

/** Reads a pattern once and without recursion. It builds nothing: what is wrong is reported, and the rest forgotten. */
export class PatternParser {
  readonly #problems: PatternProblemList;
  readonly #token: Lexer;

  /** @throws PatternSyntaxError as parse does */
  constructor(pattern: string, problems: PatternProblemList) {
    this.#problems = problems;
    this.#token = new Lexer(pattern);
  }

  /**
   * STIX 2.1 §9.5. Precedence has no say on this level: however the operators bind, the parts are the same.
   * @throws PatternSyntaxError where the text stops being a pattern
   */
  parse(): void {
    let open = 0;
    do {
      while (this.#accept('(')) open += 1;
      this.#parseObservationExpression();
      this.#parseQualifiers({ isGroup: false });
      while (open > 0 && this.#accept(')')) {
        open -= 1;
        this.#parseQualifiers({ isGroup: true });
      }
    } while (this.#acceptOneOf(observationOperators));
    if (open > 0) throw this.#expected('a qualifier, AND, OR, FOLLOWEDBY or )');
    if (this.#token.kind !== 'end') throw this.#expected('a qualifier, AND, OR, FOLLOWEDBY or the end');
    const { firstComment } = this.#token;
    if (firstComment !== undefined) this.#problems.add('pattern-grammar-only', firstComment, 'leave out the comment');
  }

  // STIX 2.1 §9.5.3: AND binds closer than OR.
  #parseObservationExpression(): void {
    this.#expect('[', '[ or (');
    const outer: Composite[] = [];
    let current = compositeAt(this.#token.start);
    for (;;) {
      let at = this.#token.start;
      for (; this.#accept('('); at = this.#token.start) {
        outer.push(current);
        current = compositeAt(at);
      }
      this.#joinByAnd(current, this.#parseComparison(), at);
      while (outer.length > 0 && this.#accept(')')) {
        const group = current;
        current = outer.pop() as Composite;
        this.#joinByAnd(current, typesOf(group), group.at);
      }
      if (outer.length === 0 && this.#accept(']')) return;
      if (this.#accept('OR')) {
        current.alternatives = typesOf(current);
        current.term = undefined;
      } else {
        this.#expect('AND', outer.length > 0 ? 'AND, OR or )' : 'AND, OR or ]');
      }
    }
  }

  // STIX 2.1 §9.5: all operands of AND must be satisfiable with the same object.
  #joinByAnd(composite: Composite, operand: ObjectTypes, at: number): void {
    const types = composite.term === undefined ? operand : bothOf(composite.term, operand);
    composite.term = types ?? operand;
    if (types !== undefined) return;
    const what =
      'AND joins comparisons of different object types, but one object must satisfy them all: join them by OR';
    this.#problems.add('pattern-object-types', at, `${what}, or write [...] AND [...]`);
  }

  // STIX 2.1 §9.5.1. A group may have several of a kind, as the official tools read it.
  #parseQualifiers({ isGroup }: { isGroup: boolean }): void {
    const seen = new Set<string>();
    for (let keyword = this.#token.text; qualifiers.has(keyword); keyword = this.#token.text) {
      if (!isGroup && seen.has(keyword)) {
        const what = `${keyword} stands twice behind the same expression: leave one out`;
        this.#problems.add('pattern-qualifier-repeated', this.#token.start, what);
      }
      seen.add(keyword);
      this.#token.advance();
      if (keyword === 'START') this.#parseWindow();
      else this.#parseAmount(keyword);
    }
  }

  #parseAmount(keyword: string): void {
    const { kind, text, start } = this.#token;
    const isCount = keyword === 'REPEATS';
    if (kind !== 'number' || text.startsWith('-') || (isCount && text.includes('.'))) {
      throw this.#expected(isCount ? 'a positive integer' : 'a positive number');
    }
    if (Number(text) === 0) {
      this.#problems.add('pattern-qualifier-value', start, `${keyword} must have a number above zero`);
    }
    this.#judgeNumber();
    this.#token.advance();
    this.#expect(isCount ? 'TIMES' : 'SECONDS');
  }

  #parseWindow(): void {
    const from = this.#parseTimestamp();
    this.#expect('STOP');
    const { start } = this.#token;
    const to = this.#parseTimestamp();
    if (from !== undefined && to !== undefined && to <= from) {
      this.#problems.add(
        'pattern-stop-order',
        start,
        'STOP must be later than START, or nothing is ever observed between',
      );
    }
  }

  // STIX 2.1 §9.6
  #parseComparison(): string {
    const { text } = this.#token;
    if (text === 'NOT' || text === 'EXISTS') {
      this.#accept('NOT');
      this.#expect('EXISTS', 'EXISTS, since NOT stands before EXISTS or before an operator');
      return this.#parseObjectPath().objectType;
    }
    const path = this.#parseObjectPath();
    this.#accept('NOT');
    this.#parseTest(path);
    return path.objectType;
  }

  // STIX 2.1 §9.7
  #parseObjectPath(): ObjectPath {
    const objectType = this.#token.text;
    if (this.#token.kind !== 'word' || keywords.has(objectType)) throw this.#expected('an object type such as file');
    this.#judgeName(objectType, 'an object type');
    this.#token.advance();
    this.#expect(':');
    let parent = '';
    let step = this.#parseName('a property');
    for (;;) {
      if (this.#accept('.')) {
        parent = step;
        step = this.#parseName(parent === 'hashes' ? 'a hash' : 'a dictionary key');
      } else if (this.#accept('[')) {
        this.#parseIndex();
        parent = step = '';
      } else {
        return { objectType, algorithm: parent === 'hashes' ? step : undefined };
      }
    }
  }
  #parseName(kind: NameKind): string {
    const { kind: tokenKind, text } = this.#token;
    const isQuoted = tokenKind === 'string';
    if (!isQuoted && (tokenKind !== 'word' || keywords.has(text))) throw this.#expected(`the name of ${kind}`);
    if (!isQuoted && text.includes('-')) throw this.#expected('a name without hyphen, or in apostrophes');
    const name = isQuoted ? contentOf(text) : text;
    this.#judgeName(name, kind);
    this.#token.advance();
    return name;
  }

  #judgeName(name: string, kind: NameKind): void {
    const fault = findNameFault(name, kind);
    if (fault) this.#problems.add(fault.code, this.#token.start, `${quote(name)} ${fault.what}`);
  }

  #parseIndex(): void {
    const { kind, text, start } = this.#token;
    if (text !== '*' && (kind !== 'number' || text.includes('.'))) throw this.#expected('a list index or *');
    if (text.startsWith('-')) {
      this.#problems.add('pattern-grammar-only', start, 'a list index must not be negative');
    }
    if (text !== '*') this.#judgeNumber();
    this.#token.advance();
    this.#expect(']');
  }

  // STIX 2.1 §9.6.1
  #parseTest({ algorithm }: ObjectPath): void {
    const { text: operator, start } = this.#token;
    switch (operator) {
      case '==':
      case '<>':
        this.#problems.add('pattern-grammar-only', start, `write ${operator === '==' ? '=' : '!='} for ${operator}`);
        this.#token.advance();
        this.#parseConstant(algorithm);
        break;
      case '=':
      case '!=':
        this.#token.advance();
        this.#parseConstant(algorithm);
        break;
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#token.advance();
        if (booleans.has(this.#token.text))
          throw this.#expected(`a constant that has an order, since it follows ${operator}`);
        this.#parseConstant();
        break;
      case 'IN':
        this.#token.advance();
        this.#parseSet(algorithm);
        break;
      case 'LIKE':
      case 'MATCHES':
      case 'ISSUBSET':
      case 'ISSUPERSET':
        this.#token.advance();
        this.#parseStringOperand(operator);
        break;
      default:
        throw this.#expected('a comparison operator such as =');
    }
  }

  #parseSet(algorithm: string | undefined): void {
    const { start } = this.#token;
    this.#expect('(');
    if (this.#accept(')')) {
      this.#problems.add('pattern-grammar-only', start, 'a set must hold at least one constant');
      return;
    }
    const type = this.#parseConstant(algorithm);
    while (this.#accept(',')) {
      const at = this.#token.start;
      if (this.#parseConstant(algorithm) === type) continue;
      this.#problems.add('pattern-set-types', at, 'the constants of a set must be of one type');
    }
    this.#expect(')', ', or )');
  }

  #parseStringOperand(operator: string): void {
    const { kind, text, start } = this.#token;
    if (kind !== 'string') throw this.#expected(`a string in apostrophes, since it follows ${operator}`);
    const content = contentOf(text);
    if (operator === 'MATCHES') {
      const fault = findRegexFault(content);
      if (fault) this.#problems.add('pattern-regex', start, `the regular expression ${quote(content)} ${fault}`);
    } else if (operator !== 'LIKE' && !isAddressRange(content)) {
      const what = `${operator} must be followed by an IPv4 or IPv6 address or a CIDR range, not ${quote(content)}`;
      this.#problems.add('pattern-subset-operand', start, what);
    }
    this.#token.advance();
  }

  #parseConstant(algorithm?: string): ConstantType {
    const type = this.#judgeConstant(algorithm);
    this.#token.advance();
    return type;
  }

  // STIX 2.1 §9.2
  #judgeConstant(algorithm: string | undefined): ConstantType {
    const { kind, text, start } = this.#token;
    switch (kind) {
      case 'string':
        if (algorithm !== undefined) this.#judgeHash(algorithm);
        return 'string';
      case 'number':
        this.#judgeNumber();
        return 'number';
      case 'timestamp':
        this.#judgeTimestamp();
        return 'timestamp';
      case 'binary':
        if (!isBase64(text.slice(2, -1))) this.#problems.add('pattern-octets', start, `${quote(text)} must be base64`);
        return 'octets';
      case 'hex':
        if (!isHex(text.slice(2, -1))) {
          this.#problems.add('pattern-octets', start, `${quote(text)} must be an even number of hexadecimal digits`);
        }
        return 'octets';
      default:
        if (booleans.has(text)) return 'boolean';
        throw this.#expected("a constant, such as 1, true, t'2026-01-31T23:59:59Z' or a text in apostrophes");
    }
  }

  #judgeHash(algorithm: string): void {
    const hash = contentOf(this.#token.text);
    const form = missingHashForm(algorithm, hash);
    if (form === undefined) return;
    this.#problems.add(
      'pattern-hash-value',
      this.#token.start,
      `${quote(hash)} must be a hash by ${algorithm}: ${form}`,
    );
  }

  // STIX 2.1 §9.2, integer and float; §2.10, §2.6
  #judgeNumber(): void {
    const { text, start } = this.#token;
    if (text.startsWith('+')) this.#problems.add('pattern-grammar-only', start, 'leave out the plus sign');
    const isInRange = text.includes('.') ? Number.isFinite(Number(text)) : Number.isSafeInteger(Number(text));
    if (!isInRange) this.#problems.add('pattern-number-range', start, 'a number must be from -(2^53)+1 to (2^53)-1');
  }

  #judgeTimestamp(): string | undefined {
    const { text, start } = this.#token;
    const instant = instantOf(text.slice(2, -1));
    if (instant === undefined) {
      const what = `${quote(text)} must be a timestamp on a date that exists, such as t'2026-01-31T23:59:59Z'`;
      this.#problems.add('pattern-timestamp', start, what);
    }
    return instant;
  }

  #parseTimestamp(): string | undefined {
    if (this.#token.kind !== 'timestamp') throw this.#expected("a timestamp such as t'2026-01-31T23:59:59Z'");
    const instant = this.#judgeTimestamp();
    this.#token.advance();
    return instant;
  }

  #accept(text: string): boolean {
    if (this.#token.text !== text) return false;
    this.#token.advance();
    return true;
  }

  #acceptOneOf(texts: Set<string>): boolean {
    return texts.has(this.#token.text) && this.#accept(this.#token.text);
  }

  #expect(text: string, description = text): void {
    if (!this.#accept(text)) throw this.#expected(description);
  }

  #expected(description: string): PatternSyntaxError {
    const { kind, text, start } = this.#token;
    const found = kind === 'end' ? 'the end' : quote(text);
    return new PatternSyntaxError(start, `expected ${description}, found ${found}`);
  }
}

function compositeAt(at: number): Composite {
  return { at, alternatives: undefined, term: undefined };
}

/** What a composite can be about. Asked behind an operand, so that it has a term. */
function typesOf({ alternatives, term }: Composite): ObjectTypes {
  return alternatives === undefined ? (term as ObjectTypes) : eitherOf(alternatives, term as ObjectTypes);
}

/** What a text in apostrophes says. */
function contentOf(text: string): string {
  const content = text.slice(1, -1);
  return content.includes('\\') ? content.replaceAll(/\\(.)/g, '$1') : content;
}
