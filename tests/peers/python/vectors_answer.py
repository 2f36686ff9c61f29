"""Answers the cases of `countersign vectors run`: signs with ../wire/sign.py, verifies with ../../vectors/check.py.

Standard input: one case a line. Standard output: one answer a line.
"""

import base64
import json
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "wire"), str(HERE.parents[1] / "vectors")]
from check import Refused, verify  # noqa: E402
from sign import sign  # noqa: E402


def answer(case):
    if case["kind"] == "verify":
        try:
            verify(case, case["scheme"], case["window_ms"])
        except Refused as refused:
            return {"answer": str(refused)}
        return {"answer": "accept"}
    if case["scheme"] != "HMAC-SHA256":
        return {"skip": "sign.py signs in HMAC-SHA256"}
    further = {} if case["content_type"] is None else {"content-type": case["content_type"]}
    key, body = bytes.fromhex(case["key_hex"]), base64.b64decode(case["body_b64"])
    names = ("caller", "method", "host", "target")
    caller, method, host, target = (case[name] for name in names)
    further |= dict(case["extra_headers"])
    text, headers = sign(key, caller, method, host, target, body, case["x_date"], case["nonce"], further)
    authorization = headers["authorization"]
    signature = authorization.rsplit("=", 1)[1]
    return {"canonical_request": text, "authorization": authorization, "signature": signature}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
