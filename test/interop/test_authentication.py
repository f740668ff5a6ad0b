import unittest

import hub
from requests.auth import AuthBase, HTTPBasicAuth
from requests.exceptions import HTTPError
from taxii2client.common import TokenAuth
from taxii2client.exceptions import AccessError
from taxii2client.v21 import Collection


class BearerAuth(AuthBase):
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer " + self.token
        return request


class Authentication(unittest.TestCase):
    def assert_served(self, **auth):
        server = hub.server("consumer", **auth)
        self.assertTrue(server.default.title)
        self.assertIn(hub.collection_id("objects"), [one.id for one in server.default.collections])
        one = Collection(hub.collection_url("objects"), **auth)
        self.assertIn("more", one.get_objects(limit=1))

    def assert_refused(self, status, work):
        with self.assertRaises(HTTPError) as caught:
            work()
        self.assertEqual(caught.exception.response.status_code, status)

    def test_basic_with_partner_and_token(self):
        self.assert_served(user="consumer", password=hub.tokens["consumer"])

    def test_basic_with_an_empty_user(self):
        self.assert_served(auth=HTTPBasicAuth("", hub.tokens["consumer"]))

    def test_token_auth(self):
        self.assert_served(**hub.token_auth("consumer"))

    def test_bearer(self):
        self.assert_served(auth=BearerAuth(hub.tokens["consumer"]))

    def test_wrong_credentials_are_401(self):
        wrong = [
            {"user": "consumer", "password": "wrong"},
            {"user": "producer", "password": hub.tokens["consumer"]},
            {"auth": TokenAuth(hub.tokens["consumer"][:-4])},
            {"auth": TokenAuth("")},
        ]
        for auth in wrong:
            with self.subTest(auth=list(auth)):
                self.assert_refused(401, lambda: hub.server("consumer", **auth).title)

    def test_writing_without_the_right(self):
        one = hub.collection("consumer", "objects")
        with self.assertRaises(AccessError):
            one.add_objects({"objects": [hub.indicator()]})
        # The same with a client that does not look at can_write.
        one._can_write = True
        self.assert_refused(403, lambda: one.add_objects({"objects": [hub.indicator()]}))
        self.assert_refused(403, lambda: one.delete_object("indicator--00000000-0000-4000-8000-000000000000"))

    def test_reading_without_the_right(self):
        one = hub.collection("depositor", "inbox")
        with self.assertRaises(AccessError):
            one.get_objects()
        one._can_read = True
        self.assert_refused(403, one.get_objects)
        self.assert_refused(403, one.get_manifest)

    def test_writing_to_an_inbox(self):
        status = hub.collection("depositor", "inbox").add_objects({"objects": [hub.indicator()]})
        self.assertEqual((status.status, status.success_count), ("complete", 1))

    def test_a_collection_that_is_not_there_for_the_partner(self):
        self.assert_refused(404, lambda: hub.collection("depositor", "objects").title)
