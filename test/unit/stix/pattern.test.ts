import { describe, expect, it } from 'vitest';
import { judgePattern, type PatternProblemCode } from '../../../src/stix/pattern/judge.ts';

const megabyte = 1_000_000;
const md5 = "'79054025255fb1a26e4bc422aef54eb4'";

function codesOf(pattern: string): PatternProblemCode[] {
  return judgePattern(pattern).map(({ code }) => code);
}

function messageOf(pattern: string): string | undefined {
  return judgePattern(pattern)[0]?.message;
}

describe('takes', () => {
  it.each([
    // §9.3, §9.5: the parts, and parentheses on both levels
    "[ipv4-addr:value = '198.51.100.1/32']",
    "([file:name = 'a']) AND (([file:name = 'b'] OR [file:name = 'c']) FOLLOWEDBY [file:name = 'd'])",
    "[((file:name = 'a') AND (file:size = 1 OR (file:size = 2 AND file:size < 3)))]",
    // §9.4: whitespace of every kind, and none where nothing needs it
    " \t\r\n[\u0085file\u00a0:\u1680name\u2003=\u2028'a'\u3000]\u205f",
    "[file:name='a'AND file:size=1AND file:size IN(1,2)]REPEATS 5TIMES WITHIN.5SECONDS",
    // §9.2: constants
    '[file:size = 0 OR file:size = -0 OR file:size = 9007199254740991 OR file:size = -9007199254740991]',
    '[file:size = 1.50 OR file:size = -.5 OR file:size = 007.5]',
    "[file:name = '' OR file:name = 'it\\'s' OR file:name = 'C:\\\\' OR file:name = '\u{1f600}\n]']",
    "[artifact:payload_bin = b'dGhpcyBpcyBhIHRlc3Q=' OR artifact:payload_bin = b'AB\nI=' OR artifact:payload_bin = b'']",
    "[file:magic_number_hex = h'ffD8' OR file:magic_number_hex = h'']",
    "[file:created = t'2016-02-29T23:59:60.123456789Z' OR process:is_hidden != true OR process:is_hidden = false]",
    // §9.6.1: operators, and NOT before each
    "[file:name != 'a' AND file:size > 1 AND file:size < 2 AND file:size >= 1 AND file:size <= 2]",
    "[file:name NOT = 'a' AND file:name NOT IN ('a', 'b') AND file:name NOT LIKE 'a%' AND file:name NOT MATCHES 'a']",
    "[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv6-addr:value NOT ISSUPERSET '2001:db8::/32']",
    "[network-traffic:dst_ref.value ISSUBSET '::ffff:192.0.2.1' OR ipv4-addr:value ISSUBSET '192.0.2.1']",
    '[EXISTS windows-registry-key:values OR NOT EXISTS file:name]',
    "[file:size IN (1, 2.5) OR file:magic_number_hex IN (h'00', b'AAAA') OR process:is_hidden IN (true, false)]",
    // §9.7: object paths
    "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]",
    "[network-traffic:protocols[0] = 'tcp' OR network-traffic:extensions.'http-request-ext'.request_header.'X' = 'a']",
    "[x-usb-device:usbdrive.serial_number = '1' OR x-usb-device:'usbdrive'.'serial_number' = '1']",
    "[file:id = 'a' OR file:tag.t = 'a' OR file:tag.b = 'a' OR file:tag.h = 'a']",
    // §9.5.1: qualifiers, one of each kind, and several behind a group
    "[file:name = 'a'] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z' WITHIN 1.5 SECONDS REPEATS 2 TIMES",
    "([file:name = 'a'] REPEATS 2 TIMES) REPEATS 2 TIMES REPEATS 3 TIMES",
    "[file:name = 'a'] REPEATS 2 TIMES AND [file:name = 'b'] REPEATS 2 TIMES",
    // §9.5: types that one object can have
    "[domain-name:value = 'a' OR ipv4-addr:value = 'b']",
    "[(file:name = 'a' OR url:value = 'b') AND url:value = 'c']",
    "[(file:name = 'a' OR url:value = 'b') AND (url:value = 'c' OR mutex:name = 'd') AND url:value = 'e']",
    "[domain-name:value = 'a'] AND [ipv4-addr:value = 'b']",
    // §10.7: hashes; of other algorithms and other paths nothing is known
    `[file:hashes.MD5 = ${md5} OR file:hashes.'MD5' IN (${md5}, ${md5}) OR file:content_ref.hashes.MD5 NOT != ${md5}]`,
    `[file:hashes.SSDEEP = '3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C' OR file:hashes.TLSH = 'T1${'0a'.repeat(35)}']`,
    "[file:hashes.md5 = 'f00' OR file:hashes.VHASH = 'f00' OR file:hashes[*] = 'f00' OR file:hashes.MD5 LIKE 'f00%']",
  ])('%s', pattern => {
    expect(judgePattern(pattern)).toEqual([]);
  });
});

describe('finds', () => {
  it.each<[code: PatternProblemCode, patterns: string[]]>([
    [
      'pattern-syntax',
      [
        ...['', ' ', '[', '[]', '()', ']', "file:name = 'a'", '[file]', '[file:]', '[file:name]', '[file:name =]'],
        ...["[file.name = 'a']", "[file:name 'a']", '[file:name = a]', '[file:name = "a"]', "[file:name = 'a'"],
        ...[
          "[file:name = 'a']]",
          "([file:name = 'a']",
          "[file:name = 'a'])",
          "[(file:name = 'a']",
          "[file:name = 'a')]",
        ],
        ...["[file:name = 'a' file:size = 1]", "[file:name = 'a'] [file:name = 'b']", "[file:name = 'a' AND]"],
        ...["[file:name = 'a'] and [file:name = 'b']", "[file:name like 'a']", '[process:is_hidden = True]'],
        ...["[file:name = 'a' FOLLOWEDBY file:name = 'b']", '[file:name = =1]', "[file:name =! 'a']"],
        ...[
          "[file:name = 'a\\n']",
          "[file:name = 'a]",
          "[file:name = 'a\\']",
          "[file:name = 'a''b']",
          '[file:name = \\]',
        ],
        ...['[file:size = 01]', '[file:size = 1.]', '[file:size = 1e5]', '[file:size = - 1]', '[file:size = 1.2.3]'],
        ...[
          '[file:my-name = 1]',
          '[file:name.my-key = 1]',
          '[file:name.0 = 1]',
          '[1file:name = 1]',
          "['file':name = 1]",
        ],
        ...[
          '[file:name[1.5] = 1]',
          "[file:name['b'] = 1]",
          '[file:name[] = 1]',
          '[file:name[01] = 1]',
          '[file:name.* = 1]',
        ],
        ...['[file:AND = 1]', '[IN:name = 1]', '[file:true = 1]', '[NOT file:name = 1]', '[file:name EXISTS]'],
        ...['[process:is_hidden > true]', '[file:name LIKE 1]', "[file:name MATCHES h'00']", '[file:name MATCHES /a/]'],
        ...['[file:size IN 1]', '[file:size IN (1,)]', '[file:size IN (1 2)]', '[file:size IN ((1))]'],
        ...['[file:size = 1] WITHIN 5', '[file:size = 1] WITHIN -5 SECONDS', '[file:size = 1] WITHIN 5 HOURS'],
        ...['[file:size = 1] REPEATS 1.5 TIMES', "[file:size = 1] START '2016-01-01T00:00:00Z' STOP t''"],
        ...['[file:size = 1] /* a', '[file:size = 1] / b', '[file:size = 1]\u200b', '\ufeff[file:size = 1]'],
      ],
    ],
    [
      'pattern-timestamp',
      [
        ...["[file:created = t'2023-02-29T12:00:00Z']", "[file:created = t'2024-01-15T12:30:45']"],
        ...["[file:created = t'']", "[file:created = t'not-a-timestamp']", "[file:created = t'2024-01-15t12:30:45Z']"],
        "[file:size = 1] START t'2016-02-30T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
      ],
    ],
    [
      'pattern-octets',
      ["[file:name = h'abc']", "[file:name = h'0x']", "[file:name = b'====']", "[file:name = b'ABI']"],
    ],
    [
      'pattern-number-range',
      ['[file:size = 9007199254740992]', `[file:size = 1${'0'.repeat(400)}.0]`, '[file:size[9007199254740992] = 1]'],
    ],
    ['pattern-name-length', ["[ab:name = 'a']", "[file:n = 'a']", "[file:name.'' = 'a']", "[file:hashes.ab = 'a']"]],
    ['pattern-name-length', [`[${'a'.repeat(251)}:name = 'a']`, `[file:name.${'a'.repeat(251)} = 'a']`]],
    [
      'pattern-name-form',
      [
        ...[
          "[x_file:name = 'a']",
          "[File:name = 'a']",
          "[a--b:name = 'a']",
          "[file:Name = 'a']",
          "[file:'my-name' = 'a']",
        ],
        "[file:name.'a key' = 'a']",
      ],
    ],
    [
      'pattern-hash-value',
      [
        ...["[file:hashes.'SHA-256' = 'f00']", "[file:hashes.MD5 != 'f00']", `[file:hashes.MD5 IN (${md5}, 'f00')]`],
        ...["[file:name[0].hashes.'SHA-1' = 'f00']", "[file:hashes.SSDEEP = 'f00']", "[file:hashes.TLSH = 'f00']"],
        `[file:hashes.MD5 = '${'g'.repeat(32)}']`,
      ],
    ],
    ['pattern-set-types', ["[file:size IN (1, '2')]", "[file:size IN ('t', true)]", "[file:size IN ('0', h'00')]"]],
    [
      'pattern-grammar-only',
      [
        ...["[file:name == 'a']", "[file:name <> 'a']", '[file:size = +1]', '[file:size IN ()]', '[file:name[-1] = 1]'],
        ...['[file:size = 1] // a', '/* a */[file:size = 1]', '[file:size = 1] REPEATS +2 TIMES'],
      ],
    ],
    [
      'pattern-object-types',
      [
        "[domain-name:value = 'a' AND ipv4-addr:value = 'b']",
        "[(file:name = 'a' OR url:value = 'b') AND (mutex:name = 'c' OR domain-name:value = 'd')]",
        "[(file:name = 'a' AND url:value = 'b') OR file:name = 'c']",
        "[file:name = 'a' OR url:value = 'b' AND file:name = 'c']",
        '[EXISTS file:name AND (EXISTS url:value)]',
        "[(file:name = 'a' OR url:value = 'b') AND url:value = 'c' AND file:name = 'd']",
      ],
    ],
    [
      'pattern-qualifier-repeated',
      [
        '[file:size = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS',
        '([file:size = 1] REPEATS 2 TIMES WITHIN 1 SECONDS REPEATS 2 TIMES)',
      ],
    ],
    ['pattern-qualifier-value', ['[file:size = 1] REPEATS 0 TIMES', '[file:size = 1] WITHIN 0.0 SECONDS']],
    [
      'pattern-stop-order',
      [
        "[file:size = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-06-01T00:00:00.000Z'",
        "[file:size = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-05-01T00:00:00Z'",
      ],
    ],
    [
      'pattern-subset-operand',
      ['198.51.100.0/33', '198.51.100', '2001:db8::/129', 'x.example', '', '/24', '1.2.3.4/'].map(
        range => `[ipv4-addr:value ISSUBSET '${range}' OR ipv4-addr:value ISSUPERSET '${range}']`,
      ),
    ],
  ])('%s', (code, patterns) => {
    expect(patterns.map(pattern => [pattern, codesOf(pattern)])).toEqual(patterns.map(pattern => [pattern, [code]]));
  });

  it('several problems at once, the first of each code', () => {
    const pattern = "[a:b == 'x' OR a:b == 'y' OR file:hashes.MD5 = 'f00'] WITHIN 0 SECONDS WITHIN 0 SECONDS ]";
    expect(codesOf(pattern)).toEqual([
      ...['pattern-name-length', 'pattern-grammar-only', 'pattern-hash-value', 'pattern-qualifier-value'],
      ...['pattern-qualifier-repeated', 'pattern-syntax'],
    ]);
  });
});

describe('regular expressions', () => {
  const codesOfRegex = (regex: string) =>
    codesOf(`[file:name MATCHES '${regex.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}']`);

  it.each([
    ...[
      '',
      '^C:\\\\Windows\\w+$',
      '.+\\@example\\.com$',
      '^[IMPORTANT] Please',
      '[]abc]',
      '[^]]',
      '[[:alpha:]_]',
      '[a[:]',
    ],
    ...[
      '(?<n>a)\\k<n>',
      "(?'n'a)(?P=n)",
      '(?i)a(?-i:b)',
      '(?>a*+)b++?',
      '\\A\\Qa(b[\\E\\Z',
      '[\\Q]\\E]',
      '\\Q(',
      '(?#(*)a',
    ],
    ...[
      '(?(1)a|b)',
      '(?(?=a)b|c)',
      '(?R)',
      '(?+1)(a)',
      '(?&n)',
      '(*UTF8)a',
      '(*MARK:()a',
      '(*pla:a)',
      '\\c(',
      'a|',
      '()*',
    ],
    ...[
      'a{2}',
      'a{2,}',
      'a{2,3}',
      'a{,3}',
      '{',
      'a{x}',
      '}',
      ']',
      '\\x{41}',
      '(?x) a # (',
      '(?C"(")a',
      '\\(',
      '[(]',
      '(?|a)',
    ],
  ])('takes %s', regex => {
    expect(codesOfRegex(regex)).toEqual([]);
  });

  it.each([
    ...[
      '(',
      'a)',
      '(a))',
      '((a)',
      '(?:a',
      '[a',
      '[]',
      '[^]',
      '[[:alpha:]',
      '[a\\]',
      '(?#a',
      '(*MARK:a',
      '\\',
      'a\\',
      '\\c',
    ],
    ...['*', '+a', '?', '(*)', '(?:+)', '(?=*)', '(?<!?)', 'a|*', '{3}', '{1,2}a', 'a{3,1}', '(a){2,1}'],
  ])('refuses %s', regex => {
    expect(codesOfRegex(regex)).toEqual(['pattern-regex']);
  });
});

describe('messages', () => {
  it.each([
    ["[file:hashes.MD5 =? 'a']", 'is not a STIX pattern: at character 19, expected a constant, such as 1, true,'],
    ["[file:name 'a']", 'at character 12, expected a comparison operator such as =, found "\'a\'"'],
    ['[file:name = 1', 'at character 15, expected AND, OR or ], found the end'],
    ["[file:name = 'a] ", 'at character 14, a text begins that is not closed by an apostrophe'],
    ["[file:name = 'C:\\Temp']", "at character 17, a backslash stands before neither ' nor \\: write \\\\ for a"],
    ["[file:name = '\u{1f600}\u{1f600}' ;]", 'at character 19, expected AND, OR or ], found ";"'],
    ["[file:name = 'a'\u0007]", 'found "\ufffd"'],
    ['[file:name = 1 \ud800]', 'found "\ufffd"'],
    [`[file:name = 1 ${'a'.repeat(99)}]`, `found "${'a'.repeat(20)}…"`],
    [
      "[file:hashes.MD5 = 'f00']",
      'breaks a rule of STIX patterns: at character 20, "f00" must be a hash by MD5: 32 hex',
    ],
    [
      "[file:name = 'a' AND (url:value = 'b' OR mutex:name = 'c')]",
      'at character 22, AND joins comparisons of different object types, which one object must satisfy',
    ],
  ])('%s', (pattern, message) => {
    expect(messageOf(pattern)).toContain(message);
  });
});

describe('a megabyte', () => {
  const repeat = (text: string) => text.repeat(Math.ceil(megabyte / text.length));
  const types = (join: string) => Array.from({ length: 50_000 }, (_, n) => `a${n}x:name = 1${join}`).join('');

  it.each<[string, string, PatternProblemCode[]]>([
    ['of (', repeat('('), ['pattern-syntax']],
    ['of [(', `[${repeat('(')}`, ['pattern-syntax']],
    ['of groups of observations', `${repeat('(')}[file:size = 1]${repeat(')')}`, []],
    ['of groups of comparisons', `[${repeat('(')}file:size = 1${repeat(')')}]`, []],
    ['of observations', `${repeat('[file:size = 1] OR ')}[file:size = 1]`, []],
    ['of comparisons', `[${repeat('file:size = 1 OR ')}file:size = 1]`, []],
    ['of nested alternatives', `[${'file:size = 1 OR ('.repeat(50_000)}file:size = 1${')'.repeat(50_000)}]`, []],
    ['of object types', `[${types(' OR ')}file:size = 1]`, []],
    ['of nested object types', `[${types(' OR (')}file:size = 1${')'.repeat(50_000)}]`, []],
    ['of contradictions', `[${types(' AND ')}file:size = 1]`, ['pattern-object-types']],
    ['of groups of types', `[${repeat('(file:size = 1 OR url:value = 1) AND ')}url:value = 1]`, []],
    ['of qualifiers', `[file:size = 1]${repeat(' WITHIN 1 SECONDS')}`, ['pattern-qualifier-repeated']],
    ['of apostrophes', repeat("'"), ['pattern-syntax']],
    ['of backslashes', repeat('\\'), ['pattern-syntax']],
    ['of escapes', `[file:name = '${repeat('\\\\')}']`, []],
    ['of a hash', `[file:hashes.SSDEEP = '1:${repeat('a')}:']`, []],
    ['of a wrong hash', `[file:hashes.MD5 = '${repeat("\\'")}']`, ['pattern-hash-value']],
    ['of a set', `[file:size IN (${repeat('1, ')}1)]`, []],
    ['of a path', `[file:name${repeat('.a[0]')} = 1]`, []],
    ['of a name', `[${repeat('a-')}:name = 1]`, ['pattern-name-length']],
    ['of digits', `[file:size = ${repeat('1')}]`, ['pattern-number-range']],
    ['of fraction', `[file:size = 1.${repeat('1')}]`, []],
    ['of base64', `[artifact:payload_bin = b'${repeat('AA\nAA')}']`, []],
    ['of a timestamp', `[file:created = t'2016-01-01T00:00:00.${repeat('1')}Z']`, ['pattern-timestamp']],
    ['of blanks', repeat(' '), ['pattern-syntax']],
    ['of comments', `${repeat('/**/')}[file:size = 1]`, ['pattern-grammar-only']],
    ['of comments that do not end', repeat('/*'), ['pattern-syntax']],
    ['of groups in a regular expression', `[file:name MATCHES '${repeat('(')}']`, ['pattern-regex']],
    ['of comments in a regular expression', `[file:name MATCHES '${repeat('(?#')}']`, ['pattern-regex']],
    ['of classes in a regular expression', `[file:name MATCHES '[${repeat('[:')}']`, ['pattern-regex']],
    ['of quantifiers', `[file:name MATCHES 'a${repeat('{1,')}']`, []],
  ])('%s', (_, pattern, codes) => {
    const before = process.cpuUsage();
    expect(codesOf(pattern)).toEqual(codes);
    // Some hundredths of a second; minutes, were it quadratic. CPU time, since other tests run beside this one.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});
