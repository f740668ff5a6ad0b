import { randomUUID } from 'node:crypto';

const families = [
  {
    name: 'Credential phishing kit',
    lang: 'en',
    about: 'Sign-in page that copies a retail bank and forwards one-time codes',
  },
  { name: 'Loader', lang: 'en', about: 'Download host of a loader that was spread as an overdue invoice' },
  { name: 'Mule recruitment', lang: 'en', about: 'Site that offers work from home and asks for an account number' },
  {
    name: 'Rançongiciel « Médor »',
    lang: 'fr',
    about: 'Serveur de commande relevé lors d’une intrusion chez un prestataire',
  },
  { name: 'Банковский троян', lang: 'ru', about: 'Сервер управления из рассылки с вложенным архивом' },
  { name: '不正送金マルウェア', lang: 'ja', about: '金融機関を装うメールから誘導されるサイト' },
];
const epochMs = Date.UTC(2026, 0, 1);

/**
 * An envelope of new objects, numbered from `from` on: indicators of about 750 bytes, half of them not in ASCII, and
 * every hundredth object a malware.
 */
export function envelope(from: number, count: number): Buffer {
  return Buffer.from(`{"objects":[${objectTexts(from, count).join(',')}]}`);
}

/** The JSON texts of new objects. */
export function objectTexts(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify(makeObject(from + index)));
}

function makeObject(n: number): object {
  const family = families[n % families.length] as (typeof families)[number];
  const created = new Date(epochMs + n * 1000).toISOString();
  const head = {
    spec_version: '2.1',
    created_by_ref: 'identity--7865b6d2-a4af-45c5-b582-afe5ec376c33',
    created,
    modified: created,
    name: `${family.name} ${n}`,
    description: `${family.about} (case ${n % 977}).`,
    lang: family.lang,
    external_references: [{ source_name: 'case-file', external_id: `CF-2026-${n}` }],
    object_marking_refs: ['marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da'],
  };
  if (n % 100 === 99) return { type: 'malware', id: `malware--${randomUUID()}`, is_family: true, ...head };
  return {
    type: 'indicator',
    id: `indicator--${randomUUID()}`,
    indicator_types: ['malicious-activity'],
    pattern: `[domain-name:value = 'login-${n}.bank.example' OR ipv4-addr:value = '198.51.100.${n % 256}']`,
    pattern_type: 'stix',
    valid_from: created,
    confidence: 50 + (n % 50),
    ...head,
  };
}
