"""Signs every case of a sign file of ../../vectors with sign.py.

Standard input: the file, in HMAC-SHA256.
Standard output: a JSON array of {"canonical_request", "headers"}, one for each case.
"""

import base64
import json
import sys

sys.dont_write_bytecode = True
from sign import sign  # noqa: E402


def answer(case):
    further = {} if case["content_type"] is None else {"content-type": case["content_type"]}
    text, headers = sign(
        bytes.fromhex(case["key_hex"]),
        case["caller"],
        case["method"],
        case["host"],
        case["target"],
        base64.b64decode(case["body_b64"]),
        case["x_date"],
        case["nonce"],
        further | dict(case["extra_headers"]),
    )
    return {"canonical_request": text, "headers": headers}


json.dump([answer(case) for case in json.load(sys.stdin)["cases"]], sys.stdout)
