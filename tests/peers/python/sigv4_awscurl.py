"""awscurl, through the function its command calls (the command prints no status); a client as in `peer.py`.

{"url", "key_id", "secret", "region", "service", "session_token", "date", "requests"}. A body goes as `--data-binary`
would send it. "date" replaces awscurl's clock. awscurl encodes the query itself, so a target for it
has the path encoded but the query not ("/a%20b?x=ü y").
"""

import awscurl.awscurl
from requests.structures import CaseInsensitiveDict

import peer


def answer(config, request):
    setattr(awscurl.awscurl, "__now", lambda: peer.clock_of(config))
    body = peer.body_of(request)
    response = awscurl.awscurl.make_request(
        request["method"],
        config["service"],
        config["region"],
        config["url"] + request["target"],
        CaseInsensitiveDict(request.get("headers") or {}),
        body or "",
        config["key_id"],
        config["secret"],
        config.get("session_token"),
        data_binary=bool(body),
    )
    return response.status_code, response.content


peer.client(answer)
