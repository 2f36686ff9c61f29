"""Verifies with the standardwebhooks package, over the raw body; a server as in `peer.py`.

Configuration: {"secret": "whsec_..."}. 200 {"ok": true, "id"}; 401 {"error"} for the package's
WebhookVerificationError; 500 {"error"} where it raises something else, which is its own fault.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

import peer

WEBHOOK = Webhook(json.loads(sys.argv[1])["secret"])


def answer(request, body):
    try:
        headers = {name: ", ".join(request.headers.get_all(name)) for name in request.headers}
        WEBHOOK.verify(body, headers, json_parse=False)
    except WebhookVerificationError as error:
        return 401, {"error": str(error)}
    return 200, {"ok": True, "id": request.headers["webhook-id"]}


peer.serve(answer)
