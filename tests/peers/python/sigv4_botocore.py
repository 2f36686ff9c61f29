"""botocore's SigV4 signers; a client as in `peer.py`.

{"url", "key_id", "secret", "region", "service", "session_token", "date", "requests"}; a request with "presign": true
and "expires": seconds is presigned, and its URL sent with the headers that were signed and no body. The service "s3"
takes botocore's S3 signers, as botocore does itself. "date" replaces the clock of `botocore.auth`.
"""

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import peer


def answer(config, request):
    botocore.auth.get_current_datetime = lambda: peer.clock_of(config)
    credentials = Credentials(config["key_id"], config["secret"], config.get("session_token"))
    scope = (credentials, config["service"], config["region"])
    s3 = config["service"] == "s3"
    signed = AWSRequest(request["method"], config["url"] + request["target"], request.get("headers"))
    if request.get("presign"):
        signer = (botocore.auth.S3SigV4QueryAuth if s3 else botocore.auth.SigV4QueryAuth)(*scope, request["expires"])
    else:
        signed.data = peer.body_of(request)
        signer = (botocore.auth.S3SigV4Auth if s3 else botocore.auth.SigV4Auth)(*scope)
    signer.add_auth(signed)
    prepared = signed.prepare()
    return peer.send(prepared.method, prepared.url, prepared.headers, prepared.body)


peer.client(answer)
