import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether certificates can be made on this machine. */
export const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
);

/** A certificate and its key, as PEM and as files. */
export interface Certificate {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
  der: Buffer;
  /** base64url of SHA-256 of DER (RFC 8705 §3.1), worked out here once more */
  thumbprint: string;
}

/** A certification authority of one's own, in a directory that `remove` takes away. */
export interface Authority extends Certificate {
  issue(name: string): Promise<Certificate>;
  remove(): Promise<void>;
}

export async function createAuthority(name = 'Test authority'): Promise<Authority> {
  const dir = await mkdtemp(join(tmpdir(), 'taxiway-certificates-'));
  const openssl = (...args: string[]) => run('openssl', args, { cwd: dir });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt');

  const issue = async (subject: string): Promise<Certificate> => {
    await openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', `${subject}.key`, '-out', `${subject}.csr`);
    await writeFile(join(dir, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    await openssl('x509', '-req', '-in', `${subject}.csr`, ...signing, '-out', `${subject}.crt`);
    return read(dir, subject);
  };
  return { ...(await read(dir, 'ca')), issue, remove: () => rm(dir, { recursive: true, force: true }) };
}

async function read(dir: string, name: string): Promise<Certificate> {
  const [certFile, keyFile] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const [cert, key] = await Promise.all([certFile, keyFile].map(file => readFile(file, 'utf8')));
  const { raw: der } = new X509Certificate(cert as string);
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  return { certFile, keyFile, cert: cert as string, key: key as string, der, thumbprint };
}
