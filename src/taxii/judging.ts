import { HubError } from '../errors.ts';
import { isRecord } from '../stix/object-types.ts';
import { isUnknownTlpMarking, markingsOf, type TlpLevel, tlpLevelOf } from '../stix/tlp.ts';
import { describeProblems, type JudgeOptions, type Validator } from '../stix/validate.ts';
import { type Anonymity, findRevelation } from './anonymity.ts';
import type { ObjectSlice } from './object-slices.ts';
import { Turn } from './turns.ts';

/** What became of one element of an envelope; a status resource lists them (TAXII 2.1 §4.3.1). */
export interface Outcome {
  result: 'added' | 'present' | 'refused';
  id: string;
  version: string;
  /** why it was refused, that it was there already, or what it breaks and was taken with */
  message?: string;
  /** of a refused one: it is a TLP marking that is not known */
  isUnknownTlp?: true;
}

/** An object that was judged valid, on its way into a collection. */
export interface Candidate {
  id: string;
  type: string;
  specVersion: string;
  /** undefined: an object without modified and created, such as most SCOs */
  versionText: string | undefined;
  /** undefined: it carries no TLP marking */
  tlp: TlpLevel | undefined;
  bytes: Buffer;
  /** what it breaks and is taken with */
  warning?: string;
}

/** By what the elements of an envelope are judged: the policy of the collection, and what must not show in it. */
export interface AdmissionOptions extends JudgeOptions {
  anonymity?: Anonymity | undefined;
  /** in lower case, the TLP markings that were refused in earlier batches of the same input; what is found is added */
  unknownTlp?: Set<string>;
}

/** Each element of an envelope, judged alone: on its way in, or refused already. */
export type Judged = Candidate | Outcome;

const nestingMax = 100;
// Of the reasons of one envelope, together: hundreds of thousands of bad objects would else fill memory with them.
const reasonsLengthMax = 4 * 1024 * 1024;

/**
 * Judges the elements of an envelope, each alone, letting other requests in between.
 * @throws HubError envelope-malformed where an element is not JSON: then nothing of the envelope can be trusted
 */
export async function judge(slices: ObjectSlice[], validator: Validator, options: AdmissionOptions): Promise<Judged[]> {
  const judged: Judged[] = [];
  let reasonsLength = 0;
  const turn = new Turn({ isFirst: false });
  for (const slice of slices) {
    if (turn.isOver()) await turn.next();
    const one = judgeSlice(slice, validator, options);
    reasonsLength += (isCandidate(one) ? one.warning : one.message)?.length ?? 0;
    judged.push(reasonsLength <= reasonsLengthMax ? one : shortenReason(one));
  }
  return refuseUnknownTlp(judged, options.unknownTlp ?? new Set(), turn);
}

/** Refuses what is marked with a TLP marking that was refused: nobody could be kept from seeing it. */
async function refuseUnknownTlp(judged: Judged[], unknown: Set<string>, turn: Turn): Promise<Judged[]> {
  for (const one of judged) if (!isCandidate(one) && one.isUnknownTlp) unknown.add(one.id.toLowerCase());
  if (unknown.size === 0) return judged;
  const kept: Judged[] = [];
  for (const one of judged) {
    if (turn.isOver()) await turn.next();
    kept.push(isCandidate(one) ? refuseMarked(one, unknown) : one);
  }
  return kept;
}

function refuseMarked(one: Candidate, unknown: Set<string>): Judged {
  const markings = markingsOf(JSON.parse(one.bytes.toString('utf8')));
  const marking = markings.find(id => typeof id === 'string' && unknown.has(id.toLowerCase()));
  if (marking === undefined) return one;
  const version = one.versionText ?? 'unknown';
  return { result: 'refused', id: one.id, version, message: `is marked with ${marking}, ${unknownTlpMarking}` };
}

function shortenReason(one: Judged): Judged {
  if (!isCandidate(one)) return { ...one, message: tooManyReasons };
  return one.warning === undefined ? one : { ...one, warning: tooManyWarnings };
}

function judgeSlice(slice: ObjectSlice, validator: Validator, options: AdmissionOptions): Judged {
  // Before it is parsed: JSON.parse takes seconds and gigabytes for millions of brackets.
  if (slice.depth > nestingMax) {
    return { result: 'refused', id: 'unknown', version: 'unknown', message: `nested deeper than ${nestingMax} levels` };
  }
  const value = parseSlice(slice);
  const judgement = validator.judge(value, { ...options, memberCount: slice.memberCount });
  // Also where it is refused for something else: what is marked with it is no less secret.
  const unknownTlp = isRecord(value) && isUnknownTlpMarking(value) && { isUnknownTlp: true as const };
  if (!judgement.valid) {
    const { id, version, errors } = judgement;
    return { result: 'refused', id, version, message: describeProblems(errors), ...unknownTlp };
  }
  const { id, type, specVersion, version } = judgement.object;
  if (unknownTlp) {
    return { result: 'refused', id, version: version ?? 'unknown', message: `is ${unknownTlpMarking}`, ...unknownTlp };
  }
  const tlp = tlpLevelOf(value as Record<string, unknown>);
  const revelation = options.anonymity && findRevelation(value, options.anonymity);
  if (revelation) return { result: 'refused', id, version: version ?? 'unknown', message: revelation };
  const warning = judgement.warnings.length > 0 && { warning: `taken, but ${describeProblems(judgement.warnings)}` };
  return { id, type, specVersion, versionText: version, tlp, bytes: slice.bytes, ...warning };
}

function parseSlice(slice: ObjectSlice): unknown {
  try {
    return JSON.parse(slice.bytes.toString('utf8'));
  } catch (error) {
    throw new HubError('envelope-malformed', `The object that starts at byte ${slice.offset} is not valid JSON.`, {
      cause: error,
    });
  }
}

/** Whether an element was not refused. */
export function isCandidate(one: Judged): one is Candidate {
  return 'bytes' in one;
}

const unknownTlpMarking =
  'a TLP marking under an id of its own, which the hub cannot enforce: refer to those of STIX 2.1 §7.2.1.4, or to those ' +
  'that OASIS has published for TLP 2.0';
const tooManyReasons = 'refused, as many others of the envelope: send it again with fewer objects to read why';
const tooManyWarnings = 'taken with warnings, as many others of the envelope: send fewer objects to read them';
