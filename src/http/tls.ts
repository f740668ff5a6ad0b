import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Config } from '../config.ts';
import { OperatorError } from '../errors.ts';

/**
 * Reads the files of TLS_CERT, TLS_KEY and TLS_CLIENT_CA, for a server that is made or that changes its certificate.
 * @throws OperatorError where one cannot be used: a sentence that says which and why
 */
export function readSecureContext(files: NonNullable<Config['tls']>): SecureContextOptions {
  const cert = readPem('TLS_CERT', files.cert);
  const key = readPem('TLS_KEY', files.key);
  const ca = files.clientCa === undefined ? undefined : readPem('TLS_CLIENT_CA', files.clientCa);
  const certificate = parse('TLS_CERT', files.cert, 'certificate', () => new X509Certificate(cert));
  const privateKey = parse('TLS_KEY', files.key, 'private key without a passphrase', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new OperatorError(`The key in TLS_KEY "${files.key}" is not that of the first certificate in TLS_CERT.`);
  }
  if (ca) parse('TLS_CLIENT_CA', files.clientCa as string, 'certificate', () => new X509Certificate(ca));
  const context = { cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' } as const;
  try {
    createSecureContext(context);
  } catch (error) {
    throw new OperatorError(`OpenSSL refuses TLS_CERT, TLS_KEY and TLS_CLIENT_CA: ${(error as Error).message}.`);
  }
  return context;
}

function readPem(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new OperatorError(`${name}: the file "${file}" cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

function parse<Value>(name: string, file: string, what: string, read: () => Value): Value {
  try {
    return read();
  } catch {
    throw new OperatorError(`${name}: the file "${file}" holds no ${what} in PEM.`);
  }
}
