import { isRecord } from '../object-types.ts';
import { type ProblemList, pointerTo } from '../problems.ts';
import { isRegisteredLanguageTag } from '../registries.ts';

/** Judges that the languages an object names are registered ones (RFC 5646): lang (STIX 2.1 §3.2), and contents (§7.1.1). */
export function judgeLanguages(object: Record<string, unknown>, problems: ProblemList): void {
  judgeLanguage(object.lang, '/lang', 'STIX 2.1 §3.2', problems);
  if (Array.isArray(object.granular_markings)) {
    for (const [index, marking] of object.granular_markings.entries()) {
      const lang = isRecord(marking) ? marking.lang : undefined;
      judgeLanguage(lang, `/granular_markings/${index}/lang`, 'STIX 2.1 §7.2.3', problems);
    }
  }
  if (object.type === 'language-content' && isRecord(object.contents)) {
    for (const language of Object.keys(object.contents)) {
      judgeLanguage(language, `/contents${pointerTo(language)}`, 'STIX 2.1 §7.1.1', problems);
    }
  }
}

function judgeLanguage(language: unknown, path: string, section: string, problems: ProblemList): void {
  // Where the form is wrong the schema has said so.
  if (typeof language !== 'string' || problems.has(path) || isRegisteredLanguageTag(language)) return;
  problems.add('language-unknown', path, () => ({ section }));
}
