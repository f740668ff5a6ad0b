import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { toThumbprint } from './confirmation.ts';

// A certificate of 4096 bits takes about 2 kB.
const headerLengthMax = 16 * 1024;

/** Whether a certificate is the one that a token is bound to. Takes the same time wherever they differ. */
export function isSameCertificate(bound: string, shown: string | undefined): boolean {
  const [one, other] = [bound, shown ?? ''].map(text => createHash('sha256').update(text).digest());
  return timingSafeEqual(one as Buffer, other as Buffer);
}

/**
 * Reads the client certificate that a proxy passes in a header, in any form that is in use: `:base64:` (RFC 9440), PEM in
 * percent-encoding (nginx, AWS), DER or the body of PEM in base64 (HAProxy, Caddy, Traefik), and `Cert="…"` of XFCC
 * (Envoy). Of a chain the first one counts.
 * @returns its thumbprint; undefined where it holds no certificate
 */
export function readCertificateHeader(header: string): string | undefined {
  if (header.length > headerLengthMax) return undefined;
  const text = decodePercent(findXfccCert(header) ?? header);
  const body =
    /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/.exec(text)?.[1] ?? text.split(',')[0] ?? '';
  const base64 = body.replaceAll(/\s/g, '').replace(/^([:"])(.*)\1$/, '$2');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  try {
    return toThumbprint(new X509Certificate(Buffer.from(base64, 'base64')));
  } catch {
    return undefined;
  }
}

// Only one: a client can send elements of its own through a proxy that appends.
function findXfccCert(header: string): string | undefined {
  const found = [...header.matchAll(/(?:^|[;,])\s*Cert="([^"]*)"/gi)];
  if (found.length === 0) return undefined;
  return found.length === 1 ? found[0]?.[1] : '';
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
