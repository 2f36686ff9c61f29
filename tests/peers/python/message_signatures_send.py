"""RFC 9421 with the http-message-signatures package; a client as in `peer.py`.

{"url", "alg": "hmac-sha256" | "ed25519", "key_id", "secret": base64 (an Ed25519 key's is its 32-byte seed),
"components", "date", "requests"}, and if wanted "label", "tag" and "expires" (seconds from the signing time). The
signature has created, keyid, alg and a random nonce; a request with a body gets Content-Digest (sha-256), covered.
"""

import base64
import datetime
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519, HMAC_SHA256

import peer

COMPONENTS = ["@method", "@authority", "@path", "@query"]


class Request:
    def __init__(self, method, url, headers):
        self.method, self.url, self.headers = method, url, headers


def answer(config, request):
    key = base64.b64decode(config["secret"])
    if config["alg"] == "ed25519":
        algorithm, key = ED25519, Ed25519PrivateKey.from_private_bytes(key)
    else:
        algorithm = {"hmac-sha256": HMAC_SHA256}[config["alg"]]
    signer = HTTPMessageSigner(
        signature_algorithm=algorithm,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={config["key_id"]: key}),
    )
    created, body = peer.clock_of(config), peer.body_of(request)
    signed = Request(request["method"], config["url"] + request["target"], dict(request.get("headers") or {}))
    signer.sign(
        signed,
        key_id=config["key_id"],
        created=created,
        expires=created + datetime.timedelta(seconds=config["expires"]) if config.get("expires") else None,
        nonce=secrets.token_urlsafe(16),
        label=config.get("label"),
        tag=config.get("tag"),
        covered_component_ids=config.get("components") or COMPONENTS,
        body=body,
    )
    return peer.send(signed.method, signed.url, signed.headers, body)


peer.client(answer)
