"""What the live peers share: the two contracts. Nothing here signs or verifies.

A client reads one JSON object from standard input, {"url", "key_id", "secret", ..., "date", "requests": [{"name",
"method", "target", "headers", "body"}, ...]}, sends the requests in turn and prints one JSON array of
{"name", "status", "body", "error"}. A request's body is base64 or null, and its target is sent as it stands.

A server takes its configuration as one JSON argument, listens on a free port of 127.0.0.1, prints {"port": N}, and
ends when its standard input closes.
"""

import base64
import datetime
import http.client
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


def body_of(request):
    """The bytes to send, or None."""
    return None if request.get("body") is None else base64.b64decode(request["body"])


def clock_of(config):
    """The time to sign at: aware, in UTC."""
    if config.get("date") is None:
        return datetime.datetime.now(datetime.timezone.utc)
    return datetime.datetime.fromisoformat(config["date"]).astimezone(datetime.timezone.utc)


def send(method, url, headers, body):
    """One request with the URL's path and query as they stand; the status and the body that came back."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, url[url.index(parts.netloc) + len(parts.netloc) :], body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def client(answer, **more):
    """Runs `answer(config, request)`, which returns a status and a body, for each request."""
    config = json.load(sys.stdin.buffer)
    answers = []
    for request in config["requests"]:
        result = {"name": request["name"], "status": None, "body": None, "error": None, **more}
        try:
            result["status"], body = answer(config, request)
            result["body"] = body.decode("utf-8", "replace")
        except Exception as error:
            result["error"] = f"{type(error).__name__}: {error}"
        answers.append(result)
    json.dump(answers, sys.stdout)
    print()


def ready(server):
    """Serves until standard input closes."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


def serve(answer):
    """Answers each request with what `answer(request, body)` returns: a status and a JSON object."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def __getattr__(self, name):
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def handle_any(self):
            self.target = self.requestline.split(" ")[1]  # self.path has lost repeated leading slashes
            if "Transfer-Encoding" in self.headers:
                status, result = 411, {"error": "length required"}
                self.close_connection = True
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    status, result = answer(self, body)
                except Exception as error:  # the library's own failure, not its verdict
                    status, result = 500, {"error": f"{type(error).__name__}: {error}"}
            text = json.dumps(result).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    ready(server)
