"""The DRF article's HMACSignatureAuthentication in Django and Django REST framework; a server as in `peer.py`.

Configuration: {"secret": "..."}. `/v1/infer` is the article's view (`{"answer": ...}`); every other path, with any
method, answers {"ok": true, "method", "path", "length", "sha256"}. Refusals are REST framework's 403 with "detail",
to which an exception handler adds "error". Django's own server: HTTP/1.1, and a chunked body is not read.
"""

import hashlib
import hmac
import json
import logging
import sys
import time

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    HMAC_SECRET_KEY=json.loads(sys.argv[1])["secret"],
    REST_FRAMEWORK={"EXCEPTION_HANDLER": "__main__.refuse", "UNAUTHENTICATED_USER": None},
    ROOT_URLCONF="__main__",
    USE_TZ=True,
)

import django

django.setup()

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.urls import path, re_path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

import peer

# From here to the next comment: the article, word for word.


class HMACSignatureAuthentication(BaseAuthentication):
    SECRET_KEY = settings.HMAC_SECRET_KEY.encode("utf-8")
    HMAC_HEADER_NAME = "X-HMAC-Signature"
    HMAC_TIMESTAMP_HEADER = "X-HMAC-Timestamp"
    ALGORITHM = hashlib.sha256
    MAX_SKEW_SECONDS = 60  # 允许时间偏差(±60 秒)

    def _build_signature(self, body: bytes, timestamp: str) -> str:
        message = timestamp.encode("utf-8") + b"." + body
        return hmac.new(self.SECRET_KEY, message, self.ALGORITHM).hexdigest()

    def authenticate(self, request):
        signature = request.headers.get(self.HMAC_HEADER_NAME)
        timestamp = request.headers.get(self.HMAC_TIMESTAMP_HEADER)
        if not signature or not timestamp:
            raise AuthenticationFailed("Missing HMAC headers")
        try:
            ts = int(timestamp)
        except ValueError:
            raise AuthenticationFailed("Invalid timestamp")
        now = int(time.time())
        if abs(now - ts) > self.MAX_SKEW_SECONDS:
            raise AuthenticationFailed("Request timestamp too old")
        expected_signature = self._build_signature(request.body, timestamp)
        if not hmac.compare_digest(signature, expected_signature):
            raise AuthenticationFailed("Invalid HMAC signature")
        return (None, None)


class AIInferenceView(APIView):
    authentication_classes = [HMACSignatureAuthentication]
    permission_classes = [AllowAny]  # 仅凭 HMAC 保护

    def post(self, request, *args, **kwargs):
        input_text = request.data.get("text", "")
        result = {"answer": f"AI result for: {input_text}"}
        return Response(result)


# The rest is ours.


class EchoView(APIView):
    authentication_classes = [HMACSignatureAuthentication]
    permission_classes = [AllowAny]

    def any(self, request):
        body = request.body
        digest = hashlib.sha256(body).hexdigest()
        about = {"method": request.method, "path": request.get_full_path(), "length": len(body), "sha256": digest}
        return Response({"ok": True, **about})

    get = post = put = patch = delete = head = options = any


def refuse(error, context):
    response = exception_handler(error, context)
    if response is not None and isinstance(response.data, dict):
        response.data = {"error": response.data.get("detail"), **response.data}
    return response


urlpatterns = [path("v1/infer", AIInferenceView.as_view()), re_path("", EchoView.as_view())]


class Handler(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    server = ThreadedWSGIServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    peer.ready(server)
