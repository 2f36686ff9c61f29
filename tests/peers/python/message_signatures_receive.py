"""Verifies RFC 9421 signatures with the http-message-signatures package; a server as in `peer.py`.

Configuration: {"keys": {"id": {"alg": "hmac-sha256", "secret": base64} | {"alg": "ed25519", "public_key": base64 of
32 bytes}}, "components": [...], "max_age": 300, "tag": null}. Every signature must cover "components" (by default
@method, @authority, @path and @query) and, when there is content, a Content-Digest that matches it; the package checks
that too. It takes one algorithm at a time, so each algorithm with a key is tried.
"""

import base64
import datetime
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519, HMAC_SHA256

import peer

CONFIG = json.loads(sys.argv[1])
COMPONENTS = CONFIG.get("components") or ["@method", "@authority", "@path", "@query"]
MAX_AGE = datetime.timedelta(seconds=CONFIG.get("max_age") or 300)


class Request:
    def __init__(self, request):
        self.method, self.headers = request.command, request.headers
        self.url = f"http://{request.headers.get('Host', '')}{request.target}"


def verifiers():
    keys = {"hmac-sha256": {}, "ed25519": {}}
    for key_id, key in CONFIG["keys"].items():
        if key["alg"] == "ed25519":
            keys["ed25519"][key_id] = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"]))
        else:
            keys[key["alg"]][key_id] = base64.b64decode(key["secret"])
    for algorithm in (HMAC_SHA256, ED25519):
        if keys[algorithm.algorithm_id]:
            resolver = MappingKeyResolver(public_keys=keys[algorithm.algorithm_id], private_keys={})
            yield HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=resolver)


VERIFIERS = list(verifiers())


def answer(request, body):
    errors = []
    for verifier in VERIFIERS:
        try:
            results = verifier.verify(
                Request(request),
                max_age=MAX_AGE,
                expect_tag=CONFIG.get("tag"),
                require_components=COMPONENTS,
                body=body,
            )
        except InvalidSignature as error:
            errors.append(f"{verifier.signature_algorithm.algorithm_id}: {error}")
        else:
            covered = [name for result in results for name in result.covered_components]
            return 200, {"ok": True, "key_id": results[0].parameters["keyid"], "covered": covered}
    return 401, {"error": "; ".join(errors)}


peer.serve(answer)
