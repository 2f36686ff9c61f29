#!/usr/bin/env python3
"""Writes the vector files of this folder; with --check, says whether they are what it would write.

Standard library only, and nothing random: every key and nonce is derived from its own name. The answers do not rest on
this file alone: check.py judges them with its own verifier, and the peers next door compute them again.
"""

import base64
import copy
import hashlib
import hmac
import json
import pathlib
import sys
from datetime import datetime, timezone

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "peers" / "python"))
import ed25519  # noqa: E402

HMAC_SHA256, ED25519 = "HMAC-SHA256", "ED25519"

# 2026-01-02T03:04:05Z, the clock of nearly every case.
NOW = 1767323045
HOST = "user-service.internal"
JSON_TYPE = "application/json"
JSON_BODY = b'{"userId":123}'
BODY_LIMIT = 2 * 1024 * 1024
# The order of the prime subgroup of Ed25519: adding it to S gives a second, non-canonical encoding.
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


# ---- The schemes ----------------------------------------------------------------------------------------------------


def key(name, length=32):
    """`length` bytes that depend on nothing but the name."""
    return hashlib.shake_256(b"countersign test vectors, key " + name.encode()).digest(length)


def nonce(name):
    """The nonce our signer would draw: 128 bits as 32 hex digits."""
    return hashlib.shake_256(b"countersign test vectors, nonce " + name.encode()).hexdigest(16)


def x_date(seconds):
    """IMF-fixdate (RFC 9110, section 5.6.7)."""
    at = datetime.fromtimestamp(seconds, timezone.utc)
    day = "Mon Tue Wed Thu Fri Sat Sun".split()[at.weekday()]
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[at.month - 1]
    return f"{day}, {at.day:02} {month} {at.year:04} {at.hour:02}:{at.minute:02}:{at.second:02} GMT"


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def canonical_request(method, target, covered, content_hash):
    """`covered` is the covered headers, name and value, in the order listed."""
    lines = [f"{name}:{value}" for name, value in covered]
    names = ";".join(name for name, _ in covered)
    return "\n".join([method, target, *lines, "", names, content_hash])


def sign(scheme, secret, text):
    if scheme == HMAC_SHA256:
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    return ed25519.sign(secret, text.encode()).hex()


def authorization(scheme, caller, names, signature):
    return f"{scheme} credential={caller}, signed-headers={names}, signature={signature}"


# ---- Sign cases -----------------------------------------------------------------------------------------------------


def sign_cases(scheme):
    cases = []

    def case(
        name,
        method="GET",
        target="/api/account",
        host=HOST,
        body=b"",
        content_type=None,
        extra=(),
        with_nonce=None,
        seed=False,
        at=NOW,
        caller="billing",
        key_length=32,
    ):
        if scheme == ED25519 and key_length != 32:
            return
        secret = key(f"{scheme} {caller} {key_length}", key_length)
        content_hash = sha256_hex(body)
        covered = [("host", host), ("x-date", x_date(at)), ("x-content-sha256", content_hash)]
        chosen = None if seed else with_nonce or nonce(name)
        if chosen is not None:
            covered.append(("x-nonce", chosen))
        if content_type is not None:
            covered.append(("content-type", content_type))
        covered.extend(extra)
        names = ";".join(header for header, _ in covered)
        text = canonical_request(method, target, covered, content_hash)
        signature = sign(scheme, secret, text)
        public = {"public_key_hex": ed25519.public_key(secret).hex()} if scheme == ED25519 else {}
        cases.append(
            {
                "name": name,
                "caller": caller,
                "key_hex": secret.hex(),
                **public,
                "method": method,
                "target": target,
                "host": host,
                "date_unix": at,
                "x_date": x_date(at),
                "nonce": chosen,
                "content_type": content_type,
                "extra_headers": [list(header) for header in extra],
                "body_b64": base64.b64encode(body).decode(),
                "content_sha256": content_hash,
                "covered_headers": [list(header) for header in covered],
                "signed_headers": names,
                "canonical_request": text,
                "signature": signature,
                "authorization": authorization(scheme, caller, names, signature),
            }
        )

    # Coverage.
    case("get_without_body")
    case("post_json", "POST", "/api/account/123", body=JSON_BODY, content_type=JSON_TYPE)
    case("three_headers_only", "POST", "/api/account/123", body=JSON_BODY, seed=True)
    case("three_headers_only_without_body", target="/api/account?id=1&b=%2F", host=f"{HOST}:8080", seed=True)
    case("content_type_without_body", content_type="text/plain")
    case("content_type_with_parameters", "POST", body=b"x", content_type='multipart/form-data; boundary="a b; c"')
    case("content_type_that_is_empty", "POST", body=b"x", content_type="")
    case(
        "content_encoding",
        "POST",
        body=bytes.fromhex("1f8b0800000000000203ab562a2d4e2df24c51b2323432ae0500019a05c80e000000"),
        content_type=JSON_TYPE,
        extra=[("content-encoding", "gzip")],
    )
    case("one_extra_header", extra=[("x-tenant", "acme")])
    case(
        "extra_headers_keep_the_order_given",
        "POST",
        body=JSON_BODY,
        content_type=JSON_TYPE,
        extra=[("x-tenant", "acme"), ("idempotency-key", "7f1c"), ("accept", "application/json")],
    )
    case("extra_header_without_a_value", extra=[("x-tenant", ""), ("x-role", "reader")])
    case("extra_header_with_inner_blanks", extra=[("x-note", "two  blanks and\ta tab")])
    case("extra_header_with_separators", extra=[("x-note", "a:b;c=d, e"), ("x-line", "host:elsewhere")])
    # Nonces.
    case("shortest_nonce", with_nonce="0123456789abcdef")
    case("longest_nonce", with_nonce="n" * 128)
    case("nonce_with_every_kind_of_character", with_nonce="AZaz09!#$%&'()*+-./:;<=>?@[]^_{|}~,\"\\`")
    # Targets: signed as sent, nothing decoded, sorted or normalized.
    case("root", target="/")
    case("query_order_and_repeats", target="/a?b=2&a=1&b=1&a=0")
    case("query_with_empty_parts", target="/a?x=&y&=z&&")
    case("empty_query", target="/a?")
    case("question_mark_in_query", target="/a??b=?")
    case("lower_case_percent_encoding", target="/files/a%2fb")
    case("upper_case_percent_encoding", target="/files/a%2Fb")
    case("encoded_bytes_that_are_not_text", target="/files/%e9%00?q=%ff")
    case("plus_and_encoded_plus", target="/search/a+b?q=c+d%2Be%20f")
    case("dot_segments_and_empty_segments", target="/a/./b/../c//d/%2e%2e/")
    case("matrix_parameters", target="/a;v=1/b;v=2,3")
    case("every_unescaped_path_character", target="/-._~!$&'()*+,;=:@")
    case("asterisk_target", "OPTIONS", "*")
    # Methods.
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "PURGE", "VERSION-CONTROL"]:
        case(f"method_{method.lower().replace('-', '_')}", method, "/m")
    # Hosts.
    case("host_with_port", host=f"{HOST}:8443")
    case("host_is_ipv4_with_port", host="127.0.0.1:38995")
    case("host_is_ipv6", host="[2001:db8::8a2e:370:7334]")
    case("host_is_ipv6_with_port", host="[::1]:8080")
    case("host_is_punycode", host="xn--bcher-kva.example")
    # Bodies.
    case("body_text_is_utf8", "POST", body="Grüße, 漢字".encode(), content_type="text/plain; charset=utf-8")
    case("body_ends_in_a_line_break", "POST", body=b"line\r\n", content_type="text/plain")
    case("body_is_the_text_false", "POST", body=b"false", content_type=JSON_TYPE)
    case("body_is_every_byte", "PUT", "/blob", body=bytes(range(256)), content_type="application/octet-stream")
    case("body_of_several_hash_blocks", "PUT", "/blob", body=key("body", 3000), content_type="application/octet-stream")
    # Dates.
    case("date_epoch", at=0)
    case("date_single_digit_day", at=1709600523)
    case("date_leap_day", at=1835438400)
    case("date_past_2038", at=2**31)
    case("date_near_the_last_of_four_digits", at=253402207199)
    # Callers and keys.
    case("caller_with_punctuation", caller="arn:svc/billing@eu.v2_prod")
    case("key_of_33_bytes", key_length=33)
    case("key_of_one_block", key_length=64)
    case("key_longer_than_a_block", key_length=65)
    case("key_of_131_bytes", key_length=131)
    return cases


# ---- Verify cases ---------------------------------------------------------------------------------------------------


class Cases:
    """Verification cases of one scheme: each a signed request, what was done to it, and the answer."""

    def __init__(self, scheme):
        self.scheme = scheme
        self.secrets = {
            caller: key(f"{scheme} {caller} 32") for caller in ("billing", "orders", "arn:svc/reports@eu")
        }
        self.cases = []

    def add(self, name, expect, request, *, now_ms=NOW * 1000, expected_hosts=(), body_limit=BODY_LIMIT):
        public = self.scheme == ED25519
        self.cases.append(
            {
                "name": name,
                "keys": {
                    caller: (ed25519.public_key(secret) if public else secret).hex()
                    for caller, secret in self.secrets.items()
                },
                "now_unix_ms": now_ms,
                "expected_hosts": list(expected_hosts),
                "body_limit": body_limit,
                "request": {
                    "method": request["method"],
                    "target": request["target"],
                    "headers": request["headers"],
                    "body_b64": base64.b64encode(request["body"]).decode(),
                },
                "expect": expect,
            }
        )

    def signed(
        self,
        method="POST",
        target="/api/account/123?x=1&y=2",
        *,
        signed_target=None,
        host=HOST,
        date=None,
        declared=None,
        with_nonce=nonce("verify"),
        content_type=JSON_TYPE,
        extra=(),
        body=JSON_BODY,
        covered=None,
        caller="billing",
        credential=None,
        secret=None,
        header="{scheme} credential={credential}, signed-headers={names}, signature={signature}",
        spelled=lambda signature: signature,
    ):
        """A request whose signature is right for what it says, however odd that is.

        `covered` names the headers to cover (all, if None); `header` is the form of the authorization header and
        `spelled` changes the text of the signature in it.
        """
        content_hash = sha256_hex(body) if declared is None else declared
        headers = [["host", host], ["x-date", date or x_date(NOW)], ["x-content-sha256", content_hash]]
        if with_nonce is not None:
            headers.append(["x-nonce", with_nonce])
        if content_type is not None:
            headers.append(["content-type", content_type])
        headers.extend(list(pair) for pair in extra)
        values = dict(headers)
        listed = list(values) if covered is None else covered
        lines = [(name, values[name.lower()]) for name in listed]
        text = canonical_request(method, target if signed_target is None else signed_target, lines, content_hash)
        signature = spelled(sign(self.scheme, secret or self.secrets[caller], text))
        value = header.format(
            scheme=self.scheme,
            credential=caller if credential is None else credential,
            names=";".join(listed),
            signature=signature,
        )
        headers.append(["authorization", value])
        return {"method": method, "target": target, "headers": headers, "body": body}


def changed(request, **parts):
    """The request with another method, target or body, after it was signed."""
    return {**copy.deepcopy(request), **parts}


def with_header(request, name, value):
    """The request with one header's value replaced, or with the header added."""
    request = copy.deepcopy(request)
    for pair in request["headers"]:
        if pair[0] == name:
            pair[1] = value
            return request
    request["headers"].append([name, value])
    return request


def without(request, name):
    return changed(request, headers=[pair for pair in request["headers"] if pair[0] != name])


def repeated(request, name, value=None):
    """The request with one more header of that name, with the same value if none is given."""
    first = dict(map(tuple, request["headers"]))[name]
    return changed(request, headers=[*request["headers"], [name, first if value is None else value]])


def in_authorization(request, old, new):
    value = dict(map(tuple, request["headers"]))["authorization"]
    assert old in value, (old, value)
    return with_header(request, "authorization", value.replace(old, new, 1))


def flipped(position):
    """Changes one bit of one hex digit."""

    def flip(signature):
        digits = list(signature)
        digits[position] = format(int(digits[position], 16) ^ 1, "x")
        return "".join(digits)

    return flip


FIRST_THREE = ["host", "x-date", "x-content-sha256"]
ALL_FIVE = [*FIRST_THREE, "x-nonce", "content-type"]


def verify_cases():
    cases = Cases(HMAC_SHA256)
    add, signed = cases.add, cases.signed
    good = signed()

    # Accepted.
    add("signed_request", "accept", good)
    add("get_without_body", "accept", signed("GET", "/", content_type=None, body=b""))
    add("another_caller", "accept", signed(caller="orders"))
    add("caller_with_punctuation", "accept", signed(caller="arn:svc/reports@eu"))
    add("extra_covered_headers", "accept", signed(extra=[("x-tenant", ""), ("x-note", "a  b")]))
    add(
        "names_after_the_first_three_in_any_order",
        "accept",
        signed(extra=[("x-tenant", "acme")], covered=[*FIRST_THREE, "x-tenant", "content-type", "x-nonce"]),
    )
    add("header_that_is_not_covered", "accept", with_header(good, "x-trace", "1"))
    add("repeated_header_that_is_not_covered", "accept", repeated(with_header(good, "x-trace", "1"), "x-trace", "2"))
    add("headers_in_another_order", "accept", changed(good, headers=good["headers"][::-1]))
    add(
        "header_names_in_mixed_case",
        "accept",
        changed(good, headers=[[name.title(), value] for name, value in good["headers"]]),
    )
    add("host_in_upper_case_as_signed", "accept", signed(host="User-Service.Internal"))
    add("host_is_expected", "accept", signed(host=f"{HOST}:8080"), expected_hosts=[HOST, f"{HOST}:8080"])
    add(
        "absolute_form_is_signed_as_its_path",
        "accept",
        signed(target=f"http://{HOST}/api/account/7?x=1", signed_target="/api/account/7?x=1"),
    )
    add("asterisk_with_options", "accept", signed("OPTIONS", "*", content_type=None, body=b""))
    add("method_of_32_characters", "accept", signed("A" + "-B" * 15 + "C"))
    add("wrong_weekday", "accept", signed(date="Mon, 02 Jan 2026 03:04:05 GMT"))
    add("shortest_nonce", "accept", signed(with_nonce="0123456789abcdef"))
    add("longest_nonce", "accept", signed(with_nonce="n" * 128))
    add("signature_in_upper_case", "accept", signed(spelled=str.upper))
    add(
        "parameters_in_another_order",
        "accept",
        signed(header="{scheme} signature={signature}, credential={credential}, signed-headers={names}"),
    )
    for name, separator in [("no_blank", ","), ("two_blanks", ",  "), ("tab", ",\t"), ("blanks_and_tabs", ", \t \t")]:
        form = separator.join(["{scheme} credential={credential}", "signed-headers={names}", "signature={signature}"])
        add(f"separator_is_comma_and_{name}", "accept", signed(header=form))
    add("date_oldest_accepted", "accept", good, now_ms=NOW * 1000 + 300_000)
    add("date_newest_accepted", "accept", good, now_ms=NOW * 1000 - 300_000)
    add("body_of_exactly_the_limit", "accept", signed(body=b"x" * 16), body_limit=16)

    # No signature of ours.
    add("no_authorization", "missing_signature", without(good, "authorization"))
    add("other_scheme", "missing_signature", with_header(good, "authorization", "Bearer abc"))
    add("scheme_in_lower_case", "missing_signature", in_authorization(good, "HMAC-SHA256", "hmac-sha256"))
    add("scheme_that_only_begins_like_ours", "missing_signature", in_authorization(good, "HMAC-SHA256", "HMAC-SHA256X"))

    # Grammar of the authorization header.
    add("scheme_without_parameters", "malformed", with_header(good, "authorization", "HMAC-SHA256"))
    add("two_authorization_headers", "malformed", repeated(good, "authorization"))
    add("two_schemes", "malformed", repeated(good, "authorization", "Bearer abc"))
    add(
        "two_schemes_of_which_ours_is_second",
        "malformed",
        changed(good, headers=[["authorization", "Bearer abc"], *good["headers"]]),
    )
    add("two_blanks_behind_the_scheme", "malformed", in_authorization(good, "HMAC-SHA256 ", "HMAC-SHA256  "))
    names = ";".join(ALL_FIVE)
    for parameter, text in [("credential", "credential=billing, "), ("signed_headers", f"signed-headers={names}, ")]:
        add(f"no_{parameter}", "malformed", in_authorization(good, text, ""))
    add("no_signature", "malformed", signed(header="{scheme} credential={credential}, signed-headers={names}"))
    add("unknown_parameter", "malformed", in_authorization(good, ", signature=", ", extra=1, signature="))
    add("trailing_comma", "malformed", signed(spelled=lambda signature: signature + ","))
    add("repeated_credential", "malformed", in_authorization(good, "credential=", "credential=billing, credential="))
    add(
        "repeated_signature",
        "malformed",
        signed(spelled=lambda signature: f"{signature}, signature={signature}"),
    )
    add("parameter_name_in_upper_case", "malformed", in_authorization(good, "credential=", "Credential="))
    add("blank_before_equals", "malformed", in_authorization(good, "credential=", "credential ="))
    add("credential_empty", "malformed", signed(credential=""))
    add("credential_with_equals", "malformed", signed(credential="billing=x"))
    add("credential_quoted", "malformed", signed(credential='"billing"'))
    add("credential_of_129_characters", "malformed", signed(credential="b" * 129))
    for name, spelled in [
        ("empty", lambda _: ""),
        ("of_62_digits", lambda signature: signature[:-2]),
        ("of_63_digits", lambda signature: signature[:-1]),
        ("of_65_digits", lambda signature: signature + "0"),
        ("of_66_digits", lambda signature: signature + "00"),
        ("twice_in_a_row", lambda signature: signature * 2),
        ("with_a_digit_that_is_not_hex", lambda signature: signature[:-1] + "g"),
        ("followed_by_other_text", lambda signature: signature + "zz"),
        ("quoted", lambda signature: f'"{signature}"'),
        ("in_base64", lambda signature: base64.b64encode(bytes.fromhex(signature)).decode().rstrip("=")),
    ]:
        add(f"signature_{name}", "malformed", signed(spelled=spelled))

    # The list of covered names.
    add("list_in_another_order", "malformed", signed(covered=["x-date", "host", *ALL_FIVE[2:]]))
    add("list_with_another_name_first", "malformed", signed(covered=["x-nonce", *FIRST_THREE, "content-type"]))
    add("list_with_a_name_twice", "malformed", signed(covered=[*ALL_FIVE, "x-nonce"]))
    add("list_with_an_upper_case_name", "malformed", signed(covered=[*ALL_FIVE[:-1], "Content-Type"]))
    add("list_with_an_empty_name", "malformed", in_authorization(good, names, names + ";"))
    add("list_with_commas", "malformed", in_authorization(good, names, names.replace(";", ",")))
    add("list_with_authorization", "malformed", in_authorization(good, names, names + ";authorization"))
    add("list_with_a_header_of_the_connection", "malformed", signed(extra=[("connection", "close")]))
    add("listed_header_absent", "malformed", without(good, "content-type"))
    add("listed_extra_header_absent", "malformed", without(signed(extra=[("x-tenant", "")]), "x-tenant"))
    for header in FIRST_THREE:
        add(f"no_{header.replace('-', '_')}", "malformed", without(good, header))
    for header in ALL_FIVE:
        add(f"{header.replace('-', '_')}_twice", "malformed", repeated(good, header))
    add("extra_header_twice", "malformed", repeated(signed(extra=[("x-tenant", "a")]), "x-tenant", "b"))

    # Values.
    for name, date in [
        ("rfc_3339", "2026-01-02T03:04:05Z"),
        ("rfc_850", "Friday, 02-Jan-26 03:04:05 GMT"),
        ("asctime", "Fri Jan  2 03:04:05 2026"),
        ("seconds", str(NOW)),
        ("with_offset", "Fri, 02 Jan 2026 03:04:05 +0000"),
        ("in_lower_case", "fri, 02 jan 2026 03:04:05 gmt"),
        ("without_weekday", "02 Jan 2026 03:04:05 GMT"),
        ("with_one_digit_of_day", "Fri, 2 Jan 2026 03:04:05 GMT"),
        ("with_day_30_of_february", "Mon, 30 Feb 2026 03:04:05 GMT"),
        ("with_hour_24", "Fri, 02 Jan 2026 24:04:05 GMT"),
        ("with_other_text", "Fri, 02 Jan 2026 03:04:05 GMT+1"),
    ]:
        add(f"date_{name}", "malformed", signed(date=date))
    add("hash_in_upper_case", "malformed", signed(declared=sha256_hex(JSON_BODY).upper()))
    add("hash_of_63_digits", "malformed", signed(declared=sha256_hex(JSON_BODY)[:-1]))
    add("hash_of_65_digits", "malformed", signed(declared=sha256_hex(JSON_BODY) + "0"))
    add("hash_empty", "malformed", signed(declared=""))
    add("hash_is_a_word", "malformed", signed(declared="UNSIGNED-PAYLOAD"))
    add("nonce_of_15_characters", "malformed", signed(with_nonce="0123456789abcde"))
    add("nonce_of_129_characters", "malformed", signed(with_nonce="n" * 129))
    add("nonce_with_a_blank", "malformed", signed(with_nonce="01234567 89abcdef"))

    # Method and target.
    add("method_in_lower_case", "malformed", signed("post"))
    add("method_sent_in_lower_case", "malformed", changed(good, method="post"))
    add("method_with_digits", "malformed", signed("1767323045.POST"))
    add("method_begins_with_hyphen", "malformed", signed("-POST"))
    add("method_of_33_characters", "malformed", signed("A" + "-B" * 16))
    add("connect", "malformed", signed("CONNECT", f"{HOST}:443", content_type=None, body=b""))
    add("connect_with_a_path", "malformed", signed("CONNECT", "/", content_type=None, body=b""))
    add("authority_form_without_connect", "malformed", signed("GET", f"{HOST}:443", content_type=None, body=b""))
    add("absolute_form_of_another_protocol", "malformed", signed(target=f"ftp://{HOST}/a", signed_target="/a"))
    add("asterisk_without_options", "malformed", signed("GET", "*", content_type=None, body=b""))

    # Our authority.
    add("other_host", "misdirected", signed(host="orders.internal"), expected_hosts=[HOST])
    add("other_port", "misdirected", signed(host=f"{HOST}:9090"), expected_hosts=[f"{HOST}:8080"])

    # Coverage.
    for header in FIRST_THREE:
        rest = [name for name in ALL_FIVE if name != header]
        add(f"list_without_{header.replace('-', '_')}", "insufficient_coverage", signed(covered=rest))
    add("list_empty", "insufficient_coverage", in_authorization(good, names, ""))
    three = signed(with_nonce=None, content_type=None)
    add("three_headers_only", "insufficient_coverage", three)
    add("no_nonce", "insufficient_coverage", signed(with_nonce=None))
    add("nonce_added_after_signing", "insufficient_coverage", with_header(three, "x-nonce", nonce("added")))
    add(
        "nonce_not_covered",
        "insufficient_coverage",
        signed(covered=[*FIRST_THREE, "content-type"]),
    )
    add(
        "content_type_not_covered",
        "insufficient_coverage",
        with_header(signed(content_type=None), "content-type", JSON_TYPE),
    )
    add("content_encoding_not_covered", "insufficient_coverage", with_header(good, "content-encoding", "gzip"))
    add("uncovered_nonce_is_not_read", "insufficient_coverage", with_header(three, "x-nonce", "short"))

    # Freshness.
    add("date_too_old_by_a_millisecond", "expired", good, now_ms=NOW * 1000 + 300_001)
    add("date_too_new_by_a_millisecond", "expired", good, now_ms=NOW * 1000 - 300_001)
    add("date_epoch", "expired", signed(date=x_date(0)))
    add("date_near_the_last_of_four_digits", "expired", signed(date=x_date(253402207199)))

    # Whatever else is wrong in the head.
    def tampered(name, request, **options):
        add(name, "invalid_signature", request, **options)

    tampered("unknown_caller", signed(credential="nobody"))
    tampered("name_of_another_caller", signed(credential="orders"))
    tampered("name_in_other_case", signed(credential="Billing"))
    tampered("key_of_another_caller", signed(secret=key("HMAC-SHA256 orders 32")))
    tampered("key_of_nobody", signed(secret=key("nobody")))
    tampered(
        "scheme_of_another_kind_of_key",
        signed(header="ED25519 credential={credential}, signed-headers={names}, signature={signature}{signature}"),
    )
    tampered("signature_first_bit", signed(spelled=flipped(0)))
    tampered("signature_last_bit", signed(spelled=flipped(-1)))
    tampered("signature_all_zeroes", signed(spelled=lambda _: "0" * 64))
    tampered("method_changed", changed(good, method="PUT"))
    tampered("path_changed", changed(good, target="/api/account/124?x=1&y=2"))
    tampered("query_reordered", changed(good, target="/api/account/123?y=2&x=1"))
    tampered("query_dropped", changed(good, target="/api/account/123"))
    tampered("empty_query_added", changed(signed(target="/a"), target="/a?"))
    tampered("path_encoded_in_another_case", changed(signed(target="/a%2fb"), target="/a%2Fb"))
    tampered("path_decoded", changed(signed(target="/a%7Eb"), target="/a~b"))
    tampered("path_normalized", changed(signed(target="/a/../b"), target="/b"))
    tampered("host_changed", with_header(good, "host", "orders.internal"))
    tampered("host_changed_to_another_expected", with_header(good, "host", "b.internal"), expected_hosts=["b.internal"])
    tampered("port_added", with_header(good, "host", f"{HOST}:8080"))
    tampered("date_changed_by_a_second", with_header(good, "x-date", x_date(NOW + 1)))
    tampered("date_with_another_weekday", with_header(good, "x-date", "Mon, 02 Jan 2026 03:04:05 GMT"))
    tampered("nonce_changed", with_header(good, "x-nonce", nonce("other")))
    tampered("content_type_changed", with_header(good, "content-type", "text/plain"))
    tampered("body_and_hash_changed", changed(with_header(good, "x-content-sha256", sha256_hex(b"{}")), body=b"{}"))
    pair = signed(extra=[("x-a", "1"), ("x-b", "1")])
    tampered("two_names_swapped", in_authorization(pair, "x-a;x-b", "x-b;x-a"))
    tampered("name_dropped_from_the_list", in_authorization(pair, ";x-b", ""))
    tampered(
        "byte_moved_between_values",
        with_header(with_header(signed(extra=[("x-a", "12"), ("x-b", "3")]), "x-a", "1"), "x-b", "23"),
    )

    # The body.
    add("body_changed", "body_mismatch", changed(good, body=b'{"userId":124}'))
    add("body_cut", "body_mismatch", changed(good, body=JSON_BODY[:-1]))
    add("body_removed", "body_mismatch", changed(good, body=b""))
    add("body_extended", "body_mismatch", changed(good, body=JSON_BODY + b"\n"))
    add("body_added", "body_mismatch", changed(signed("GET", content_type=None, body=b""), body=b"x"))
    long = signed(body=b"x" * 17)
    add("body_over_the_limit", "too_large", long, body_limit=16)
    add("declared_length_over_the_limit", "too_large", with_header(long, "content-length", "17"), body_limit=16)

    # Two things wrong: the earlier check answers.
    stale = {"now_ms": NOW * 1000 + 600_000}
    elsewhere = {"expected_hosts": ["orders.internal"]}
    add("no_signature_before_method", "missing_signature", changed(without(good, "authorization"), method="post"))
    add("grammar_before_host", "malformed", signed(declared=""), **elsewhere)
    add("host_before_coverage", "misdirected", three, **elsewhere)
    add("host_before_date", "misdirected", good, **elsewhere, **stale)
    add("list_before_host", "insufficient_coverage", signed(covered=FIRST_THREE[:2]), **elsewhere)
    uncovered = with_header(three, "x-nonce", nonce("added"))
    add("uncovered_nonce_before_date", "insufficient_coverage", uncovered, **stale)
    add(
        "uncovered_nonce_before_signature",
        "insufficient_coverage",
        with_header(signed(with_nonce=None, spelled=flipped(0)), "x-nonce", nonce("added")),
    )
    add(
        "uncovered_encoding_before_signature",
        "insufficient_coverage",
        with_header(signed(spelled=flipped(0)), "content-encoding", "gzip"),
    )
    add("date_before_the_rules_of_the_key", "expired", three, **stale)
    add("signature_before_missing_nonce", "invalid_signature", signed(with_nonce=None, spelled=flipped(0)))
    add("caller_before_missing_nonce", "invalid_signature", signed(with_nonce=None, credential="nobody"))
    add(
        "signature_before_uncovered_content_type",
        "invalid_signature",
        with_header(signed(content_type=None, spelled=flipped(0)), "content-type", JSON_TYPE),
    )
    add("missing_nonce_before_length", "insufficient_coverage", signed(with_nonce=None), body_limit=1)
    add("missing_nonce_before_body", "insufficient_coverage", changed(signed(with_nonce=None), body=b""))
    add("date_before_caller", "expired", signed(credential="nobody"), **stale)
    add("date_before_signature", "expired", signed(spelled=flipped(0)), **stale)
    add("signature_before_body", "invalid_signature", changed(signed(spelled=flipped(0)), body=b""))
    add("signature_before_length", "invalid_signature", signed(body=b"x" * 17, spelled=flipped(0)), body_limit=16)
    add("length_before_body_hash", "too_large", changed(good, body=b"x" * 17), body_limit=16)
    return cases.cases


def verify_ed25519_cases():
    cases = Cases(ED25519)
    add, signed = cases.add, cases.signed
    good = signed()

    def plus_order(signature):
        response = int.from_bytes(bytes.fromhex(signature[64:]), "little") + ED25519_ORDER
        return signature[:64] + response.to_bytes(32, "little").hex()

    def hosts(name, expect, request, **options):
        add(name, expect, request, **{"expected_hosts": [HOST, "b.internal"], **options})

    hosts("signed_request", "accept", good)
    hosts("another_caller", "accept", signed(caller="orders"))
    hosts("signature_in_upper_case", "accept", signed(spelled=str.upper))
    hosts("scheme_in_lower_case", "missing_signature", in_authorization(good, "ED25519", "Ed25519"))
    hosts("signature_of_127_digits", "malformed", signed(spelled=lambda signature: signature[:-1]))
    hosts("signature_of_64_digits", "malformed", signed(spelled=lambda signature: signature[:64]))
    hosts("signature_of_130_digits", "malformed", signed(spelled=lambda signature: signature + "00"))
    hosts("other_host", "misdirected", signed(host="orders.internal"))
    hosts("no_nonce", "insufficient_coverage", signed(with_nonce=None))
    hosts("date_too_old", "expired", good, now_ms=NOW * 1000 + 300_001)
    hosts("unknown_caller", "invalid_signature", signed(credential="nobody"))
    hosts("name_of_another_caller", "invalid_signature", signed(credential="orders"))
    hosts("signature_first_bit_of_r", "invalid_signature", signed(spelled=flipped(0)))
    hosts("signature_first_bit_of_s", "invalid_signature", signed(spelled=flipped(64)))
    hosts("signature_all_zeroes", "invalid_signature", signed(spelled=lambda _: "0" * 128))
    hosts("signature_with_s_not_reduced", "invalid_signature", signed(spelled=plus_order))
    hosts("target_changed", "invalid_signature", changed(good, target="/api/account/124?x=1&y=2"))
    hosts("host_changed_to_another_expected", "invalid_signature", with_header(good, "host", "b.internal"))
    public = ed25519.public_key(cases.secrets["billing"])
    covered = [(name, value) for name, value in good["headers"] if name != "authorization"]
    text = canonical_request(good["method"], good["target"], covered, sha256_hex(good["body"]))
    # The equation holds with a commitment of small order; only strict verification refuses it.
    commitment = ed25519.encode(ed25519.IDENTITY)
    scalar, _ = ed25519.expand(cases.secrets["billing"])
    response = ed25519.scalar_of(commitment, public, text.encode()) * scalar % ED25519_ORDER
    small = (commitment + response.to_bytes(32, "little")).hex()
    small = authorization(ED25519, "billing", ";".join(ALL_FIVE), small)
    hosts("signature_with_r_of_small_order", "invalid_signature", with_header(good, "authorization", small))
    # Algorithm confusion: the public key, which everyone has, as the secret of an HMAC.
    confused = authorization(HMAC_SHA256, "billing", ";".join(ALL_FIVE), sign(HMAC_SHA256, public, text))
    hosts("public_key_used_as_hmac_secret", "invalid_signature", with_header(good, "authorization", confused))
    hosts("body_changed", "body_mismatch", changed(good, body=b"{}"))
    return cases.cases


# ---- Known answers, files -------------------------------------------------------------------------------------------


def known_answers():
    """The two golden vectors of the article's scheme; their keys are too weak to stand in a file."""
    for secret, method, target, host, body, expected in [
        (
            bytes(32),
            "POST",
            "/api/account/123",
            HOST,
            JSON_BODY,
            "e98349ae2504c8fe1820ba381f4bc33911a16eb1185d987e812d43177c447060",
        ),
        (
            bytes(range(32)),
            "GET",
            "/api/account?id=1&b=%2F",
            f"{HOST}:8080",
            b"",
            "725b4a0e25e650c427400e568b3cda8aa459c02f70b2cab1f6c2994e71053319",
        ),
    ]:
        content_hash = sha256_hex(body)
        covered = [("host", host), ("x-date", x_date(NOW)), ("x-content-sha256", content_hash)]
        text = canonical_request(method, target, covered, content_hash)
        assert sign(HMAC_SHA256, secret, text) == expected, target


def files():
    return {
        "hmac-sha256.json": {"scheme": HMAC_SHA256, "cases": sign_cases(HMAC_SHA256)},
        "ed25519.json": {"scheme": ED25519, "cases": sign_cases(ED25519)},
        "verify.json": {"scheme": HMAC_SHA256, "window_ms": 300_000, "cases": verify_cases()},
        "verify-ed25519.json": {"scheme": ED25519, "window_ms": 300_000, "cases": verify_ed25519_cases()},
    }


def main():
    known_answers()
    stale = []
    for name, content in files().items():
        case_names = [case["name"] for case in content["cases"]]
        assert len(set(case_names)) == len(case_names), sorted(n for n in case_names if case_names.count(n) > 1)
        text = json.dumps(content, indent=1, ensure_ascii=True) + "\n"
        path = HERE / name
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name}: {len(case_names)} cases")
    if stale:
        sys.exit(f"not what generate.py writes: {', '.join(stale)}")


if __name__ == "__main__":
    main()
