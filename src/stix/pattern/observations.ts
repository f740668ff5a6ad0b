import { parseComparison } from './comparisons.ts';
import { parseAmount, parseTimestamp } from './constants.ts';
import { bothOf, eitherOf, type ObjectTypes } from './object-types.ts';
import type { PatternReader } from './reader.ts';

/** Comparisons joined by AND and OR: an observation expression, or a group within it. */
interface Composite {
  at: number;
  /** what the operands before the last OR can be about */
  alternatives: ObjectTypes | undefined;
  /** what the operands of AND since then can be about together */
  term: ObjectTypes | undefined;
}

const observationOperators = new Set(['AND', 'OR', 'FOLLOWEDBY']);
const qualifiers = new Set(['WITHIN', 'REPEATS', 'START']);

/**
 * Reads a pattern to its end (STIX 2.1 §9.5), once and without recursion. Nothing is built: what is wrong is reported,
 * and the rest forgotten. Precedence has no say on this level: however the operators bind, the parts are the same.
 * @throws PatternSyntaxError where the text stops being a pattern
 */
export function parsePattern(reader: PatternReader): void {
  let open = 0;
  do {
    while (reader.accept('(')) open += 1;
    parseObservationExpression(reader);
    parseQualifiers(reader, { ofGroup: false });
    while (open > 0 && reader.accept(')')) {
      open -= 1;
      parseQualifiers(reader, { ofGroup: true });
    }
  } while (observationOperators.has(reader.text) && reader.accept(reader.text));
  if (open > 0 || reader.kind !== 'end') {
    throw reader.expected(`a qualifier, AND, OR, FOLLOWEDBY or ${open > 0 ? ')' : 'the end'}`);
  }
  if (reader.firstComment !== undefined) {
    reader.report('pattern-grammar-only', 'the standard has no comments: leave it out', reader.firstComment);
  }
}

// STIX 2.1 §9.5, §9.5.3: AND binds closer than OR. The groups around are kept on a stack.
function parseObservationExpression(reader: PatternReader): void {
  reader.expect('[', '[ or (');
  const outer: Composite[] = [];
  let current = compositeAt(reader.start);
  for (;;) {
    let at = reader.start;
    for (; reader.accept('('); at = reader.start) {
      outer.push(current);
      current = compositeAt(at);
    }
    joinByAnd(reader, current, parseComparison(reader), at);
    while (outer.length > 0 && reader.accept(')')) {
      const group = current;
      current = outer.pop() as Composite;
      joinByAnd(reader, current, typesOf(group), group.at);
    }
    if (outer.length === 0 && reader.accept(']')) return;
    if (reader.accept('OR')) {
      current.alternatives = typesOf(current);
      current.term = undefined;
    } else {
      reader.expect('AND', `AND, OR or ${outer.length > 0 ? ')' : ']'}`);
    }
  }
}

function compositeAt(at: number): Composite {
  return { at, alternatives: undefined, term: undefined };
}

// Asked only behind an operand, so that there is a term.
function typesOf({ alternatives, term }: Composite): ObjectTypes {
  return alternatives === undefined ? (term as ObjectTypes) : eitherOf(alternatives, term as ObjectTypes);
}

// STIX 2.1 §9.5: all operands of AND must be satisfiable with the same object.
function joinByAnd(reader: PatternReader, composite: Composite, operand: ObjectTypes, at: number): void {
  const types = composite.term === undefined ? operand : bothOf(composite.term, operand);
  composite.term = types ?? operand;
  if (types !== undefined) return;
  const what = 'AND joins comparisons of different object types, which one object must satisfy: join them by OR';
  reader.report('pattern-object-types', `${what}, or write [...] AND [...]`, at);
}

// STIX 2.1 §9.5.1. Behind a group the official tools take several of a kind, and so does this.
function parseQualifiers(reader: PatternReader, { ofGroup }: { ofGroup: boolean }): void {
  const seen = new Set<string>();
  for (let keyword = reader.text; qualifiers.has(keyword); keyword = reader.text) {
    if (seen.has(keyword) && !ofGroup) {
      reader.report('pattern-qualifier-repeated', `${keyword} stands twice behind one expression: leave one out`);
    }
    seen.add(keyword);
    reader.advance();
    if (keyword === 'START') {
      parseWindow(reader);
    } else {
      parseAmount(reader, { isCount: keyword === 'REPEATS' });
      reader.expect(keyword === 'REPEATS' ? 'TIMES' : 'SECONDS');
    }
  }
}

function parseWindow(reader: PatternReader): void {
  const from = parseTimestamp(reader);
  reader.expect('STOP');
  const { start } = reader;
  const to = parseTimestamp(reader);
  if (from === undefined || to === undefined || from < to) return;
  reader.report('pattern-stop-order', 'STOP must name a later time than START, or nothing can match', start);
}
