"""Apple's push service as its pages describe it, on PyPI's h2 and PyJWT: apns.py PORT CERTIFICATE KEY PUBLIC_KEY.

Trusted are key FGHIJ67890 of team ABCDE12345 and the topic example.bank.app. What a token begins with says what
becomes of its message. Each request that was understood is a line of what it prints.
developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

import asyncio
import json
import re
import ssl
import sys
import time
import uuid

import h2.config
import h2.connection
import h2.errors
import h2.events
import jwt

PORT, CERTIFICATE, KEY, PUBLIC = int(sys.argv[1]), sys.argv[2], sys.argv[3], open(sys.argv[4]).read()
MOST = 4096


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


def proof(headers):
    """Why the provider's token is refused; nothing when it is good."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind != "bearer":
        return 403, "MissingProviderToken"
    try:
        head = jwt.get_unverified_header(token)
        claims = jwt.decode(token, PUBLIC, algorithms=["ES256"], options={"require": ["iss", "iat"]})
    except jwt.InvalidTokenError:
        return 403, "InvalidProviderToken"
    if head.get("kid") != "FGHIJ67890" or claims["iss"] != "ABCDE12345":
        return 403, "InvalidProviderToken"
    return (403, "ExpiredProviderToken") if time.time() - claims["iat"] > 3600 else None


def shape(headers, body):
    """What is wrong with the request itself."""
    if headers.get("apns-topic") != "example.bank.app":
        return 400, "TopicDisallowed"
    if headers.get("apns-push-type") not in ("alert", "background"):
        return 400, "InvalidPushType"
    if headers.get("apns-priority", "10") not in ("10", "5", "1"):
        return 400, "BadPriority"
    if not headers.get("apns-expiration", "0").isdigit():
        return 400, "BadExpirationDate"
    if len(headers.get("apns-collapse-id", "").encode()) > 64:
        return 400, "BadCollapseId"
    try:
        uuid.UUID(headers.get("apns-id", str(uuid.uuid4())))
    except ValueError:
        return 400, "BadMessageId"
    if len(body) > MOST:
        return 413, "PayloadTooLarge"
    try:
        return None if "alert" in json.loads(body)["aps"] else (400, "PayloadEmpty")
    except (ValueError, KeyError, TypeError):
        return 400, "PayloadEmpty"


def answer(headers, body):
    """The status and what is said of it."""
    if headers[":method"] != "POST":
        return 405, {"reason": "MethodNotAllowed"}
    token = re.fullmatch(r"/3/device/([^/]+)", headers[":path"])
    if not token:
        return 404, {"reason": "BadPath"}
    wrong = proof(headers) or shape(headers, body)
    if wrong:
        return wrong[0], {"reason": wrong[1]}
    token = token[1]
    if not re.fullmatch(r"[0-9a-f]{8,200}", token) or token.startswith("bad"):
        return 400, {"reason": "BadDeviceToken"}
    if token.startswith("dead"):
        return 410, {"reason": "Unregistered", "timestamp": int(time.time() * 1000)}
    # Registered anew since the app was gone.
    if token.startswith("1dead"):
        return 410, {"reason": "Unregistered", "timestamp": 1_000_000_000_000}
    if token.startswith("429"):
        return 429, {"reason": "TooManyRequests"}
    if token.startswith("503"):
        return 503, {"reason": "ServiceUnavailable"}
    say("taken", token=token, id=headers.get("apns-id"), collapse=headers.get("apns-collapse-id"),
        expiration=headers.get("apns-expiration"), body=json.loads(body))
    return 200, None


class Apple(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.streams = transport, {}
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.http.initiate_connection()
        self.flush()
        say("connected")

    def flush(self):
        self.transport.write(self.http.data_to_send())

    def data_received(self, data):
        for event in self.http.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.streams[event.stream_id] = (dict(event.headers), bytearray())
            elif isinstance(event, h2.events.DataReceived):
                self.streams[event.stream_id][1].extend(event.data)
                self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended(event.stream_id)
        if not self.transport.is_closing():
            self.flush()

    def ended(self, stream):
        headers, body = self.streams.pop(stream)
        fault = re.match(r"/3/device/(0f[1-6])", headers[":path"])
        if fault:
            return self.fail(fault[1], stream)
        status, said = answer(headers, bytes(body))
        reply = [(":status", str(status)), ("apns-id", headers.get("apns-id") or str(uuid.uuid4()))]
        self.http.send_headers(stream, reply, end_stream=said is None)
        if said:
            self.http.send_data(stream, json.dumps(said).encode(), end_stream=True)

    def fail(self, fault, stream):
        say("failed", fault=fault)
        if fault == "0f2":  # Not processed: RFC 9113, 8.7.
            self.http.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        elif fault == "0f3":
            self.http.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        elif fault == "0f4":  # It leaves, and has seen to nothing: RFC 9113, 6.8.
            self.http.close_connection(last_stream_id=0)
            self.flush()
            self.transport.close()
        elif fault == "0f6":  # It leaves, and may have seen to this one.
            self.http.close_connection(last_stream_id=stream)
            self.flush()
            self.transport.close()
        elif fault == "0f5":
            self.transport.abort()
        # 0f1: it says nothing.


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.set_alpn_protocols(["h2"])
    server = await asyncio.get_running_loop().create_server(Apple, "127.0.0.1", PORT, ssl=context)
    say("listening", port=PORT)
    async with server:
        await asyncio.wait_for(server.serve_forever(), 120)


asyncio.run(main())
