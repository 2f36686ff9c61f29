"""draft-cavage-http-signatures with requests and the package requests-http-signature; a client as in `peer.py`.

{"url", "alg": "hmac-sha256" | "rsa-sha256", "key_id", "secret": the shared text, or PEM, "signature_header": whether
the parameters are in Signature, "requests"}. The package makes Date and Digest, and always sends `created`, which it
covers only if it is asked to.
"""

import requests
from requests_http_signature import HTTPSignatureAuth, HTTPSignatureHeaderAuth

import peer


def answer(config, request):
    kind = HTTPSignatureHeaderAuth if config.get("signature_header") else HTTPSignatureAuth
    auth = kind(
        key=config["secret"],
        key_id=config["key_id"],
        algorithm=config["alg"],
        headers=["(request-target)", "host", "date"],
    )
    response = requests.request(
        request["method"],
        config["url"] + request["target"],
        headers=request.get("headers"),
        data=peer.body_of(request),
        auth=auth,
        timeout=10,
    )
    return response.status_code, response.content


peer.client(answer)
