"""A push service and its browser: PyPI's http-ece decrypts, PyJWT reads who sends (RFC 8030, 8188, 8291, 8292).

webpush.py PORT. It says its browser's subscription, and each message that it could read. A line `{"send": TEXT}`
has pywebpush send that text to it.
"""

import base64
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid
from pywebpush import webpush

PORT = int(sys.argv[1])
BROWSER, SECRET = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
ENDPOINT = f"http://127.0.0.1:{PORT}/push/1"


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(written):
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def point(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


SUBSCRIPTION = {"endpoint": ENDPOINT, "keys": {"p256dh": text(point(BROWSER.public_key())), "auth": text(SECRET)}}


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            kind, _, fields = self.headers["Authorization"].partition(" ")
            fields = dict(field.strip().split("=", 1) for field in fields.split(","))
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data(fields["k"]))
            claims = jwt.decode(fields["t"], key, algorithms=["ES256"], audience=f"http://127.0.0.1:{PORT}",
                                options={"require": ["exp", "sub"]})
            read = http_ece.decrypt(body, private_key=BROWSER, auth_secret=SECRET, version="aes128gcm")
            if kind != "vapid" or self.headers["Content-Encoding"] != "aes128gcm" or len(body) > 4096:
                raise ValueError(f"{kind}, {self.headers['Content-Encoding']}, {len(body)} bytes")
            say("taken", text=read.decode(), sub=claims["sub"], ttl=int(self.headers["TTL"]),
                urgency=self.headers["Urgency"], topic=self.headers["Topic"])
            self.send_response(201)
            self.send_header("Location", f"{ENDPOINT}/message")
        except Exception as error:
            say("refused", why=repr(error))
            self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", PORT), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
say("listening", port=PORT, subscription=SUBSCRIPTION)
sender = Vapid()
sender.generate_keys()
for line in sys.stdin:
    answer = webpush(SUBSCRIPTION, json.loads(line)["send"], vapid_private_key=sender, ttl=60,
                     vapid_claims={"sub": "mailto:other@bank.test"}, timeout=10)
    say("sent", status=answer.status_code)
