"""The text of each object as it is polled is the text that was pushed, byte for byte."""

import json
import unittest

import hub

COMPACT = {"ensure_ascii": False, "separators": (",", ":")}


class Texts(unittest.TestCase):
    def setUp(self):
        self.writer = hub.collection("producer", "texts")
        self.reader = hub.collection("consumer", "texts")

    def get(self, parameters):
        headers = {"Accept": "application/taxii+json;version=2.1"}
        response = self.reader._conn.session.get(self.reader.objects_url, params=parameters, headers=headers)
        response.raise_for_status()
        return response

    def find_end(self):
        """Where a poller stands that has everything."""
        after = "2020-01-01T00:00:00.000000Z"
        while True:
            response = self.get({"added_after": after})
            after = response.headers["X-TAXII-Date-Added-Last"]
            if not response.json()["more"]:
                return after

    def assert_same_texts(self, texts, limit):
        """Pushes texts as they are and compares whole pages with what they must be made of."""
        after = self.find_end()
        status = self.writer.add_objects(hub.join(texts))
        self.assertEqual((status.success_count, status.failure_count), (len(texts), 0))
        rest, query = texts, {"added_after": after, "limit": limit}
        while rest:
            response = self.get(query)
            head = {key: value for key, value in response.json().items() if key != "objects"}
            expected = json.dumps(head, **COMPACT)[:-1] + ',"objects":[' + ",".join(rest[:limit]) + "]}"
            self.assertEqual(response.content, expected.encode("utf-8"))
            rest = rest[limit:]
            self.assertEqual(head["more"], bool(rest))
            query["next"] = head.get("next")

    def test_compact_texts_of_a_real_bundle(self):
        objects = [one for one in hub.read_bundle(hub.bundles[0]["file"])["objects"] if hub.is_valid(one)]
        texts = [json.dumps(one, **COMPACT) for one in objects[:400]]
        while len(hub.join(texts).encode("utf-8")) > hub.max_content_length:
            texts.pop()
        self.assertGreater(len(texts), 20)
        self.assert_same_texts(texts, 15 + len(texts) // 4)

    def test_texts_printed_for_people(self):
        name = "Überweisung 東京 🏦"
        texts = [json.dumps(hub.indicator(name=name), ensure_ascii=escaped, indent=2) for escaped in (True, False)]
        self.assert_same_texts(texts, 10)

    def test_forms_that_a_parser_would_change(self):
        forms = [
            '"x_example_number":1.10,',
            '"x_example_number":1E+2,"x_example_zero":-0,',
            '"x_example_text":"\\u00e9\\/\\ud83c\\udfe6",',
            '"x_example_order":{"b":1,"a":2,"10":3,"9":4},',
            ' \t"x_example_space" :\r\n 1 , ',
        ]
        self.assert_same_texts(["{" + form + json.dumps(hub.indicator(), **COMPACT)[1:] for form in forms], 2)
