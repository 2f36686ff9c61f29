"""Signs with the standardwebhooks package; a client as in `peer.py`.

{"url", "secret": "whsec_...", "date", "requests"}; each request has "id" and may have "timestamp" (seconds, instead
of "date" or now). The package signs text only: a body that is not UTF-8 is an error before anything is sent.
"""

import datetime

from standardwebhooks import Webhook

import peer


def answer(config, request):
    body = peer.body_of(request) or b""
    when = peer.clock_of(config)
    if request.get("timestamp") is not None:
        when = datetime.datetime.fromtimestamp(request["timestamp"], datetime.timezone.utc)
    headers = dict(request.get("headers") or {})
    headers["webhook-id"] = request["id"]
    headers["webhook-timestamp"] = str(int(when.timestamp()))
    headers["webhook-signature"] = Webhook(config["secret"]).sign(request["id"], when, body.decode())
    return peer.send(request["method"], config["url"] + request["target"], headers, body)


peer.client(answer)
