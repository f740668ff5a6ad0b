import type { HubIdentity } from '../auth/hub-identity.ts';
import { operator } from '../db/audit.ts';
import type { CollectionRow } from '../db/collections.ts';
import type { Tx } from '../db/pool.ts';
import type { Hub } from '../hub.ts';
import type { Sender } from './admission.ts';
import { importObjects } from './import.ts';

// No partner has it.
const hubPartnerId = '0';

/** Puts the identity that stands for all senders into an anonymous collection, where it belongs to no partner. */
export async function introduceHub(tx: Tx, hub: Hub, collection: CollectionRow): Promise<void> {
  const sender: Sender = { partnerId: hubPartnerId, partner: operator.name, actor: operator };
  const envelope = Buffer.from(JSON.stringify({ objects: [toHubIdentity(hub.identity)] }));
  await importObjects({ ...hub, db: tx }, collection, sender, [envelope]);
}

// The same in every collection: it is one object, and so has one content.
function toHubIdentity({ stixId: id, createdAt }: HubIdentity) {
  const created = `${createdAt.slice(0, 23)}Z`;
  return {
    type: 'identity',
    spec_version: '2.1',
    id,
    created,
    modified: created,
    name: 'Taxiway',
    description: 'The hub through which this came, in the place of the partner who sent it.',
    identity_class: 'organization',
    object_marking_refs: ['marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487'],
  };
}
