"""An unmodified boto3 behind `resign`, and botocore as the verifier of what left it.

`send` reads {"endpoint", "key_id", "secret", "keys"} from standard input, puts and gets each key, and calls DynamoDB
once. `check` reads {"secret", "region", "service", "requests"} and prints, for each request as it arrived, whether its
signature is the one that botocore computes.
"""

import base64
import json
import sys

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError


def client(config, service):
    settings = Config(
        request_checksum_calculation="when_required",
        retries={"max_attempts": 0},
        s3={"addressing_style": "path"},
    )
    return boto3.client(
        service,
        endpoint_url=config["endpoint"],
        aws_access_key_id=config["key_id"],
        aws_secret_access_key=config["secret"],
        region_name="eu-central-1",
        config=settings,
    )


def status(call):
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def send(config):
    s3 = client(config, "s3")
    statuses = []
    for key in config["keys"]:
        statuses.append(status(lambda: s3.put_object(Bucket="bucket", Key=key, Body=b"the body")))
        statuses.append(status(lambda: s3.get_object(Bucket="bucket", Key=key)))
    return statuses


class Recomputed(botocore.auth.S3SigV4Auth):
    def headers_to_sign(self, request):
        return request.headers


def check(config):
    answers = []
    for request in config["requests"]:
        headers = {name.lower(): value for name, value in request["headers"]}
        words = dict(word.strip(",").split("=", 1) for word in headers["authorization"].split()[1:])
        signed = {name: headers[name] for name in words["SignedHeaders"].split(";")}
        url = "https://" + headers["host"] + request["target"]
        body = base64.b64decode(request["body"])
        aws = AWSRequest(request["method"], url, signed, body)
        aws.context["timestamp"] = headers["x-amz-date"]
        key_id = words["Credential"].split("/")[0]
        credentials = Credentials(key_id, config["secret"])
        auth = Recomputed(credentials, config["service"], config["region"])
        text = auth.string_to_sign(aws, auth.canonical_request(aws))
        answers.append(auth.signature(text, aws) == words["Signature"])
    return answers


print(json.dumps({"send": send, "check": check}[sys.argv[1]](json.load(sys.stdin))))
