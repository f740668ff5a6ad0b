import type { ProblemCode } from '../catalogue.ts';
import { type ProblemList, pointerTo } from '../problems.ts';
import { instantOf } from '../timestamp.ts';

/** `later` must not be before `earlier`, nor at the same instant where `isStrict`. */
interface Order {
  earlier: string;
  later: string;
  isStrict?: boolean;
  code: ProblemCode;
  section: string;
}

const ofEveryObject: Order = {
  earlier: 'created',
  later: 'modified',
  code: 'modified-order',
  section: 'STIX 2.1 §3.6.1',
};

const ordersOf = new Map<string, Order>([
  ['campaign', seen('STIX 2.1 §4.2.1')],
  ['infrastructure', seen('STIX 2.1 §4.8.1')],
  ['intrusion-set', seen('STIX 2.1 §4.9.1')],
  ['malware', seen('STIX 2.1 §4.11.1')],
  ['sighting', seen('STIX 2.1 §5.2.1')],
  ['threat-actor', seen('STIX 2.1 §4.17.1')],
  [
    'indicator',
    {
      earlier: 'valid_from',
      later: 'valid_until',
      isStrict: true,
      code: 'valid-until-order',
      section: 'STIX 2.1 §4.7.1',
    },
  ],
  ['network-traffic', { earlier: 'start', later: 'end', code: 'timestamp-order', section: 'STIX 2.1 §6.12.1' }],
  [
    'observed-data',
    { earlier: 'first_observed', later: 'last_observed', code: 'timestamp-order', section: 'STIX 2.1 §4.14.1' },
  ],
  [
    'relationship',
    { earlier: 'start_time', later: 'stop_time', isStrict: true, code: 'stop-time-order', section: 'STIX 2.1 §5.1.2' },
  ],
]);

function seen(section: string): Order {
  return { earlier: 'first_seen', later: 'last_seen', code: 'timestamp-order', section };
}

/** The hub's time, and the instant that created and modified may not pass. */
export interface Clock {
  now: Date;
  latest: string;
}

/** Judges how the timestamps of an object stand to each other, compared as instants, and to the hub's clock. */
export function judgeTimestamps(object: Record<string, unknown>, problems: ProblemList, clock: Clock): void {
  for (const name of ['created', 'modified']) {
    const instant = instantOf(object[name]);
    if (instant !== undefined && instant > clock.latest) {
      const message = `must not be in the future: the hub's clock shows ${clock.now.toISOString()}`;
      problems.add('timestamp-in-future', pointerTo(name), () => ({ message }));
    }
  }
  judgeOrder(object, problems, ofEveryObject);
  judgeOrderOfType(object, problems);
}

/**
 * Judges how the timestamps that only a type has stand to each other.
 * @param place where the object stands in the judged one, as a JSON Pointer
 */
export function judgeOrderOfType(object: Record<string, unknown>, problems: ProblemList, place = ''): void {
  const order = ordersOf.get(object.type as string);
  if (order) judgeOrder(object, problems, order, place);
}

function judgeOrder(object: Record<string, unknown>, problems: ProblemList, order: Order, place = ''): void {
  const earlier = instantOf(object[order.earlier]);
  const later = instantOf(object[order.later]);
  if (earlier === undefined || later === undefined || later > earlier) return;
  if (later === earlier && !order.isStrict) return;
  const message = `must ${order.isStrict ? 'be later' : 'not be earlier'} than ${pointerTo(order.earlier)}`;
  problems.add(order.code, place + pointerTo(order.later), () => ({ message, section: order.section }));
}
