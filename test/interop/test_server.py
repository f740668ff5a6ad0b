import unittest

import hub
from taxii2client.v21 import ApiRoot, Collection, Server


class ServerInformation(unittest.TestCase):
    def test_discovery_finds_the_default_api_root(self):
        server = hub.server("consumer")
        self.assertTrue(server.title)
        self.assertEqual([root.url for root in server.api_roots], [hub.api_root_url])
        # None where `default` is not one of `api_roots` to the letter.
        self.assertIs(server.default, server.api_roots[0])

    def test_discovery_works_without_the_last_slash(self):
        server = Server(hub.url + "/taxii2", **hub.basic("consumer"))
        self.assertIsNotNone(server.default)

    def test_api_root_describes_itself(self):
        root = hub.server("consumer").default
        self.assertTrue(root.title)
        self.assertIn("application/taxii+json;version=2.1", root.versions)
        self.assertEqual(root.max_content_length, hub.max_content_length)
        self.assertEqual(root.custom_properties, {})

    def test_collections_are_found_from_discovery(self):
        found = {one.id: one for one in hub.server("producer").default.collections}
        for alias in ("objects", "inbox", "sink"):
            one = found[hub.collection_id(alias)]
            self.assertEqual(one.title, "The " + alias)
            self.assertEqual((one.can_read, one.can_write), (True, True))
            self.assertEqual(one.media_types, ["application/stix+json;version=2.1"])

    def test_collections_are_those_of_the_partner_with_its_rights(self):
        consumers = hub.api_root("consumer").collections
        self.assertEqual({(one.can_read, one.can_write) for one in consumers}, {(True, False)})
        depositors = hub.api_root("depositor").collections
        self.assertEqual([one.id for one in depositors], [hub.collection_id("inbox")])
        self.assertEqual((depositors[0].can_read, depositors[0].can_write), (False, True))

    def test_collections_are_in_order_of_id(self):
        ids = [one.id for one in hub.api_root("producer").collections]
        self.assertEqual(ids, sorted(ids))

    def test_urls_without_the_last_slash(self):
        self.assertTrue(ApiRoot(hub.api_root_url.rstrip("/"), **hub.basic("consumer")).title)
        one = Collection(hub.collection_url("objects").rstrip("/"), **hub.basic("consumer"))
        self.assertEqual(one.id, hub.collection_id("objects"))
