import type pg from 'pg';

const chunkObjects = 100_000;

/**
 * Fills a collection with objects that PostgreSQL makes itself, some 20,000 a second with all indexes: texts of about 750
 * bytes at the levels green and amber, 98 % indicators, 1 % malware, 1 % reports, and one tool in 100,000 objects. Every
 * tenth is a later version of an object that came five before it. The hub must not write to the collection meanwhile.
 * @param client connected to the hub's database
 * @param objects a multiple of 10, counted with versions
 */
export async function fillCollection(client: pg.Client, alias: string, objects: number): Promise<void> {
  const { rows } = await client.query('select id from collection where alias = $1', [alias]);
  const collectionId: string = rows[0].id;
  for (let from = 0; from < objects; from += chunkObjects) {
    await client.query(insertRows, [collectionId, from, Math.min(from + chunkObjects, objects) - 1]);
  }
  await client.query(
    `update collection set tlp_held = tlp_held | 6, past_revision = revision + 1, date_added_last = greatest(
       date_added_last, ${dateOf('$2::bigint')}) where id = $1`,
    [collectionId, objects - 1],
  );
}

/** The date at which the n-th object was added. */
const dateOf = (n: string) => `timestamptz '2021-01-01Z' + ${n} * interval '1 millisecond'`;

const insertRows = `
  insert into object_version (collection_id, date_added, added_by, tlp, first_below, last_below, object_id, version,
    version_text, type, spec_version, object)
  select $1::uuid, ${dateOf('n')}, 1, tlp, case when n % 10 = 9 then tlp else 5 end, case when n % 10 = 4 then tlp else 5 end,
    id, instant, instant || '.000Z', type, '2.1',
    format('{"type":"%s","spec_version":"2.1","id":"%s","created":"%s.000Z","modified":"%s.000Z","name":"Loader %s",'
      '"description":"Serveur de commande relevé lors d’une intrusion chez un prestataire (case %s).","lang":"fr",'
      '"created_by_ref":"identity--7865b6d2-a4af-45c5-b582-afe5ec376c33","indicator_types":["malicious-activity"],'
      '"pattern":"[domain-name:value = ''login-%s.bank.example'' OR ipv4-addr:value = ''198.51.100.%s'']",'
      '"pattern_type":"stix","valid_from":"%s.000Z","confidence":%s,'
      '"external_references":[{"source_name":"case-file","external_id":"CF-2026-%s"}],"object_marking_refs":["%s"]}',
      type, id, instant, instant, n, n % 977, n, n % 256, instant, 50 + n % 50, n,
      case tlp when 1 then 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb'
        else 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421' end)
  from (
    select n, 1 + (object % 100 >= 90)::integer::smallint as tlp, type,
      to_char(timestamp '2021-01-01' + n * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS') as instant,
      type || '--' || overlay(overlay(md5($1::text || object) placing '4' from 13) placing '8' from 17)::uuid as id
    from generate_series($2::bigint, $3::bigint) n
      cross join lateral (select case when n % 10 = 9 then n - 5 else n end as object) made
      cross join lateral (select case when object % 100000 = 50000 then 'tool' when object % 100 = 98 then 'malware'
        when object % 100 = 97 then 'report' else 'indicator' end as type) typed
  ) one`;
