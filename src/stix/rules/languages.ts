import { isRecord } from '../object-types.ts';
import { type ProblemList, pointerTo } from '../problems.ts';
import { isRegisteredLanguageTag } from '../registries.ts';

/**
 * Judges that the languages an object names are registered ones (RFC 5646): of the object and of parts of it (STIX 2.1
 * §3.2, §7.2.3), of translations (§7.1.1), and of software (§6.14.1).
 * @param place where the object stands in the judged one, as a JSON Pointer
 */
export function judgeLanguages(object: Record<string, unknown>, problems: ProblemList, place = ''): void {
  const { type, lang, granular_markings, contents, languages } = object;
  judge(lang, '/lang', 'STIX 2.1 §3.2');
  judgeEach(granular_markings, (marking, index) => {
    if (isRecord(marking)) judge(marking.lang, `/granular_markings/${index}/lang`, 'STIX 2.1 §7.2.3');
  });
  if (type === 'language-content' && isRecord(contents)) {
    judgeEach(Object.keys(contents), name => judge(name, `/contents${pointerTo(String(name))}`, 'STIX 2.1 §7.1.1'));
  }
  if (type === 'software') {
    judgeEach(languages, (language, index) => judge(language, `/languages/${index}`, 'STIX 2.1 §6.14.1'));
  }

  function judgeEach(items: unknown, judgeItem: (item: unknown, index: number) => void): void {
    for (const [index, item] of Array.isArray(items) ? items.entries() : []) {
      if (!problems.accepts('language-unknown')) return;
      judgeItem(item, index);
    }
  }

  function judge(language: unknown, path: string, section: string): void {
    if (typeof language !== 'string' || isRegisteredLanguageTag(language)) return;
    problems.add('language-unknown', place + path, () => ({ section }));
  }
}
