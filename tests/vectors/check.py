#!/usr/bin/env python3
"""Judges the vector files of this folder with a verifier of its own.

    check.py                       the four files
    check.py --peer COMMAND …      the sign files, by a canonicaliser with the contract of ../peers

Nothing here comes from generate.py: what a case expects was written there by hand, and is reached here by the decision
list of the specification. Standard library only.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "peers" / "python"))
import ed25519  # noqa: E402

FIRST_THREE = ["host", "x-date", "x-content-sha256"]
# What carries the signature, and what belongs to one connection (RFC 9110, section 7.6.1).
NEVER_COVERED = set(
    "authorization connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
SIGNATURE_DIGITS = {"HMAC-SHA256": 64, "ED25519": 128}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Refused(Exception):
    """A refusal; its text is the code."""


def require(condition, code="malformed"):
    if not condition:
        raise Refused(code)


class Head:
    """The headers of a request by lower-case name, each with the list of its values."""

    def __init__(self, pairs):
        self.values = {}
        for name, value in pairs:
            self.values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name):
        return name in self.values

    def one(self, name):
        values = self.values.get(name, [])
        require(len(values) == 1)
        return values[0]


def verify(case, scheme, window_ms):
    """Returns, or raises Refused with the code of the first check that fails."""
    request = case["request"]
    head = Head(request["headers"])

    # One signature, in a scheme of ours.
    require("authorization" in head, "missing_signature")
    used, _, text = head.one("authorization").partition(" ")
    require(used in SIGNATURE_DIGITS, "missing_signature")

    # Grammar.
    parameters = parse_parameters(text)
    require(re.fullmatch(r"[!-~]{1,128}", parameters["credential"]))
    require(not re.search(r'[=,;"\\]', parameters["credential"]))
    require(re.fullmatch(r"[0-9a-fA-F]{%d}" % SIGNATURE_DIGITS[used], parameters["signature"]))
    require(re.fullmatch(r"[A-Z][A-Z-]{0,31}", request["method"]))
    target = signed_target(request)
    host = head.one("host")
    at_ms = date_ms(head.one("x-date"))
    declared = head.one("x-content-sha256")
    require(re.fullmatch(r"[0-9a-f]{64}", declared))

    # What is covered: at least host, date and body.
    names = parameters["signed-headers"].split(";")
    require(set(FIRST_THREE) <= set(names), "insufficient_coverage")
    require(names[:3] == FIRST_THREE and len(set(names)) == len(names))
    require(all(re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name) for name in names))
    require(not NEVER_COVERED & set(names))
    lines = [f"{name}:{head.one(name)}" for name in names]
    if "x-nonce" in names:
        require(re.fullmatch(r"[!-~]{16,128}", head.one("x-nonce")))

    # Authority, coverage, freshness.
    hosts = [host.lower() for host in case["expected_hosts"]]
    require(not hosts or host.lower() in hosts, "misdirected")
    for name in ["x-nonce", "content-encoding"]:
        require(name not in head or name in names, "insufficient_coverage")
    require(abs(case["now_unix_ms"] - at_ms) <= window_ms, "expired")

    # Signature.
    key = case["keys"].get(parameters["credential"])
    canonical = "\n".join([request["method"], target, *lines, "", ";".join(names), declared]).encode()
    require(key and used == scheme, "invalid_signature")
    require(matches(scheme, bytes.fromhex(key), canonical, bytes.fromhex(parameters["signature"])), "invalid_signature")

    # The rules of the key, which only its holder learns of.
    require("x-nonce" in names, "insufficient_coverage")
    require("content-type" not in head or "content-type" in names, "insufficient_coverage")

    # Body.
    body = base64.b64decode(request["body_b64"])
    length = int(head.one("content-length")) if "content-length" in head else len(body)
    require(max(length, len(body)) <= case["body_limit"], "too_large")
    require(hashlib.sha256(body).hexdigest() == declared, "body_mismatch")


def parse_parameters(text):
    parameters = {}
    for part in re.split(r",[ \t]*", text):
        name, equals, value = part.partition("=")
        require(equals and name in ("credential", "signed-headers", "signature") and name not in parameters)
        parameters[name] = value
    require(len(parameters) == 3)
    return parameters


def signed_target(request):
    """Path and query; `*` only with OPTIONS; of an absolute form, what follows the authority."""
    method, target = request["method"], request["target"]
    require(method != "CONNECT")
    if target == "*":
        require(method == "OPTIONS")
        return target
    if not target.startswith("/"):
        absolute = re.fullmatch(r"https?://[^/?#]+(/.*)", target)
        require(absolute)
        return absolute[1]
    return target


def date_ms(text):
    """Milliseconds of an IMF-fixdate, whose weekday need not be the right one."""
    found = re.fullmatch(
        r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", text, re.ASCII
    )
    require(found and found[2] in MONTHS)
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    try:
        at = datetime(year, MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        raise Refused("malformed") from None
    return (at - EPOCH) // timedelta(milliseconds=1)


def matches(scheme, key, text, signature):
    if scheme == "ED25519":
        return ed25519.verify(key, text, signature)
    return hmac.compare_digest(hmac.new(key, text, hashlib.sha256).digest(), signature)


def check_verify_file(name):
    content = json.loads((HERE / name).read_text(encoding="utf-8"))
    wrong = []
    for case in content["cases"]:
        try:
            verify(case, content["scheme"], content["window_ms"])
            found = "accept"
        except Refused as refused:
            found = str(refused)
        if found != case["expect"]:
            wrong.append(f"{case['name']}: expected {case['expect']}, found {found}")
    return len(content["cases"]), wrong


def check_sign_file(name):
    """Each sign case is a request that verifies, and its parts fit together."""
    content = json.loads((HERE / name).read_text(encoding="utf-8"))
    scheme, wrong = content["scheme"], []
    for case in content["cases"]:
        covered = dict(map(tuple, case["covered_headers"]))
        key = bytes.fromhex(case["key_hex"])
        problems = {
            "content_sha256": hashlib.sha256(base64.b64decode(case["body_b64"])).hexdigest(),
            "canonical_request": canonical_of(case),
            "signed_headers": ";".join(covered),
            "authorization": f"{scheme} credential={case['caller']}, signed-headers={case['signed_headers']}, "
            f"signature={case['signature']}",
        }
        problems = [field for field, value in problems.items() if case[field] != value]
        if date_ms(case["x_date"]) != case["date_unix"] * 1000:
            problems.append("x_date")
        order = ["host", "x-date", "x-content-sha256"]
        order += ["x-nonce"] if case["nonce"] is not None else []
        order += ["content-type"] if case["content_type"] is not None else []
        if list(covered) != order + [header for header, _ in case["extra_headers"]]:
            problems.append("covered_headers")
        if len(key) < 32 or len(set(key)) < 8:
            problems.append("key_hex")
        public = bytes.fromhex(case["public_key_hex"]) if scheme == "ED25519" else key
        if not matches(scheme, public, case["canonical_request"].encode(), bytes.fromhex(case["signature"])):
            problems.append("signature")
        if problems:
            wrong.append(f"{case['name']}: {', '.join(problems)}")
    return len(content["cases"]), wrong


def canonical_of(case):
    text = f"{case['method']}\n{case['target']}\n"
    for name, value in case["covered_headers"]:
        text += f"{name}:{value}\n"
    return f"{text}\n{case['signed_headers']}\n{case['content_sha256']}"


def check_peer(command, name):
    content = json.loads((HERE / name).read_text(encoding="utf-8"))
    field = "secret_hex" if content["scheme"] == "HMAC-SHA256" else "ed25519_seed_hex"
    requests = [
        {
            "method": case["method"],
            "target": case["target"],
            "headers": case["covered_headers"],
            "content_sha256": case["content_sha256"],
            field: case["key_hex"],
        }
        for case in content["cases"]
    ]
    run = subprocess.run(command, input=json.dumps(requests).encode(), stdout=subprocess.PIPE, check=True)
    answers = json.loads(run.stdout)
    wrong = [] if len(answers) == len(requests) else [f"{len(answers)} answers to {len(requests)} requests"]
    for case, answer in zip(content["cases"], answers):
        parts = [part for part in ("canonical_request", "signature") if case[part] != answer[part]]
        wrong += [f"{case['name']}: {part}" for part in parts]
    return len(requests), wrong


def main():
    sign_files, verify_files = ["hmac-sha256.json", "ed25519.json"], ["verify.json", "verify-ed25519.json"]
    if sys.argv[1:2] == ["--peer"]:
        results = [(name, *check_peer(sys.argv[2:], name)) for name in sign_files]
    else:
        results = [(name, *check_sign_file(name)) for name in sign_files]
        results += [(name, *check_verify_file(name)) for name in verify_files]
    for name, count, wrong in results:
        print(f"{name}: {count - len(wrong)} of {count} agree")
        for line in wrong:
            print(f"  {line}")
    sys.exit(any(wrong for _, _, wrong in results))


if __name__ == "__main__":
    main()
