"""boto3, unchanged, uploads bodies over TLS. It sends unsigned chunks with a checksum in a trailer.

Reads JSON from standard input: the address of a server without TLS, the files of a certificate, and
the lengths of the bodies. Ends TLS itself, because the tests' server does not. Writes the status of
each upload.
"""

import json
import socket
import ssl
import sys
import threading

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(listener, context, host, port):
    while True:
        plain, _ = listener.accept()
        try:
            inner = context.wrap_socket(plain, server_side=True)
        except (OSError, ssl.SSLError):
            continue
        outer = socket.create_connection((host, port))
        for pair in ((inner, outer), (outer, inner)):
            threading.Thread(target=copy, args=pair, daemon=True).start()


def main():
    config = json.load(sys.stdin)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["certificate"], config["key"])
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = config["server"].split(":")
    arguments = (listener, context, host, int(port))
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    client = boto3.client(
        "s3",
        endpoint_url=f"https://127.0.0.1:{listener.getsockname()[1]}",
        verify=config["authority"],
        region_name=config["region"],
        aws_access_key_id=config["access_key_id"],
        aws_secret_access_key=config["secret"],
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )
    statuses = []
    for length in config["lengths"]:
        body = bytes(range(251)) * (length // 251 + 1)
        try:
            answer = client.put_object(Bucket="bucket", Key="key", Body=body[:length])
        except ClientError as error:
            answer = error.response
        statuses.append(answer["ResponseMetadata"]["HTTPStatusCode"])
    json.dump(statuses, sys.stdout)


main()
