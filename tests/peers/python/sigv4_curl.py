"""The curl command's --aws-sigv4, written for Debian's curl 7.88; a client as in `peer.py`.

{"url", "key_id", "secret", "region", "service", "session_token", "date", "requests"}. A session token goes in as
X-Amz-Security-Token, which curl signs. "date" is ignored, and every answer has "date_ignored": true, for 7.88 signs an
X-Amz-Date it is given but sends it twice. `curl` is found on the path; it removes dot segments before it signs.
"""

import subprocess

import peer


def answer(config, request):
    headers = dict(request.get("headers") or {})
    if config.get("session_token"):
        headers["X-Amz-Security-Token"] = config["session_token"]
    body = peer.body_of(request)
    command = ["curl", "-q", "--silent", "--show-error", "--globoff", "--max-time", "10"]
    command += ["--aws-sigv4", f"aws:amz:{config['region']}:{config['service']}"]
    command += ["--user", f"{config['key_id']}:{config['secret']}", "--write-out", "\n%{http_code}"]
    command += ["--head"] if request["method"] == "HEAD" else ["--request", request["method"]]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    if body is not None:
        command += ["--data-binary", "@-"]
    ran = subprocess.run(command + [config["url"] + request["target"]], input=body or b"", capture_output=True)
    if ran.returncode != 0:
        raise RuntimeError(ran.stderr.decode("utf-8", "replace").strip())
    text, _, status = ran.stdout.rpartition(b"\n")
    return int(status), b"" if request["method"] == "HEAD" else text


peer.client(answer, date_ignored=True)
