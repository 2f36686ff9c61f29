#!/usr/bin/env python3
# Signs one request in HMAC-SHA256 and sends it. Run with:
# CALLER=billing KEY=<64 hex digits> URL=http://127.0.0.1:8081/api/account/7 python3 sign.py
import hashlib, hmac, http.client, os, secrets
from email.utils import formatdate
from urllib.parse import urlsplit

def sign(key, caller, method, host, target, body, date, nonce, further):
    """Returns the canonical request and the headers to send. No nonce: the three-header layout."""
    digest = hashlib.sha256(body).hexdigest()
    headers = {"x-date": date, "x-content-sha256": digest}
    if nonce:
        headers["x-nonce"] = nonce
    covered = {"host": host, **headers, **further}
    names = ";".join(covered)
    lines = [f"{name}:{value}" for name, value in covered.items()]
    text = "\n".join([method, target, *lines, "", names, digest])
    mac = hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()
    parameters = f"credential={caller}, signed-headers={names}, signature={mac}"
    return text, {**covered, "authorization": f"HMAC-SHA256 {parameters}"}

if __name__ == "__main__":
    env = os.environ
    url, method, body = urlsplit(env["URL"]), env.get("METHOD", "GET"), env.get("BODY", "").encode()
    target = url.path + (f"?{url.query}" if url.query else "")
    further = {"content-type": "application/json"} if body else {}
    _, headers = sign(bytes.fromhex(env["KEY"]), env["CALLER"], method, url.netloc, target, body,
                      formatdate(usegmt=True), secrets.token_hex(16), further)
    connection = http.client.HTTPConnection(url.netloc)  # HTTPSConnection for https.
    connection.request(method, target, body or None, headers)
    response = connection.getresponse()
    print(response.read().decode(), response.status)
