"""The hub under test, and what several tests do with it."""

import datetime
import json
import os
import uuid

from taxii2client.common import TokenAuth
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

_hub = json.loads(os.environ["INTEROP_HUB"])

url = _hub["url"]
api_root_url = url + "/hub/"
max_content_length = _hub["max_content_length"]
tokens = _hub["tokens"]
# {"file": …, "collection": alias} for each bundle, in the order of the files' names
bundles = _hub["bundles"]


def collection_id(alias):
    return _hub["collections"][alias]


def server(partner, **auth):
    return Server(url + "/taxii2/", **(auth or basic(partner)))


def api_root(partner):
    return ApiRoot(api_root_url, **basic(partner))


def collection(partner, alias):
    """The collection as a partner reaches it who authenticates with Basic."""
    return Collection(collection_url(alias), **basic(partner))


def collection_url(alias):
    return api_root_url + "collections/" + collection_id(alias) + "/"


def basic(partner):
    return {"user": partner, "password": tokens[partner]}


def token_auth(partner):
    return {"auth": TokenAuth(tokens[partner])}


def read_bundle(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def push(target, objects):
    """Pushes objects in envelopes within max_content_length, each filled to the last byte that an object leaves.

    Returns the details of all successes and failures.
    """
    successes, failures = [], []
    for envelope in split(objects, max_content_length):
        status = target.add_objects(envelope, wait_for_completion=False)
        status.wait_until_final(poll_interval=0.2, timeout=60)
        status.refresh()
        assert status.status == "complete", status.status
        successes += status.successes
        failures += status.failures
    return successes, failures


def split(objects, bytes_max):
    texts, size = [], 0
    for one in objects:
        text = json.dumps(one, ensure_ascii=False)
        bytes_more = len(text.encode("utf-8")) + 1
        if texts and size + bytes_more + len('{"objects":[]}') > bytes_max:
            yield join(texts)
            texts, size = [], 0
        texts.append(text)
        size += bytes_more
    if texts:
        yield join(texts)


def join(texts):
    return '{"objects":[' + ",".join(texts) + "]}"


def poll(target, per_request, **filters):
    """Everything that the collection gives, by as_pages."""
    objects = []
    for page in as_pages(target.get_objects, per_request=per_request, **filters):
        objects += page.get("objects", [])
    return objects


def version_of(one):
    return one.get("modified", one.get("created"))


def key_of(one):
    return one["id"], version_of(one)


def instant(text):
    """The instant of a STIX timestamp with up to six fraction digits."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(whole), fraction.ljust(6, "0")


def is_valid(one):
    """False for the few objects of old ATT&CK releases that STIX 2.1 §3.6.1 forbids: modified before created."""
    if "created" not in one or "modified" not in one:
        return True
    return instant(one["modified"]) >= instant(one["created"])


def indicator(**properties):
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--" + str(uuid.uuid4()),
        "created": "2020-01-01T00:00:00.000Z",
        "modified": "2020-01-01T00:00:00.000Z",
        "name": "Domain of a phishing kit",
        "indicator_types": ["malicious-activity"],
        "pattern": "[domain-name:value = 'login.bank.example']",
        "pattern_type": "stix",
        "valid_from": "2020-01-01T00:00:00Z",
        **properties,
    }
