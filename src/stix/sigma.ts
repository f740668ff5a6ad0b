import { EVENT_DOCUMENT, EVENT_MAPPING, type Event, parseEvents, YAMLException } from 'js-yaml';

// The longest rules in use have some tens of thousands of characters. A text of this length takes some 60 ms.
const lengthMax = 262_144;
const reasonLengthMax = 60;

/**
 * Judges whether a text can be a Sigma rule (STIX 2.1 §4.7.1: pattern_type must match the type of the pattern): YAML in
 * which at least one document is a mapping, since nearly any line of text is YAML. Aliases, tags and repeated keys are
 * not judged, nor is a text of more than 262,144 characters. Never throws.
 * @returns what is wrong, as the rest of a sentence that begins with the path of the pattern, or undefined
 */
export function findSigmaFault(text: string): string | undefined {
  if (text.length > lengthMax) return undefined;
  let events: Event[];
  try {
    events = parseEvents(text, {});
  } catch (error) {
    // Of what else the parser may stumble over on hostile text, nothing can be said.
    return error instanceof YAMLException ? describe(error) : undefined;
  }
  const isMapping = events.some(
    ({ type }, index) => type === EVENT_MAPPING && events[index - 1]?.type === EVENT_DOCUMENT,
  );
  return isMapping ? undefined : 'is not a Sigma rule: it holds no YAML mapping, such as title: ...';
}

// The reason may quote the text.
function describe({ reason, mark }: YAMLException): string {
  const what = reason.slice(0, reasonLengthMax).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd');
  const where = mark ? `at line ${mark.line + 1}, character ${mark.column + 1}, ` : '';
  return `is not a Sigma rule: it is not YAML: ${where}${what}`;
}
