import type { Rights } from '../auth/scopes.ts';
import type { CollectionRow } from '../db/collections.ts';
import { stixMediaType } from '../http/media-type.ts';

/** A collection resource (TAXII 2.1 §5.2.1) as one partner sees it: can_read and can_write are that partner's. */
export function toCollectionResource(collection: CollectionRow, rights: Rights) {
  return {
    id: collection.id,
    title: collection.title,
    ...(collection.description !== null && { description: collection.description }),
    alias: collection.alias,
    can_read: rights.read,
    can_write: rights.write,
    media_types: [stixMediaType],
    // A custom property (TAXII 2.1 §6).
    ...(collection.anonymous && { x_taxiway_anonymous: true }),
  };
}
