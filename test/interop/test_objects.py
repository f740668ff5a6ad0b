import unittest
import uuid

import hub
from requests.exceptions import HTTPError

V1, V2, V3 = ("2020-01-0%dT00:00:00.000Z" % day for day in (1, 2, 3))


class Objects(unittest.TestCase):
    def setUp(self):
        self.writer = hub.collection("producer", "objects")
        self.reader = hub.collection("consumer", "objects")

    def push_versions(self):
        first = hub.indicator(name="one")
        versions = [first, {**first, "modified": V2, "name": "two"}, {**first, "modified": V3, "name": "three"}]
        hub.push(self.writer, versions)
        return first["id"], versions

    def assert_missing(self, work):
        with self.assertRaises(HTTPError) as caught:
            work()
        self.assertEqual(caught.exception.response.status_code, 404)

    def test_status_counts_and_lists(self):
        good, bad = hub.indicator(), {"type": "indicator", "id": "wrong"}
        status = self.writer.add_objects({"objects": [good, bad]})
        self.assertEqual(status.status, "complete")
        self.assertEqual((status.total_count, status.success_count, status.failure_count, status.pending_count), (2, 1, 1, 0))
        self.assertEqual([one["id"] for one in status.successes], [good["id"]])
        self.assertTrue(status.failures[0]["message"])
        again = hub.api_root("producer").get_status(status.id)
        self.assertEqual(again.successes, status.successes)
        self.assert_missing(lambda: hub.api_root("consumer").get_status(status.id))

    def test_envelope_of_which_nothing_is_taken_raises(self):
        with self.assertRaises(HTTPError) as caught:
            self.writer.add_objects({"objects": [{"type": "indicator", "id": "wrong"}]})
        self.assertEqual(caught.exception.response.status_code, 422)

    def test_get_object_and_its_versions(self):
        object_id, versions = self.push_versions()
        self.assertEqual(self.reader.get_object(object_id)["objects"], [versions[2]])
        self.assertEqual(self.reader.get_object(object_id, version="first")["objects"], [versions[0]])
        self.assertEqual(self.reader.get_object(object_id, version="all")["objects"], versions)
        self.assertEqual(self.reader.get_object(object_id, version=[V1, V2])["objects"], versions[:2])
        self.assertEqual(self.reader.object_versions(object_id)["versions"], [V1, V2, V3])

    def test_versions_are_paged(self):
        object_id, _ = self.push_versions()
        seen = []
        page = self.reader.object_versions(object_id, limit=2)
        seen += page["versions"]
        self.assertTrue(page["more"])
        page = self.reader.object_versions(object_id, limit=2, next=page["next"])
        self.assertEqual(seen + page["versions"], [V1, V2, V3])
        self.assertFalse(page["more"])

    def test_manifest_of_an_object(self):
        object_id, _ = self.push_versions()
        records = self.reader.get_manifest(id=object_id, version="all")["objects"]
        self.assertEqual([one["version"] for one in records], [V1, V2, V3])

    def test_unknown_object(self):
        unknown = "indicator--" + str(uuid.uuid4())
        self.assert_missing(lambda: self.reader.get_object(unknown))
        self.assert_missing(lambda: self.reader.object_versions(unknown))
        self.assert_missing(lambda: self.writer.delete_object(unknown))

    def test_delete_a_version(self):
        object_id, versions = self.push_versions()
        self.writer.delete_object(object_id, version=V3)
        self.assertEqual(self.reader.object_versions(object_id)["versions"], [V1, V2])
        self.assertEqual(self.reader.get_object(object_id)["objects"], [versions[1]])

    def test_delete_an_object(self):
        object_id, _ = self.push_versions()
        self.writer.delete_object(object_id)
        self.assert_missing(lambda: self.reader.get_object(object_id))
        self.assertNotIn("objects", self.reader.get_manifest(id=object_id, version="all"))
        self.assertEqual(hub.poll(self.reader, 10, id=object_id, version="all"), [])

    def test_nothing_new_is_an_empty_page(self):
        self.assertEqual(self.reader.get_objects(added_after="2999-01-01T00:00:00.000000Z"), {"more": False})
