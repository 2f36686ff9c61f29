"""libcurl's AWS_SIGV4, in the version the pycurl wheel brings; a client as in `peer.py`.

{"url", "key_id", "secret", "region", "service", "session_token", "date", "requests"}. A session token and "date" go
in as X-Amz-Security-Token and X-Amz-Date, which libcurl signs, and takes its clock from the second. libcurl removes
dot segments before it signs (and refuses PATH_AS_IS with AWS_SIGV4).
"""

import io

import pycurl

import peer


def answer(config, request):
    headers = dict(request.get("headers") or {})
    if config.get("session_token"):
        headers["X-Amz-Security-Token"] = config["session_token"]
    if config.get("date"):
        headers["X-Amz-Date"] = peer.clock_of(config).strftime("%Y%m%dT%H%M%SZ")
    body, response = peer.body_of(request), io.BytesIO()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, config["url"] + request["target"])
    curl.setopt(pycurl.AWS_SIGV4, f"aws:amz:{config['region']}:{config['service']}")
    curl.setopt(pycurl.USERPWD, f"{config['key_id']}:{config['secret']}")
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".encode() for name, value in headers.items()])
    if body is not None:
        curl.setopt(pycurl.POSTFIELDS, body)
    if request["method"] == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    else:
        curl.setopt(pycurl.CUSTOMREQUEST, request["method"])
    curl.setopt(pycurl.TIMEOUT, 10)
    curl.setopt(pycurl.WRITEDATA, response)
    curl.perform()
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    curl.close()
    return status, response.getvalue()


peer.client(answer)
