import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { characterSets } from '../../../src/stix/character-sets.ts';
import { isCharacterSet, isRegisteredLanguageTag, isRegisteredMediaType } from '../../../src/stix/registries.ts';

const read = createRequire(import.meta.url);
const kelvin = '\u212A';

describe('isRegisteredLanguageTag (RFC 5646 §2.2.9)', () => {
  it.each([
    ...['en', 'en-US', 'zh-Hant-TW', 'pt-BR', 'sr-Latn-RS', 'de-CH-1996', 'mas', 'es-419', 'bbb', 'und', 'zxx', 'mul'],
    ...['EN', 'en-us', 'ZH-hANT-tw', 'zh-cmn-Hans-CN', 'zh-yue-HK', 'sl-rozaj-biske-1994', 'de-Latn-DE-1996'],
    ...['iw', 'in', 'sh', 'mo', 'de-DD', 'ru-SU', 'sr-YU'],
    ...['i-klingon', 'i-default', 'en-GB-oed', 'EN-gb-OED', 'sgn-BE-FR', 'zh-min-nan', 'art-lojban', 'no-bok'],
    ...['x-whatever', 'X-a-b-c', 'en-x-hub', 'de-DE-x-1'],
    ...['qaa', 'qtz', 'qaa-Qaaa-QM', 'en-Qabx', 'en-AA', 'en-QZ', 'en-XA', 'en-XZ', 'en-ZZ'],
    ...['de-DE-u-co-phonebk', 'ja-t-it-m0-xxx', 'en-t-de-u-ca-gregory-x-y'],
  ])('takes %s', text => {
    expect(isRegisteredLanguageTag(text)).toBe(true);
  });

  it.each([
    ...['', 'foo', 'cc', 'xx-YY', 'PHP', 'C#', 'Javascript', 'Postscript', 'english', 'e', 'zz'],
    ...['en_US', 'en-', '-en', 'en--US', ' en', 'en ', 'en\n', 'en-US-', 'en-US.UTF-8', 'de,en', '*', 'C', 'POSIX'],
    ...['en-UK', 'en-YY', 'en-999', 'en-Abcd', 'en-Qaby', 'en-QL', 'qua-Qaaa-YZ', 'de-1995', 'de-abcde', 'zh-abc'],
    ...['de-1996-1996', 'de-DE-Latn', 'zh-cmn-yue', 'en-u', 'en-a-bcd', 'en-u-co-phonebk-u-ca-gregory', 'x', 'x-'],
    ...['x-toolongtag', 'i-unknown', 'en-GB-oxendict-', 'qaa..qtz', 'Qaaa..Qabx', 'constructor', '__proto__'],
    ...[`${kelvin}o`, 'en\u2010US', '\uFF45\uFF4E', 'ｅn'],
  ])('refuses %j', text => {
    expect(isRegisteredLanguageTag(text)).toBe(false);
  });

  it('takes every redundant and grandfathered tag, and every language of the registry', () => {
    for (const type of ['redundant', 'grandfathered', 'language']) {
      const tags = Object.keys(read(`language-subtag-registry/data/json/${type}.json`) as object);
      const refused = tags.filter(tag => !tag.includes('..') && !isRegisteredLanguageTag(tag));
      expect(refused).toEqual([]);
    }
  });
});

describe("isRegisteredMediaType (IANA's registry)", () => {
  it.each([
    ...['application/zip', 'application/msword', 'image/jpeg', 'IMAGE/JPEG', 'image/png', 'text/plain', 'image/bmp'],
    ...['multipart/mixed', 'application/pdf', 'application/vnd.tcpdump.pcap', 'message/rfc822', 'font/woff2'],
    ...['application/vnd.ms-excel.addin.macroEnabled.12', 'text/javascript'],
    ...['application/stix+json', 'application/taxii+json', 'application/octet-stream', 'video/mp4'],
  ])('takes %s', text => {
    expect(isRegisteredMediaType(text)).toBe(true);
  });

  it.each([
    ...['', 'application/exe', 'application/x-pdf', 'application/x-7z-compressed', 'text/plain; charset=utf-8'],
    ...['text/plain ', 'text', 'foo/bar', 'constructor', '__proto__', `image/vnd.${kelvin}odak`],
  ])('refuses %j', text => {
    expect(isRegisteredMediaType(text)).toBe(false);
  });
});

describe('isCharacterSet (STIX 2.1 §6.3.1, §6.7.1)', () => {
  it.each([
    ...['UTF-8', 'utf-8', 'US-ASCII', 'ISO-8859-1', 'ISO-8859-2', 'ISO-8859-6-I', 'windows-1251', 'WINDOWS-1252'],
    ...['Shift_JIS', 'EUC-JP', 'Big5', 'GB2312', 'GBK', 'GB18030', 'KOI8-R', 'IBM850', 'UTF-16LE', 'macintosh'],
    ...['NF_Z_62-010_(1973)', 'NC_NC00-10:81', 'CP50220'],
  ])('takes %s', text => {
    expect(isCharacterSet(text)).toBe(true);
  });

  // Aliases, names that have a preferred MIME name, what was registered later, and what never was.
  it.each([
    ...['latin1', 'l1', 'ascii', 'IBM367', 'cp850', 'csUTF8', 'ISO_8859-1:1987', 'ISO_8859-6-I', 'ISO_8859-1'],
    ...['Extended_UNIX_Code_Packed_Format_for_Japanese', 'UTF-7-IMAP'],
    ...[
      '',
      'bla.bla.bla',
      'utf8',
      'cp1252',
      'windows-31',
      'UTF-8 ',
      ' UTF-8',
      'UTF-8\n',
      `${kelvin}OI8-R`,
      'constructor',
    ],
  ])('refuses %j', text => {
    expect(isCharacterSet(text)).toBe(false);
  });

  it('knows the 257 of the revision, each once', () => {
    expect(new Set(characterSets.map(name => name.toLowerCase())).size).toBe(257);
    expect(characterSets.filter(name => !isCharacterSet(name))).toEqual([]);
  });
});

describe('a hostile text of a megabyte', () => {
  const size = 1_000_000;
  const texts = [
    ...[
      'a',
      '-',
      '/',
      ':',
      '*',
      '?',
      '\\',
      '\u0000',
      kelvin,
      '\uD800',
      'a-',
      '-u-co',
      '-1996',
      '\\:',
      ':*',
      ':-',
      '?a',
    ],
    ...['en', 'en-', 'x-', 'de-1996', 'a/', 'application/', 'cpe:2.3:a:', 'cpe:2.3:a:*:*:', 'utf-'],
  ].flatMap(part => {
    const repeated = part.repeat(size / part.length);
    return [repeated, `en-${repeated}`, `text/${repeated}`, `cpe:2.3:a:${repeated}`, `cpe:2.3:a:v:p:${repeated}:*`];
  });

  it.each([
    ['isRegisteredLanguageTag', isRegisteredLanguageTag],
    ['isRegisteredMediaType', isRegisteredMediaType],
    ['isCharacterSet', isCharacterSet],
  ])('is refused by %s at once', (_name, judge) => {
    const start = performance.now();
    expect(texts.filter(judge)).toEqual([]);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('is judged no slower within the bounds', () => {
    const start = performance.now();
    for (const text of texts) {
      isRegisteredLanguageTag(text.slice(0, 255));
    }
    expect(performance.now() - start).toBeLessThan(500);
  });
});
