import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PartnerRow, setPartnerAddresses } from '../../src/db/partners.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

let hub: TestHub;
let partner: PartnerRow;
let token: string;
beforeAll(async () => {
  hub = await startTestHub({ trustProxy: true });
  partner = await hub.addPartner('bank');
  token = await hub.tokenFor(partner, 'collection:*:read');
});
afterAll(() => hub.close());

const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
  hub.request(token, { url: '/taxii2/', remoteAddress, headers });
const allow = (addresses: string[] | null) => setPartnerAddresses(hub.hub.db, partner.id, addresses);

it('a partner may come from anywhere until the operator says from where, and again after', async () => {
  expect((await from('203.0.113.9')).statusCode).toBe(200);
  await allow(['192.0.2.0/24', '2001:db8:7::/48']);
  await expect.poll(async () => (await from('203.0.113.9')).statusCode, { timeout: 2000 }).toBe(403);
  const refused = await from('203.0.113.9');
  expect(refused.json()).toMatchObject({
    error_code: 'address-forbidden',
    description: expect.stringContaining('203.0.113.9'),
  });
  for (const address of ['192.0.2.1', '192.0.2.255', '::ffff:192.0.2.8', '2001:db8:7:1::2']) {
    expect((await from(address)).statusCode).toBe(200);
  }
  for (const address of ['192.0.3.1', '::ffff:192.0.3.1', '2001:db8:8::1', '::1']) {
    expect((await from(address)).statusCode).toBe(403);
  }
  await allow(null);
  await expect.poll(async () => (await from('203.0.113.9')).statusCode, { timeout: 2000 }).toBe(200);
});

it('it is the address that the proxy has seen that counts, not one that the client claims', async () => {
  await allow(['192.0.2.0/24']);
  await expect.poll(async () => (await from('203.0.113.9')).statusCode, { timeout: 2000 }).toBe(403);
  expect((await from('10.0.0.1', { 'x-forwarded-for': '192.0.2.5' })).statusCode).toBe(200);
  expect((await from('10.0.0.1', { 'x-forwarded-for': '192.0.2.5, 203.0.113.9' })).statusCode).toBe(403);
  for (const broken of ['192.0.2.5:443', '192.0.2.5\t', 'unknown', '192.0.2.5/24', '<b>']) {
    const answer = await from('10.0.0.1', { 'x-forwarded-for': `192.0.2.5, x${broken}` });
    expect(answer.statusCode).toBe(403);
  }
});

it('who has no good credential learns nothing of it', async () => {
  await allow(['192.0.2.0/24']);
  const answer = await hub.request(`${token}x`, { url: '/taxii2/', remoteAddress: '203.0.113.9' });
  expect(answer.statusCode).toBe(401);
});
