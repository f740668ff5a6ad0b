import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret, makeSecret } from '../../src/auth/client-secrets.ts';
import { issueToken } from '../../src/auth/tokens.ts';
import { operator } from '../../src/db/audit.ts';
import { insertClient } from '../../src/db/clients.ts';
import { type Authority, type Certificate, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

const proxy = '192.0.2.10';

/** A token that is good only with the certificate. */
async function boundToken(hub: TestHub, slug: string, thumbprint: string): Promise<string> {
  const { id: partnerId } = await hub.addPartner(slug);
  const request = { partnerId, partner: slug, scope: 'collection:*:read', ttlMs: 3_600_000, certificate: thumbprint };
  const { db, identity } = hub.hub;
  return (await db.transaction().execute(tx => issueToken(tx, identity, operator, request))).token;
}

describe.skipIf(!hasOpenssl)('a token that belongs to a client certificate', () => {
  let authority: Authority;
  let [bank, police] = [] as unknown as [Certificate, Certificate];
  beforeAll(async () => {
    authority = await createAuthority();
    bank = await authority.issue('bank');
    police = await authority.issue('police');
  });
  afterAll(() => authority.remove());

  describe('behind a proxy', () => {
    let hub: TestHub;
    let token: string;
    const header = 'client-cert';
    const rfc9440 = ({ der }: Certificate) => `:${der.toString('base64')}:`;
    const ask = async (value: string | undefined, remoteAddress = proxy, more = {}) => {
      const headers = { ...(value !== undefined && { [header]: value }), ...more };
      return hub.request(token, { url: '/hub/me/', remoteAddress, headers });
    };
    beforeAll(async () => {
      hub = await startTestHub({
        trustProxy: true,
        clientCertificateHeader: { name: header, from: ['192.0.2.0/28', '2001:db8::/32'] },
      });
      token = await boundToken(hub, 'bank', bank.thumbprint);
    });
    afterAll(() => hub.close());

    it.each<[string, (certificate: Certificate) => string]>([
      ['RFC 9440', rfc9440],
      ['percent-encoded PEM (nginx)', ({ cert }) => encodeURIComponent(cert)],
      ['percent-encoded PEM with + and / as they are (AWS)', ({ cert }) => encodeURI(cert)],
      ['DER in base64 (HAProxy, Caddy)', ({ der }) => der.toString('base64')],
      ['DER in base64 and quotes (HAProxy)', ({ der }) => `"${der.toString('base64')}"`],
      [
        'the body of PEM, with its chain (Traefik)',
        one => `${one.der.toString('base64')},${authority.der.toString('base64')}`,
      ],
      ['percent-encoded body of PEM (Traefik)', ({ der }) => encodeURIComponent(der.toString('base64'))],
      ['XFCC (Envoy)', ({ cert }) => `Hash=1;Cert="${encodeURIComponent(cert)}";Subject="CN=a, b";URI=`],
    ])('is good with its certificate as %s, and with no other', async (_, write) => {
      expect((await ask(write(bank))).json()).toMatchObject({ credential: { certificate_bound: true } });
      const refused = await ask(write(police));
      expect(refused.statusCode).toBe(401);
      expect(refused.json()).toMatchObject({
        error_code: 'credential-invalid',
        description: expect.stringContaining('belongs to a client certificate'),
      });
    });

    it('is refused without a certificate, at once after it was good with one', async () => {
      expect((await ask(rfc9440(bank))).statusCode).toBe(200);
      expect((await ask(undefined)).statusCode).toBe(401);
      expect((await ask(rfc9440(bank))).statusCode).toBe(200);
    });

    it('is refused where the header comes from anywhere but the proxy, whatever X-Forwarded-For says', async () => {
      expect((await ask(rfc9440(bank), '192.0.2.77')).statusCode).toBe(401);
      expect((await ask(rfc9440(bank), '203.0.113.9', { 'x-forwarded-for': proxy })).statusCode).toBe(401);
      expect((await ask(rfc9440(bank), proxy, { 'x-forwarded-for': '203.0.113.9' })).statusCode).toBe(200);
      expect((await ask(rfc9440(bank), `::ffff:${proxy}`)).statusCode).toBe(200);
      expect((await ask(rfc9440(bank), '2001:db8::7')).statusCode).toBe(200);
    });

    it.each<[string, () => string]>([
      ['nothing', () => ''],
      ['no certificate', () => ':bm90aGluZw==:'],
      ['broken percent-encoding', () => '%E0%A4%A'],
      ['a cut certificate', () => rfc9440({ ...bank, der: bank.der.subarray(0, 200) })],
      ['far too long a text', () => `:${'A'.repeat(100_000)}:`],
      ['two XFCC elements', () => `Cert="${encodeURIComponent(bank.cert)}",Cert="${encodeURIComponent(police.cert)}"`],
      ['the thumbprint alone', () => bank.thumbprint],
    ])('takes %s for no certificate', async (_, value) => {
      expect((await ask(value())).statusCode).toBe(401);
    });

    it('is what a client gets who shows the certificate where it asks for tokens', async () => {
      const client = { id: crypto.randomUUID(), scope: null, jwks_uri: null, jwks: null };
      const secret = makeSecret();
      const insurer = await hub.addPartner('insurer');
      await hub.addCollection({ alias: 'claims' });
      await hub.tokenFor(insurer, 'collection:claims:read');
      const row = { ...client, secret: await hashSecret(secret) };
      await hub.hub.db.transaction().execute(tx => insertClient(tx, insurer.id, row));
      const askForToken = (certificate: Record<string, string>) =>
        hub.app.inject({
          method: 'POST',
          url: '/oauth2/token',
          remoteAddress: proxy,
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...certificate },
          payload: `grant_type=client_credentials&client_id=${client.id}&client_secret=${secret}`,
        });
      const use = async (bound: string, certificate: Record<string, string>) => {
        const headers = { authorization: `Bearer ${bound}`, ...certificate };
        return (await hub.app.inject({ url: '/hub/me/', remoteAddress: proxy, headers })).statusCode;
      };
      const bound = (await askForToken({ [header]: rfc9440(police) })).json().access_token;
      expect(await use(bound, { [header]: rfc9440(police) })).toBe(200);
      expect(await use(bound, { [header]: rfc9440(bank) })).toBe(401);
      expect(await use(bound, {})).toBe(401);
      const free = (await askForToken({})).json().access_token;
      expect(await use(free, {})).toBe(200);
    });

    it('leaves tokens that belong to none alone, and a log of one JSON line each', async () => {
      const free = await hub.tokenFor(await hub.addPartner(), 'collection:*:read');
      const headers = {
        [header]: 'a\r\n{"level":60}',
        'user-agent': '\u001b[31m\r\n{"level":60}',
        authorization: `Bearer ${free}`,
      };
      const url = '/hub/me/?a=%0d%0a{"level":60}';
      expect((await hub.app.inject({ url, remoteAddress: proxy, headers })).statusCode).toBe(200);
      expect(hub.log.length).toBeGreaterThan(0);
      for (const line of hub.log) expect(JSON.parse(line)).toMatchObject({ level: 30 });
      for (const line of hub.log) expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
    });
  });

  it('takes a header that came twice for none: one of them may be of the client', async () => {
    const hub = await startTestHub({ clientCertificateHeader: { name: 'client-cert', from: ['127.0.0.1/32'] } });
    const token = await boundToken(hub, 'bank', bank.thumbprint);
    await hub.app.listen({ port: 0, host: '127.0.0.1' });
    const ask = async (...certificates: Certificate[]) => {
      const lines = certificates.map(({ der }) => `Client-Cert: :${der.toString('base64')}:\r\n`).join('');
      const socket = connectTcp((hub.app.server.address() as { port: number }).port, '127.0.0.1');
      const head = 'GET /hub/me/ HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n';
      socket.write(`${head}Authorization: Bearer ${token}\r\n${lines}\r\n`);
      let text = '';
      for await (const chunk of socket) text += chunk;
      return text.slice(9, 12);
    };
    expect(await ask(bank)).toBe('200');
    expect(await ask(bank, police)).toBe('401');
    expect(await ask(police, bank)).toBe('401');
    expect(await ask(bank, bank)).toBe('401');
    await hub.close();
  });

  describe('where the hub serves TLS itself', () => {
    let hub: TestHub;
    let server: Certificate;
    let token: string;
    let port: number;
    const ask = async (client: Partial<Certificate> = {}, more: RequestOptions = {}) => {
      const options = { port, host: '127.0.0.1', ca: authority.cert, agent: false, ...more };
      const headers = { ...more.headers, authorization: `Bearer ${token}` };
      const { cert, key } = client;
      const sent = request({ ...options, headers, path: '/hub/me/', ...(cert && key && { cert, key }) }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    };
    beforeAll(async () => {
      server = await authority.issue('server');
      hub = await startTestHub({ tls: { cert: server.certFile, key: server.keyFile, clientCa: authority.certFile } });
      token = await boundToken(hub, 'bank', bank.thumbprint);
      await hub.app.listen({ port: 0, host: '127.0.0.1' });
      port = (hub.app.server.address() as { port: number }).port;
    });
    afterAll(() => hub.close());

    it('is good with its certificate, and with no other or none', async () => {
      expect(await ask(bank)).toBe(200);
      expect(await ask(police)).toBe(401);
      expect(await ask()).toBe(401);
    });

    it('is not good with a certificate that does not verify, not even where the thumbprint is right', async () => {
      const stranger = await createAuthority('Stranger');
      const forged = await stranger.issue('bank');
      const boundToForged = await boundToken(hub, 'forger', forged.thumbprint);
      const boundToBank = token;
      expect(await ask(forged)).toBe(401);
      token = boundToForged;
      expect(await ask(forged)).toBe(401);
      token = boundToBank;
      await stranger.remove();
    });

    it('is not good with a header in the place of the certificate', async () => {
      expect(await ask({}, { headers: { 'client-cert': `:${bank.der.toString('base64')}:` } })).toBe(401);
    });

    it('speaks TLS 1.2 at least, and survives what is no TLS', async () => {
      expect(await ask(bank, { maxVersion: 'TLSv1.2' })).toBe(200);
      const old: RequestOptions = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' };
      await expect(ask(bank, old)).rejects.toThrow(/protocol|alert/i);
      const socket = connectTcp(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: hub\r\n\r\n');
      socket.resume();
      await once(socket, 'close');
      expect(await ask(bank)).toBe(200);
    });
  });
});
