import { describe, expect, it } from 'vitest';
import { findSigmaFault } from '../../../src/stix/sigma.ts';

const rule = `title: Renamed PsExec
logsource:
    product: windows
    category: process_creation
detection:
    selection:
        Image|endswith: '\\ps.exe'
        CommandLine|contains:
            - ' /accepteula'
            - " -s"
    condition: selection
falsepositives: [unknown]
level: high
`;

describe('Sigma rules', () => {
  it.each([
    rule,
    rule.replaceAll('\n', '\r\n'),
    `\ufeff${rule}`,
    `---\n${rule}---\n${rule}...\n`,
    `%YAML 1.1\n---\n${rule}`,
    '{title: a, detection: {condition: b}}',
    'a: &x [1]\nb: *x\nc: !tag d\na: again',
    '# only a long text is not read\n'.repeat(10_000),
  ])('takes %j', text => {
    expect(findSigmaFault(text)).toBeUndefined();
  });

  it.each([
    ['', 'holds no YAML mapping'],
    ['# nothing', 'holds no YAML mapping'],
    ['alert http any 443 -> 8.8.8.8 any', 'holds no YAML mapping'],
    ['- title: a', 'holds no YAML mapping'],
    ['title: a description: b', 'is not YAML: at line 1, character 21, bad indentation of a mapping entry'],
    ['a:\n\tb: c', 'is not YAML: at line 2, character 1, tab characters'],
    ['a: "b', 'is not YAML: at line 1, character 6'],
    ['rule x { meta: description = "a" strings: $a = {00} }', 'is not YAML'],
    [`a: !${'é'.repeat(999)} b`, 'is not YAML'],
    ['[a: \0]', 'is not YAML'],
  ])('refuses %j', (text, reason) => {
    const fault = findSigmaFault(text) ?? '';
    expect(fault).toMatch(/^is not a Sigma rule: [^\p{C}]{1,150}$/u);
    expect(fault).toContain(reason);
  });

  it.each([
    ...[
      '[',
      '{',
      '&a ',
      '- ',
      '? ',
      'a: ',
      'a:\n',
      '- a\n',
      '[a,',
      '---\n',
      '!<',
      '!a',
      '"',
      '%TAG ! a\n',
      '? [',
      '\ud800',
    ],
    ...['a: &a [*a]\n', '{? ', '"a": ', '*a ', '|\n', '\\', ':'],
  ])('answers soon to very much of %j', unit => {
    for (const length of [262_144, 1_000_000]) {
      const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      const before = process.cpuUsage();
      for (const hostile of [text, `a: ${text}`.slice(0, length), `a: "${text}`.slice(0, length)])
        findSigmaFault(hostile);
      // Tenths of a second; minutes, were it quadratic. CPU time, since other tests run beside this one.
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
    }
  });
});
