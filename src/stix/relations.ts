import { isIdentifier, typeOfIdentifier } from './identifier.ts';
import { isComplete, isRecord } from './object-types.ts';
import { type ProblemList, pointerTo } from './problems.ts';
import { isTimestamp, toInstant } from './timestamp.ts';

type StixRecord = Record<string, unknown>;

/**
 * Judges what a JSON Schema cannot say: how the values of an object stand to each other and to the clock. What has not
 * the form it should have is passed over here.
 * @param warnings what real producers break and no consumer trips over, in types that are not judged completely
 * @param clock the hub's time, and the instant that created and modified may not pass
 */
export function judgeRelations(
  object: StixRecord,
  problems: ProblemList,
  warnings: ProblemList,
  clock: { now: Date; latest: string },
): void {
  const { type, id } = object;
  // Where the type itself is wrong, nothing can be said of how the id begins.
  if (!problems.has('/type') && typeof id === 'string' && isIdentifier(id) && typeOfIdentifier(id) !== type) {
    problems.add('id-type-mismatch', '/id');
  }
  judgeDates(object, problems, clock);
  if (isBefore(instantOf(object.modified), instantOf(object.created))) {
    (isComplete(object) ? problems : warnings).add('modified-order', '/modified');
  }
  if (type === 'indicator') judgeValidity(object, problems);
  if (isComplete(object)) judgeSelectors(object, problems);
}

function judgeDates(object: StixRecord, problems: ProblemList, clock: { now: Date; latest: string }): void {
  const created = instantOf(object.created);
  const modified = instantOf(object.modified);
  for (const [name, instant] of Object.entries({ created, modified })) {
    if (instant === undefined || instant <= clock.latest) continue;
    const message = `must not be in the future: the hub's clock shows ${clock.now.toISOString()}`;
    problems.add('timestamp-in-future', pointerTo(name), { message });
  }
}

function judgeValidity(indicator: StixRecord, problems: ProblemList): void {
  const from = instantOf(indicator.valid_from);
  const until = instantOf(indicator.valid_until);
  if (until !== undefined && (until === from || isBefore(until, from)))
    problems.add('valid-until-order', '/valid_until');
}

function isBefore(instant: string | undefined, other: string | undefined): boolean {
  return instant !== undefined && other !== undefined && instant < other;
}

function instantOf(value: unknown): string | undefined {
  return typeof value === 'string' && isTimestamp(value) ? toInstant(value) : undefined;
}

function judgeSelectors(object: StixRecord, problems: ProblemList): void {
  const markings = Array.isArray(object.granular_markings) ? object.granular_markings : [];
  for (const [index, marking] of markings.entries()) {
    const selectors: unknown[] = isRecord(marking) && Array.isArray(marking.selectors) ? marking.selectors : [];
    for (const [position, selector] of selectors.entries()) {
      if (problems.isFull) return;
      if (typeof selector === 'string' && !selects(selector, object)) {
        problems.add('selector-unresolved', `/granular_markings/${index}/selectors/${position}`);
      }
    }
  }
}

// STIX 2.1 §7.2.3: a component is a list index in a list, and a property name or dictionary key in an object.
function selects(selector: string, object: StixRecord): boolean {
  let value: unknown = object;
  for (const component of selector.split('.')) {
    if (Array.isArray(value)) {
      const index = /^\[(\d+)\]$/.exec(component)?.[1];
      if (index === undefined || Number(index) >= value.length) return false;
      value = value[Number(index)];
    } else {
      if (!isRecord(value) || !Object.hasOwn(value, component)) return false;
      value = value[component];
    }
  }
  return true;
}
