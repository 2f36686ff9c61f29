"""Canonical requests and signatures of this project's schemes, for comparison.

Standard input: a JSON array of {"method", "target", "headers": [[name, value], ...], "content_sha256"} with
"secret_hex" (HMAC-SHA256) or "ed25519_seed_hex" (Ed25519); the headers are the covered ones, in the order listed.
Standard output: a JSON array of {"canonical_request", "signature"}, the signature in lower-case hex.

Needs nothing but the standard library.
"""

import hashlib
import hmac
import json
import sys

import ed25519


def canonical_request(request):
    text = request["method"] + "\n" + request["target"] + "\n"
    for name, value in request["headers"]:
        text += name + ":" + value + "\n"
    text += "\n" + ";".join(name for name, _ in request["headers"]) + "\n"
    return text + request["content_sha256"]


def signature_of(request, text):
    if "secret_hex" in request:
        return hmac.new(bytes.fromhex(request["secret_hex"]), text.encode(), hashlib.sha256).digest()
    return ed25519.sign(bytes.fromhex(request["ed25519_seed_hex"]), text.encode())


def main():
    answers = []
    for request in json.load(sys.stdin.buffer):
        text = canonical_request(request)
        answers.append({"canonical_request": text, "signature": signature_of(request, text).hex()})
    json.dump(answers, sys.stdout)
    print()


if __name__ == "__main__":
    main()
