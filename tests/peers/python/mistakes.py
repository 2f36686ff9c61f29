"""Makes each known mistake of a signing client, in each scheme where it can happen.

Standard output: {"now", "host", "target", "prefix", "keys": {scheme: TOML}, "cases": [case, ...]}. A case is {"name",
"scheme", "cause", "request", "forged", "keys", "accept"}: the mistake, the code of its cause or null if none can be
known, the bytes of the HTTP/1.1 request in Base64, the same with another bit in its signature, which of the keys the
verifier has, and the schemes that it accepts if they are not those of its keys. A sound request of each scheme is named "no mistake".

What is signed and what is sent are two descriptions of one request. A mistake changes one of them, the text between,
the key, or how the signature is written. Nothing of the crates is used.

Needs nothing but the standard library.
"""

import base64
import copy
import datetime
import gzip
import hashlib
import hmac
import json
import sys
from urllib.parse import quote

sys.dont_write_bytecode = True
import ed25519  # noqa: E402

HMAC, ED25519, SIGV4, RFC9421, DRF, WEBHOOKS = ALL = (
    "HMAC-SHA256",
    "ED25519",
    "AWS4-HMAC-SHA256",
    "RFC 9421",
    "X-HMAC-SHA256",
    "Standard-Webhooks",
)
NATIVE = (HMAC, ED25519)
HEADS = (HMAC, ED25519, SIGV4, RFC9421)
NOT_SIGV4 = (HMAC, ED25519, RFC9421)
CANONICAL = (HMAC, ED25519, SIGV4)
BODIES = (DRF, WEBHOOKS)
SECRETS = (HMAC, SIGV4, RFC9421, DRF, WEBHOOKS)

NOW = 1767323045
HOST = "user-service.internal:8081"
NONCE = "6f1c0d5e2b7a49838d21a6b0c4e5f713"
JSON = b'{"b": 1, "a": [2, 3]}'
KEY = hashlib.sha256(b"the key of billing").digest()
PREVIOUS, AUDIT, STRANGER = (hashlib.sha256(b"another key %d" % n).digest() for n in range(3))


class Seen:
    """The request, as one side sees it."""

    def __init__(self):
        self.method = "POST"
        self.path = "/api/v1/items/caf%C3%A9%20(7)"
        self.query = "b=2&a=1%20x&c"
        self.host = HOST
        self.headers = [
            ("accept-encoding", "gzip"),
            ("content-type", "application/json"),
            ("x-list", "beta, alpha"),
        ]
        self.date = NOW
        self.date_text = None
        self.hash = None
        self.body = JSON
        self.region = "eu-central-1"
        self.service = "user-service"
        self.day = None
        self.caller = "billing"
        self.scheme_name = None
        self.nonce = NONCE

    def set(self, name, value):
        self.headers = [(known, value if known == name else old) for known, old in self.headers]

    def add(self, name, value):
        self.headers.append((name, value))

    def names(self):
        return list(dict.fromkeys(name for name, _ in self.headers))

    def content_hash(self):
        return self.hash or hashlib.sha256(self.body).hexdigest()

    def target(self):
        return self.path if self.query is None else f"{self.path}?{self.query}"

    def date_in(self, scheme):
        if self.date_text is not None:
            return self.date_text
        if scheme in (RFC9421, *BODIES):
            return str(self.date)
        at = datetime.datetime.fromtimestamp(self.date, datetime.timezone.utc)
        if scheme == SIGV4:
            return at.strftime("%Y%m%dT%H%M%SZ")
        return at.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def scope(self):
        day = self.day or self.date_in(SIGV4)[:8]
        return f"{day}/{self.region}/{self.service}/aws4_request"

    def digest(self):
        return f"sha-256=:{base64.b64encode(hashlib.sha256(self.body).digest()).decode()}:"

    def parameters(self):
        names = " ".join(f'"{name}"' for name in self.names())
        nonce = f';nonce="{self.nonce}"' if self.nonce else ""
        covered = f'"@method" "@authority" "@path" "@query" {names} "content-digest"'
        return f'({covered});created={self.date_in(RFC9421)};keyid="{self.caller}"{nonce}'

    def sigv4_names(self):
        return ";".join(sorted([*self.names(), "host", "x-amz-content-sha256", "x-amz-date"]))

    def native_names(self):
        nonce = ["x-nonce"] if self.nonce else []
        return ";".join(["host", "x-date", "x-content-sha256", *nonce, *self.names()])


def signed_text(scheme, signed, sent):
    """The text that is signed."""
    date, digest = signed.date_in(scheme), signed.content_hash()
    if scheme in NATIVE:
        nonce = [f"x-nonce:{signed.nonce}"] if signed.nonce else []
        lines = [f"host:{signed.host}", f"x-date:{date}", f"x-content-sha256:{digest}", *nonce]
        lines += [f"{name}:{value}" for name, value in signed.headers]
        parts = [signed.method, signed.target(), *lines, "", sent.native_names(), digest]
        return "\n".join(parts).encode()
    if scheme == SIGV4:
        query = [part if "=" in part else part + "=" for part in (signed.query or "").split("&") if part]
        own = [("host", signed.host), ("x-amz-content-sha256", digest), ("x-amz-date", date)]
        headers = "".join(f"{name}:{value}\n" for name, value in sorted(signed.headers + own))
        path, query = quote(signed.path, safe="/-._~"), "&".join(sorted(query))
        return "\n".join([signed.method, path, query, headers, sent.sigv4_names(), digest]).encode()
    if scheme == RFC9421:
        lines = [
            f'"@method": {signed.method}',
            f'"@authority": {signed.host}',
            f'"@path": {signed.path}',
            f'"@query": ?{signed.query or ""}',
            *(f'"{name}": {value}' for name, value in signed.headers),
            f'"content-digest": {sent.digest()}',
            f'"@signature-params": {signed.parameters()}',
        ]
        return "\n".join(lines).encode()
    start = date if scheme == DRF else f"msg_1.{date}"
    return start.encode() + b"." + signed.body


def sign(scheme, key, text, signed):
    """The bytes of the signature."""
    if scheme == ED25519:
        return ed25519.sign(key, text)
    if scheme != SIGV4:
        return hmac.digest(key, text, "sha256")
    scope = signed.scope()
    lines = ["AWS4-HMAC-SHA256", signed.date_in(SIGV4), scope, hashlib.sha256(text).hexdigest()]
    key = b"AWS4" + key
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, "\n".join(lines).encode(), "sha256")


def written(scheme, signature):
    """The signature as the scheme writes it."""
    if scheme == RFC9421:
        return base64.b64encode(signature).decode()
    if scheme == WEBHOOKS:
        return "v1," + base64.b64encode(signature).decode()
    return signature.hex()


def wire(scheme, sent, signature, body):
    """The bytes of the request."""
    date, digest = sent.date_in(scheme), sent.content_hash()
    headers = [("host", sent.host), *sent.headers]
    if scheme in NATIVE:
        name, names = sent.scheme_name or scheme, sent.native_names()
        value = f"{name} credential={sent.caller}, signed-headers={names}, signature={signature}"
        headers += [("x-date", date), ("x-content-sha256", digest), ("authorization", value)]
        headers += [("x-nonce", sent.nonce)] if sent.nonce else []
    elif scheme == SIGV4:
        credential, names = f"{sent.caller}/{sent.scope()}", sent.sigv4_names()
        value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        headers += [("x-amz-date", date), ("x-amz-content-sha256", digest), ("authorization", value)]
    elif scheme == RFC9421:
        headers += [("content-digest", sent.digest()), ("signature-input", f"sig1={sent.parameters()}")]
        headers += [("signature", f"sig1=:{signature}:")]
    elif scheme == DRF:
        headers += [("x-hmac-timestamp", date), ("x-hmac-signature", signature)]
    else:
        headers += [("webhook-id", "msg_1"), ("webhook-timestamp", date)]
        headers += [("webhook-signature", signature)]
    headers.append(("content-length", str(len(body))))
    lines = [f"{sent.method} {sent.target()} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


CASES = []


def mistake(name, cause, schemes, **change):
    """Makes a mistake in each scheme. A change is `both`, `signed`, `sent` (of a Seen and the scheme), `text`, `key`,
    `written`, `body` (what arrives) or `removed` (the name of a header that is covered and not sent). `keys` is the scheme
    of the verifier's keys, and `accept` the schemes that it accepts, if they are not those of its keys."""
    for scheme in schemes:
        signed = Seen()
        change.get("both", lambda seen, scheme: None)(signed, scheme)
        sent = copy.deepcopy(signed)
        change.get("signed", lambda seen, scheme: None)(signed, scheme)
        change.get("sent", lambda seen, scheme: None)(sent, scheme)
        text = change.get("text", lambda text, scheme: text)(signed_text(scheme, signed, sent), scheme)
        signature = sign(scheme, change.get("key", KEY), text, signed)
        body = change.get("body", lambda body: body)(sent.body)

        def request(signature):
            sends = wire(scheme, sent, change.get("written", written)(scheme, signature), body)
            if "removed" in change:
                start, rest = sends.split(f"\r\n{change['removed']}: ".encode(), 1)
                sends = start + b"\r\n" + rest.split(b"\r\n", 1)[1]
            return base64.b64encode(sends).decode()

        case = {"name": name, "scheme": scheme, "cause": cause, "request": request(signature)}
        case["forged"] = request(bytes([signature[0] ^ 1]) + signature[1:])
        CASES.append({**case, "keys": change.get("keys", scheme), "accept": change.get("accept", [])})


def put(**values):
    """Sets attributes of what is seen."""

    def change(seen, scheme):
        for name, value in values.items():
            setattr(seen, name, value(getattr(seen, name)) if callable(value) else value)

    return change


def header(name, value):
    return lambda seen, scheme: seen.set(name, value)


def lines(*values):
    """Has `x-list` on several lines."""

    def change(seen, scheme):
        seen.set("x-list", values[0])
        for value in values[1:]:
            seen.add("x-list", value)

    return change


def hash_of(body):
    """What a client sends that hashed another body than it sent: its declared hash is that of `body`."""
    return lambda seen, scheme: setattr(seen, "body", body)


def replaced(old, new):
    return lambda text, scheme: text.replace(old.encode(), new.encode())


def host_mistakes():
    bare = "user-service.internal"
    mistake("host signed without its port", "host_without_port", HEADS, signed=put(host=bare))
    mistake("host signed with a port that is not sent", "host_with_port", HEADS, sent=put(host=bare))
    default = put(host=f"{bare}:443")
    mistake("host signed with the default port", "host_with_port", HEADS, signed=default, sent=put(host=bare))
    other = put(host=f"{bare}:8080")
    mistake("host signed with a port of a container", "host_with_port", HEADS, signed=other, sent=put(host=bare))
    mistake("host rewritten by a proxy", "other_host", HEADS, sent=put(host="10.0.0.7:9000"))
    elsewhere = put(host="elsewhere.internal")
    mistake("host that is not expected", "host_not_expected", HEADS, both=elsewhere)
    mistake("host sent in capitals", "host_case", CANONICAL, sent=put(host="User-Service.internal:8081"))


def method_mistakes():
    mistake("method signed in lower case", "method_case", HEADS, signed=put(method="post"))
    mistake("method signed and sent in lower case", "method_case", HEADS, both=put(method="post"))
    mistake("method changed by a redirect", "other_method", HEADS, sent=put(method="PUT"))


def path_mistakes():
    def path(change):
        return put(path=change)

    stripped = path(lambda path: path.replace("/api", ""))
    mistake("prefix stripped by a proxy", "path_prefix_stripped", HEADS, sent=stripped)
    mistake("prefix added by a proxy", "path_prefix_added", HEADS, signed=stripped)
    mistake("trailing slash added", "trailing_slash", HEADS, sent=path(lambda path: path + "/"))
    mistake("trailing slash dropped", "trailing_slash", HEADS, signed=path(lambda path: path + "/"))
    dotted = path(lambda path: path.replace("/v1", "/./x/..//v1"))
    mistake("path signed normalised", "path_normalized", NOT_SIGV4, sent=dotted)
    doubled = path(lambda path: path.replace("/v1", "//v1"))
    mistake("path sent with an empty segment", "strict_target", (SIGV4,), sent=doubled)
    decoded = path("/api/v1/items/caf\u00e9 (7)")
    mistake("path signed decoded", "path_decoded", NOT_SIGV4, signed=decoded)
    again = path(lambda path: quote(path, safe="/-._~"))
    mistake("path encoded twice", "path_encoded_again", HEADS, signed=again)
    brackets = path(lambda path: path.replace("(", "%28").replace(")", "%29"))
    mistake("brackets of the path escaped", "path_encoding", HEADS, signed=brackets)

    def once(text, scheme):
        encoded = quote(Seen().path, safe="/-._~").encode()
        return text.replace(encoded, b"/api/v1/items/caf%C3%A9%20%287%29")

    mistake("path encoded once, as for S3", "sigv4_path_encoding", (SIGV4,), text=once)


def query_mistakes():
    def query(value):
        return put(query=value)

    mistake("query not signed", "query_left_out", HEADS, signed=query(None))
    mistake("empty query sent", "query_empty", NATIVE, signed=query(None), sent=query(""))
    mistake("empty query signed", "query_empty", NATIVE, signed=query(""), sent=query(None))
    bare = replaced('"@query": ?', '"@query": ')
    mistake("query signed without its question mark", "query_empty", (RFC9421,), text=bare)
    mistake("query signed sorted", "query_order", NOT_SIGV4, signed=query("a=1%20x&b=2&c"))
    unsorted = replaced("a=1%20x&b=2&c=", "b=2&a=1%20x&c=")
    mistake("query signed unsorted", "query_order", (SIGV4,), text=unsorted)
    plus = query("b=2&a=1+x&c")
    mistake("space signed as a plus", "query_plus", HEADS, signed=plus)
    mistake("space sent as a plus", "query_plus", HEADS, sent=plus)
    equals = query("b=2&a=1%20x&c=")
    mistake("parameter signed with an equals sign", "query_equals", NOT_SIGV4, signed=equals)
    mistake("parameter sent with an equals sign", "query_equals", NOT_SIGV4, sent=equals)
    without = replaced("&c=", "&c")
    mistake("parameter signed without an equals sign", "query_equals", (SIGV4,), text=without)
    lower = query("a=%c3%a9")
    mistake("escapes of the query in lower case", "query_encoding", NOT_SIGV4, signed=lower, sent=query("a=%C3%A9"))


def header_mistakes():
    rewritten = header("accept-encoding", "br")
    mistake("accept-encoding rewritten", "header_rewritten", HEADS, sent=rewritten)
    mistake("accept-encoding removed", "header_removed", HEADS, removed="accept-encoding")
    charset = header("content-type", "application/json; charset=utf-8")
    mistake("charset added to the content type", "content_type", HEADS, sent=charset)
    one, three = header("x-list", "one two"), header("x-list", "one   two")
    mistake("inner spaces folded by the signer", "header_spaces", NOT_SIGV4, signed=one, sent=three)
    mistake("inner spaces not folded", "header_spaces", (SIGV4,), both=three)
    folded = header("x-list", "one\r\n two")
    mistake("value signed on a folded line", "header_spaces", HEADS, signed=folded, sent=one)
    mistake("value signed untrimmed", "header_spaces", HEADS, both=header("x-list", "one"), signed=header("x-list", "one "))
    lower = header("x-list", "one")
    mistake("value signed in lower case", "header_case", HEADS, signed=lower, sent=header("x-list", "One"))
    mistake("items reordered", "header_items", HEADS, sent=header("x-list", "alpha, beta"))
    joined = header("x-list", "beta,alpha")
    mistake("two lines, signed joined", "header_lines", NOT_SIGV4, signed=joined, sent=lines("beta", "alpha"))
    mistake("header doubled", "header_lines", HEADS, both=header("x-list", "beta"), sent=lines("beta", "beta"))

    def sorted_lines(text, scheme):
        split = text.split(b"\n")
        split[2:-3] = sorted(split[2:-3])
        return b"\n".join(split)

    mistake("header lines signed sorted", "header_order", NATIVE, text=sorted_lines)
    spaced = replaced("\nx-list:", "\nx-list: ")

    def all_spaced(text, scheme):
        names = [b"host", b"x-date", b"x-content-sha256", b"x-nonce", b"x-amz-date", b"x-amz-content-sha256"]
        for name in [*names, b"accept-encoding", b"content-type"]:
            text = text.replace(b"\n" + name + b":", b"\n" + name + b": ")
        return spaced(text, scheme)

    mistake("header lines signed with a space", "header_order", CANONICAL, text=all_spaced)


def body_mistakes():
    def hashes(name, cause, schemes, signed, arrived=JSON):
        """A body that is hashed, or signed, in another form than it arrives."""
        heads = tuple(scheme for scheme in schemes if scheme in HEADS)
        bodies = tuple(scheme for scheme in schemes if scheme in BODIES)
        mistake(name, cause, heads, both=hash_of(signed), body=lambda body: arrived)
        mistake(name, cause, bodies, signed=hash_of(signed), body=lambda body: arrived)

    hashes("line feed added to the signed body", "body_line_end", ALL, JSON + b"\n")
    hashes("line feed added to the sent body", "body_line_end", ALL, JSON, JSON + b"\n")
    hashes("CRLF added to the sent body", "body_line_end", ALL, JSON, JSON + b"\r\n")
    text = b"one\ntwo\n"
    hashes("line ends of the body converted", "body_line_ends", ALL, text, text.replace(b"\n", b"\r\n"))
    hashes("empty body hashed", "body_hashed_as_empty", ALL, b"")
    hashes("body dropped", "body_empty", ALL, JSON, b"")
    hashes("JSON without white space signed", "body_reserialized", ALL, b'{"b":1,"a":[2,3]}')
    hashes("JSON with sorted members signed", "body_reserialized", ALL, b'{"a":[2,3],"b":1}')
    parsed = json.dumps(json.loads(JSON), separators=(",", ":")).encode()
    hashes("JSON parsed and written by a gateway", "body_reserialized", ALL, JSON, parsed)
    hashes("another body", "other_body", HEADS, JSON, b"something else")

    def compressed(seen, scheme):
        seen.add("content-encoding", "gzip")
        seen.body = gzip.compress(JSON, mtime=0)

    mistake("body decompressed by a proxy", "body_decompressed", ALL, both=compressed, body=lambda body: JSON)
    usual = hashlib.sha256(JSON)
    upper, encoded = usual.hexdigest().upper(), base64.b64encode(usual.digest()).decode()
    mistake("hash of the body in capitals", "content_hash_form", CANONICAL, both=put(hash=upper))
    mistake("hash of the body signed in Base64", "content_hash_form", CANONICAL, signed=put(hash=encoded))
    mistake("payload not signed", "payload_unsigned", (SIGV4,), both=put(hash="UNSIGNED-PAYLOAD"))


def date_mistakes():
    for name, seconds in (("ten minutes slow", -607), ("ten minutes fast", 607), ("two days slow", -173000)):
        mistake(f"clock {name}", "clock", ALL, both=put(date=NOW + seconds))
    mistake("local time as UTC", "time_zone", ALL, both=put(date=NOW + 7200 - 3))
    millis = put(date=NOW * 1000)
    mistake("milliseconds", "milliseconds", (RFC9421, *BODIES), both=millis)
    mistake("milliseconds signed, seconds sent", "milliseconds", (RFC9421, *BODIES), signed=millis)
    for form in ("2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 +0000"):
        mistake(f"date sent and signed as {form}", "date_form", NATIVE, both=put(date_text=form))
    mistake("date signed as seconds", "date_form", NATIVE, signed=put(date_text=str(NOW)))
    mistake("date signed in RFC 3339", "date_form", BODIES, signed=put(date_text="2026-01-02T03:04:05Z"))
    mistake("clock read twice", "other_date", (HMAC, ED25519, RFC9421, *BODIES), signed=put(date=NOW - 1))
    mistake("day of the scope in local time", "scope_date", (SIGV4,), both=put(day="20260101"))
    mistake("nonce absent", "nonce_missing", (HMAC, ED25519, RFC9421), both=put(nonce=None))


def signature_mistakes():
    hexed = (HMAC, ED25519, SIGV4, DRF)
    mistake("signature in Base64", "signature_encoding", hexed, written=lambda _, it: base64.b64encode(it).decode())

    def in_hex(scheme, signature):
        return ("v1," if scheme == WEBHOOKS else "") + signature.hex()

    mistake("signature in hexadecimal digits", "signature_encoding", (RFC9421, WEBHOOKS), written=in_hex)
    mistake("signature in upper-case digits", "signature_encoding", (SIGV4, DRF), written=lambda _, it: it.hex().upper())
    mistake("text with a line feed at its end", "text_line_ends", HEADS, text=lambda text, _: text + b"\n")
    crlf = replaced("\n", "\r\n")
    mistake("text with CRLF", "text_line_ends", HEADS, text=crlf)
    mistake("text without its timestamp", "text_form", (DRF,), text=lambda text, _: text.split(b".", 1)[1])
    mistake("text without its message id", "text_form", (WEBHOOKS,), text=lambda text, _: text.split(b".", 1)[1])
    spaced = replaced("\"@signature-params\": ", "\"@signature-params\": sig1=")
    mistake("parameters signed with their label", "signature_params", (RFC9421,), text=spaced)


def key_mistakes():
    mistake("previous key", "key_not_in_force", ALL, key=PREVIOUS)
    mistake("key of another caller", "key_of_another_caller", ALL, key=AUDIT)
    text = KEY.hex().encode()
    encoded = base64.b64encode(KEY)
    mistake("hexadecimal digits of the secret as text", "secret_as_text", SECRETS, key=text)
    mistake("Base64 of the secret as text", "secret_as_text", SECRETS, key=encoded)
    mistake("hexadecimal digits read as Base64", "secret_as_base64", SECRETS, key=base64.b64decode(text))
    mistake("secret with a line feed", "secret_line_end", SECRETS, key=KEY + b"\n")
    mistake("text of the secret with a line feed", "secret_line_end", SECRETS, key=text + b"\n")
    mistake("name misspelt", "caller_name", HEADS, both=put(caller="biling"))
    mistake("unknown caller", "unknown_caller", HEADS, both=put(caller="biling"), key=STRANGER)
    mistake("wrong key", None, ALL, key=STRANGER)


def scheme_mistakes():
    mistake("another region", "region", (SIGV4,), both=put(region="us-east-1"))
    mistake("another region signed", "region", (SIGV4,), signed=put(region="us-east-1"))
    mistake("another service", "service", (SIGV4,), both=put(service="execute-api"))
    mistake("another service signed", "service", (SIGV4,), signed=put(service="execute-api"))
    mistake(
        "session token of other credentials",
        "session_token",
        (SIGV4,),
        both=lambda seen, scheme: seen.add("x-amz-security-token", "temporary"),
    )
    mistake("scheme in lower case", "scheme_name", (HMAC,), sent=put(scheme_name="hmac-sha256"))
    mistake("scheme that is not accepted", "scheme_not_accepted", (HMAC,), accept=["message-signatures"])
    both = ["hmac-sha256", "message-signatures"]
    mistake("key of another scheme", "key_of_another_scheme", (HMAC,), keys=RFC9421, accept=both)
    mistake("key of another scheme", "key_of_another_scheme", (RFC9421,), keys=HMAC, accept=both)
    public, both = ed25519.public_key(KEY), ["hmac-sha256", "ed25519"]
    mistake("public key taken as a secret", "no_key_of_scheme", (HMAC,), keys=ED25519, accept=both, key=public)
    mistake("route that is not listed", "route_not_listed", BODIES, sent=put(path="/elsewhere"))


def keys(scheme):
    """The file of keys at the service that verifies."""

    def key(version, bytes_, more=""):
        if scheme == ED25519:
            text = f'ed25519_public_key_hex = "{ed25519.public_key(bytes_).hex()}"'
        else:
            text = f'secret_hex = "{bytes_.hex()}"'
        return f'[[callers.keys]]\nversion = "{version}"\nscheme = "{scheme}"\n{text}\n{more}'

    billing = key("2026", KEY) + key("2025", PREVIOUS, 'state = "revoked"\n')
    return f'[[callers]]\nname = "billing"\n{billing}[[callers]]\nname = "audit"\n{key("1", AUDIT)}'


def main():
    mistake("no mistake", None, ALL)
    host_mistakes()
    method_mistakes()
    path_mistakes()
    query_mistakes()
    header_mistakes()
    body_mistakes()
    date_mistakes()
    signature_mistakes()
    key_mistakes()
    scheme_mistakes()
    document = {
        "now": NOW,
        "host": HOST,
        "target": Seen().target(),
        "prefix": "/api",
        "keys": {scheme: keys(scheme) for scheme in ALL},
        "cases": CASES,
    }
    json.dump(document, sys.stdout)


if __name__ == "__main__":
    main()
