"""The TAXII data store of stix2, which posts bundles and parses what it gets."""

import json
import unittest
import uuid

import hub
import stix2
from stix2 import Filter, TAXIICollectionSink, TAXIICollectionSource, TAXIICollectionStore


def plain(one):
    """An object of stix2 as the JSON that it stands for."""
    return json.loads(one.serialize())


class DataStore(unittest.TestCase):
    def setUp(self):
        self.sink = TAXIICollectionSink(hub.collection("producer", "sink"), allow_custom=True)
        self.source = TAXIICollectionSource(hub.collection("consumer", "sink"), items_per_page=20)

    def make_indicator(self, **properties):
        return stix2.v21.Indicator(
            pattern="[domain-name:value = 'login.bank.example']",
            pattern_type="stix",
            valid_from="2020-01-01T00:00:00Z",
            **{"name": "from stix2", **properties},
        )

    def test_an_object_is_pushed_and_got(self):
        one = self.make_indicator()
        self.sink.add(one)
        self.assertEqual(plain(self.source.get(one.id)), plain(one))

    def test_an_unknown_object_is_none(self):
        self.assertIsNone(self.source.get("indicator--" + str(uuid.uuid4())))

    def test_a_bundle_is_pushed_whole(self):
        objects = [self.make_indicator(name="in a bundle") for _ in range(45)]
        self.sink.add(stix2.v21.Bundle(objects=objects))
        got = self.source.query([Filter("id", "=", ",".join(one.id for one in objects))])
        self.assertEqual([plain(one) for one in got], [plain(one) for one in objects])

    def test_a_list_is_pushed_one_by_one(self):
        objects = [self.make_indicator(), stix2.v21.DomainName(value="login.bank.example")]
        self.sink.add(objects)
        for one in objects:
            self.assertEqual(plain(self.source.get(one.id)), plain(one))

    def test_query_by_type_and_by_a_property(self):
        malware = stix2.v21.Malware(name=str(uuid.uuid4()), is_family=True)
        self.sink.add([malware, self.make_indicator()])
        by_type = self.source.query([Filter("type", "=", "malware")])
        self.assertIn(malware.id, [one.id for one in by_type])
        self.assertEqual({one.type for one in by_type}, {"malware"})
        by_name = self.source.query([Filter("type", "=", ["malware", "indicator"]), Filter("name", "=", malware.name)])
        self.assertEqual([one.id for one in by_name], [malware.id])

    def test_all_versions(self):
        first = self.make_indicator(created="2020-01-01T00:00:00.000Z", modified="2020-01-01T00:00:00.000Z")
        second = first.new_version(name="second")
        third = second.revoke()
        for one in (first, second, third):
            self.sink.add(one)
        versions = self.source.all_versions(first.id)
        self.assertEqual([plain(one) for one in versions], [plain(one) for one in (first, second, third)])
        self.assertTrue(self.source.get(first.id).revoked)

    def test_store_does_both(self):
        store = TAXIICollectionStore(hub.collection("producer", "sink"), allow_custom=True)
        one = self.make_indicator(x_example_score=7, allow_custom=True)
        store.add(one)
        self.assertEqual(plain(store.get(one.id)), plain(one))

    def test_objects_of_a_real_bundle_go_through_stix2(self):
        objects = [one for one in hub.read_bundle(hub.bundles[-1]["file"])["objects"] if "spec_version" in one][:150]
        bundle = stix2.parse({"type": "bundle", "id": "bundle--" + str(uuid.uuid4()), "objects": objects}, allow_custom=True)
        self.sink.add(bundle)
        got = {one["id"]: one for one in hub.poll(self.source.collection, 50, id=[one["id"] for one in objects])}
        for one in bundle.objects:
            self.assertEqual(got[one["id"]], plain(one) if hasattr(one, "serialize") else one)
