"""Orders. It has no signing code: `proxy verify` is in front of it, and `proxy sign` signs its calls.

    LEDGER=127.0.0.1:7001 PROXY_SECRET=... python3 orders.py 8000
"""

import hmac
import http.client
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEDGER = os.environ["LEDGER"]
PROXY_SECRET = os.environ["PROXY_SECRET"].encode()


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, {})
        caller = self.caller()
        if caller is None:
            return self.answer(401, {"error": "no_caller"})
        self.answer(200, {"caller": caller, "received": [name.lower() for name in self.headers]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        caller = self.caller()
        if caller is None:
            return self.answer(401, {"error": "no_caller"})
        if self.path != "/orders/7/pay":
            return self.answer(201, {"caller": caller, "body": body.decode()})
        status, answer = call_ledger({"order": 7, "paid_by": caller})
        self.answer(status, answer)

    def caller(self):
        """Returns the verified caller, or None. Other processes of this host can connect too, and
        write the header: only the proxy knows the secret."""
        secret = self.headers.get("countersign-secret", "").encode()
        if not hmac.compare_digest(secret, PROXY_SECRET):
            return None
        return self.headers.get("countersign-caller")

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def call_ledger(entry):
    """An ordinary call over plain HTTP. The proxy at this address signs it."""
    connection = http.client.HTTPConnection(LEDGER, timeout=5)
    try:
        # A service that forges an identity gains nothing: the ledger sees the signer.
        headers = {"content-type": "application/json", "countersign-caller": "root"}
        connection.request("POST", "/entries", json.dumps(entry), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Orders)
    print(f"127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
