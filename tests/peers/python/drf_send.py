"""The DRF article's HMACRequestMixin, without Django's settings; a client as in `peer.py`.

{"url", "secret", "date", "requests"}. A request with "json" sends that value as the article does; one with "body"
sends those bytes. DIFFERENCE: any method, not only POST, and no `raise_for_status`.
"""

import hashlib
import hmac
import json

import requests
from requests.structures import CaseInsensitiveDict

import peer


class HMACRequestMixin:
    HMAC_HEADER_NAME = "X-HMAC-Signature"
    HMAC_TIMESTAMP_HEADER = "X-HMAC-Timestamp"
    HMAC_ALGORITHM = hashlib.sha256

    def __init__(self, secret):
        self.HMAC_SECRET_KEY = secret.encode("utf-8")

    def build_hmac_signature(self, body: bytes, timestamp: str) -> str:
        message = timestamp.encode("utf-8") + b"." + body
        digest = hmac.new(self.HMAC_SECRET_KEY, message, self.HMAC_ALGORITHM).hexdigest()
        return digest


def answer(config, request):
    mixin = HMACRequestMixin(config["secret"])
    if "json" in request:
        body = json.dumps(request["json"], sort_keys=True, separators=(",", ":")).encode("utf-8")
    else:
        body = peer.body_of(request) or b""
    timestamp = str(int(peer.clock_of(config).timestamp()))
    signature = mixin.build_hmac_signature(body, timestamp)
    headers = CaseInsensitiveDict({"Content-Type": "application/json"})
    headers.update(request.get("headers") or {})
    headers.update({mixin.HMAC_HEADER_NAME: signature, mixin.HMAC_TIMESTAMP_HEADER: timestamp})
    response = requests.request(
        request["method"], config["url"] + request["target"], data=body, headers=headers, timeout=10
    )
    return response.status_code, response.content


peer.client(answer)
