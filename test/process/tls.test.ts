import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, type Certificate, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { createSite, type RunningHub, type Site } from '../support/process.ts';

/** The certificate that the hub shows. */
function peerOf(hub: RunningHub): Promise<PeerCertificate> {
  const { port } = new URL(hub.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    }).on('error', reject);
  });
}

// Needs the openssl command, to make certificates with.
describe.skipIf(!hasOpenssl)('a hub that serves TLS itself', () => {
  let site: Site;
  let authority: Authority;
  let [first, second] = [] as unknown as [Certificate, Certificate];
  beforeAll(async () => {
    site = await createSite();
    authority = await createAuthority();
    first = await authority.issue('first');
    second = await authority.issue('second');
  });
  afterAll(async () => {
    await site.remove();
    await authority.remove();
  });

  it('takes a renewed certificate at SIGHUP, and keeps the old one where the new one is broken', async () => {
    const env = { TLS_CERT: join(site.dataDir, 'hub.crt'), TLS_KEY: join(site.dataDir, 'hub.key') };
    const install = async (certificate: Certificate) => {
      await copyFile(certificate.certFile, env.TLS_CERT);
      await copyFile(certificate.keyFile, env.TLS_KEY);
    };
    await install(first);
    const hub = await site.serve(env);
    expect(hub.url).toMatch(/^https:/);
    expect((await peerOf(hub)).subject.CN).toBe('first');

    await install(second);
    hub.process.kill('SIGHUP');
    await expect.poll(async () => (await peerOf(hub)).subject.CN, { timeout: 5000 }).toBe('second');

    await writeFile(env.TLS_CERT, 'no certificate');
    hub.process.kill('SIGHUP');
    await expect.poll(() => hub.output(), { timeout: 5000 }).toContain('the certificate stays as it was');
    expect((await peerOf(hub)).subject.CN).toBe('second');
    expect(await hub.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('says at the start what is wrong with its files', async () => {
    const broken = join(site.dataDir, 'broken.pem');
    await writeFile(broken, 'nothing');
    const { certFile: TLS_CERT, keyFile: TLS_KEY } = first;
    for (const [env, message] of [
      [{ TLS_CERT }, /TLS_CERT and TLS_KEY go together/],
      [{ TLS_CLIENT_CA: TLS_CERT }, /TLS_CLIENT_CA goes with both/],
      [{ TLS_CERT: '/nowhere.pem', TLS_KEY }, /TLS_CERT: the file "\/nowhere.pem" cannot be read: ENOENT\./],
      [{ TLS_CERT: broken, TLS_KEY }, /TLS_CERT: the file ".*" holds no certificate in PEM/],
      [{ TLS_CERT, TLS_KEY: broken }, /TLS_KEY: the file ".*" holds no private key without a passphrase in PEM/],
      [{ TLS_CERT, TLS_KEY: second.keyFile }, /key in TLS_KEY ".*" is not that of the first certificate in TLS_CERT/],
      [{ TLS_CERT, TLS_KEY, TLS_CLIENT_CA: broken }, /TLS_CLIENT_CA: the file ".*" holds no certificate in PEM/],
      [{ TAXIWAY_CLIENT_CERT_HEADER: 'client-cert' }, /TAXIWAY_CLIENT_CERT_FROM go together/],
      [{ TAXIWAY_CLIENT_CERT_HEADER: 'a', TAXIWAY_CLIENT_CERT_FROM: '10.0.0.0/33' }, /not "10\.0\.0\.0\/33"/],
      [{ TAXIWAY_CLIENT_CERT_HEADER: 'a b', TAXIWAY_CLIENT_CERT_FROM: '10.0.0.7' }, /must be the name of a header/],
    ] as const) {
      const own = await createSite(env);
      const { code, stderr, stdout } = await own.run('serve');
      expect({ env, code, output: stderr + stdout }).toEqual({ env, code: 1, output: expect.stringMatching(message) });
      expect(stderr.trim().split('\n').at(-1)).toMatch(/^taxiway: .*\.$/);
      await own.remove();
    }
    // Each of them starts a database of its own.
  }, 180_000);
});
