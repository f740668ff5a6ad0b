"""Whole bundles through the hub: pushed by one partner, polled by another, and compared object by object."""

import os
import re
import unittest

import hub
from taxii2client.v21 import as_pages


class BundleScenario:
    """The tests of one bundle; test classes are made of it below."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.objects = hub.read_bundle(cls.file)["objects"]
        cls.successes, cls.failures = hub.push(hub.collection("producer", cls.alias), cls.objects)
        refused = {one["id"] for one in cls.failures}
        cls.expected = [one for one in cls.objects if one["id"] not in refused]
        cls.reader = hub.collection("consumer", cls.alias)

    def assert_complete(self, objects):
        self.assertEqual([one["id"] for one in objects], [one["id"] for one in self.expected])
        for got, expected in zip(objects, self.expected):
            self.assertEqual(got, expected)

    def test_every_valid_object_was_taken(self):
        self.assert_details(self.successes, self.expected)
        refused = {one["id"]: one["message"] for one in self.failures}
        for one in self.objects:
            # Whether the few objects are taken that were modified before they were created, is the hub's to decide.
            self.assertFalse(hub.is_valid(one) and one["id"] in refused, refused.get(one["id"]))

    def assert_details(self, details, objects):
        self.assertEqual([one["id"] for one in details], [one["id"] for one in objects])
        for detail, one in zip(details, objects):
            # Of an object without any date, the version is the hub's choice.
            self.assertEqual(detail["version"], hub.version_of(one) or detail["version"])

    def test_polled_as_pages_every_object_is_there_once_and_equal(self):
        for per_request in (100, 777):
            with self.subTest(per_request=per_request):
                self.assert_complete(hub.poll(self.reader, per_request))

    def test_polled_without_a_limit(self):
        self.assert_complete(hub.poll(self.reader, 0))

    def test_polled_with_a_filter(self):
        types = sorted({one["type"] for one in self.expected})
        for one_type in types:
            with self.subTest(type=one_type):
                objects = hub.poll(self.reader, 300, type=one_type)
                self.assertEqual(objects, [one for one in self.expected if one["type"] == one_type])
        self.assertEqual(len(hub.poll(self.reader, 500, type=types[:2])), sum(one["type"] in types[:2] for one in self.expected))

    def test_manifest(self):
        records = []
        for page in as_pages(self.reader.get_manifest, per_request=500):
            records += page.get("objects", [])
        self.assertEqual([one["id"] for one in records], [one["id"] for one in self.expected])
        for record, one in zip(records, self.expected):
            if hub.version_of(one):
                self.assertEqual(record["version"], hub.version_of(one))
            self.assertRegex(record["date_added"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        dates = [record["date_added"] for record in records]
        self.assertEqual(dates, sorted(set(dates)))

    def test_added_after(self):
        records = self.reader.get_manifest(limit=1000)["objects"]
        middle = len(records) // 2
        objects = hub.poll(self.reader, 400, added_after=records[middle]["date_added"])
        self.assertEqual([one["id"] for one in objects], [one["id"] for one in self.expected[middle + 1 :]])

    def test_objects_by_id(self):
        for one in self.expected[:: max(1, len(self.expected) // 25)]:
            self.assertEqual(self.reader.get_object(one["id"])["objects"], [one])
            if hub.version_of(one):
                self.assertEqual(self.reader.object_versions(one["id"])["versions"], [hub.version_of(one)])

    def test_pushed_again_nothing_changes(self):
        writer = hub.collection("producer", self.alias)
        successes, failures = hub.push(writer, self.expected[:200])
        self.assertEqual((len(successes), len(failures)), (len(self.expected[:200]), 0))
        self.assertEqual(len(hub.poll(self.reader, 1000)), len(self.expected))


for bundle in hub.bundles:
    name = re.sub(r"\W+", "_", os.path.basename(bundle["file"]).rsplit(".", 1)[0]).title()
    members = {"file": bundle["file"], "alias": bundle["collection"]}
    globals()[name] = type(name, (BundleScenario, unittest.TestCase), members)
del bundle, name, members


class TwoReleases(unittest.TestCase):
    """Two releases of the same knowledge base, one after the other, in one collection."""

    @classmethod
    def setUpClass(cls):
        files = [one["file"] for one in hub.bundles if "mobile-attack" in one["file"]]
        if len(files) < 2:
            raise unittest.SkipTest("two releases of mobile-attack are not there")
        cls.releases = [[one for one in hub.read_bundle(file)["objects"] if hub.is_valid(one)] for file in files[:2]]
        cls.writer = hub.collection("producer", "releases")
        cls.reader = hub.collection("consumer", "releases")
        cls.details = [hub.push(cls.writer, objects) for objects in cls.releases]

    def test_only_changes_without_a_new_version_are_refused(self):
        first = {hub.key_of(one): one for one in self.releases[0]}
        second = {hub.key_of(one): one for one in self.releases[1]}
        changed = {key for key in first.keys() & second.keys() if first[key] != second[key]}
        self.assertEqual(self.details[0][1], [])
        self.assertEqual({(one["id"], one["version"]) for one in self.details[1][1]}, changed)

    def test_all_versions_are_there_once(self):
        expected = {hub.key_of(one): one for one in self.releases[1] + self.releases[0]}
        objects = hub.poll(self.reader, 700, version="all")
        self.assertEqual(len(objects), len(expected))
        self.assertEqual({hub.key_of(one): one for one in objects}, expected)

    def test_a_poll_without_version_gives_the_latest_of_each(self):
        latest = {}
        for one in self.releases[0] + self.releases[1]:
            held = latest.get(one["id"])
            if held is None or "modified" in one and hub.instant(one["modified"]) > hub.instant(held["modified"]):
                latest[one["id"]] = one
        objects = hub.poll(self.reader, 700)
        self.assertEqual(len(objects), len(latest))
        self.assertEqual({one["id"]: one for one in objects}, latest)
