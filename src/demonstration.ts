import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { issueToken } from './auth/tokens.ts';
import { appendAudit, hubChain, operator } from './db/audit.ts';
import { defaultApiRoot, insertCollection, listCollections } from './db/collections.ts';
import { putGrant } from './db/grants.ts';
import { insertPartner, listPartners } from './db/partners.ts';
import type { Hub } from './hub.ts';
import { tlpLevelOfLabel } from './stix/tlp.ts';
import { importObjects } from './taxii/import.ts';

const campaign = new URL('../examples/campaign.json', import.meta.url);
const thirtyDaysMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Makes a small demonstration in a hub that has neither partners nor collections: two partners, a collection holding
 * the example campaign, and a token for each.
 * @returns what to paste next; undefined where the hub is in use already
 */
export async function demonstrate(hub: Hub, url: string): Promise<string | undefined> {
  if ((await listPartners(hub.db)).length > 0 || (await listCollections(hub.db)).length > 0) return undefined;
  // One transaction: a start that is killed half-way leaves nothing behind, and of two starters one wins.
  const tokens = await hub.db.transaction().execute(async tx => {
    const inTransaction = { ...hub, db: tx };
    const bank = await insertPartner(tx, { slug: 'example-bank', name: 'Example Bank', sector: 'finance' });
    const police = await insertPartner(tx, {
      slug: 'example-police',
      name: 'Example Police',
      sector: 'law-enforcement',
    });
    const collection = await insertCollection(tx, {
      id: randomUUID(),
      alias: 'campaign',
      api_root: defaultApiRoot,
      title: 'Example campaign',
      description: 'An invented phishing campaign, for a first look at the hub',
    });
    if (!bank || !police || !collection) return undefined;
    const grant = { can_read: true, can_write: false, tlp_ceiling: tlpLevelOfLabel('amber'), quota_bytes: null };
    await putGrant(tx, bank.id, collection.id, { ...grant, can_write: true });
    await putGrant(tx, police.id, collection.id, grant);
    const sender = { partnerId: bank.id, partner: bank.slug, actor: operator };
    await importObjects(inTransaction, collection, sender, createReadStream(campaign));
    const issue = (partner: typeof bank, scope: string) =>
      issueToken(tx, hub.identity, operator, {
        partnerId: partner.id,
        partner: partner.slug,
        scope,
        ttlMs: thirtyDaysMs,
      });
    const issued = {
      bank: (await issue(bank, 'collection:campaign:read collection:campaign:write')).token,
      police: (await issue(police, 'collection:campaign:read')).token,
    };
    const details = { partners: [bank.slug, police.slug] };
    const entry = { action: 'demonstration-added', subject: collection.alias, details };
    await appendAudit(tx, operator, { chain: hubChain, ...entry });
    return issued;
  });
  return tokens && describeNextSteps(url, tokens);
}

function describeNextSteps(url: string, tokens: { bank: string; police: string }): string {
  const envelope = fileURLToPath(new URL('../examples/envelope.json', import.meta.url));
  const objects = `${url}/hub/collections/campaign/objects/`;
  return `
The hub has a demonstration in it: example-bank and example-police share the collection "campaign".

Poll it, as example-police:

  curl -H 'Authorization: Bearer ${tokens.police}' \\
    '${objects}?match[type]=indicator' -g

Push an indicator, as example-bank:

  curl -H 'Authorization: Bearer ${tokens.bank}' \\
    -H 'Content-Type: application/taxii+json;version=2.1' \\
    --data @${envelope} '${objects}'

Documentation for integrators: ${url}/docs
The tokens are good for 30 days and are not shown again; \`npx taxiway token issue --help\` makes others.

`;
}
