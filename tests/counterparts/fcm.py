"""Firebase as its description says, on Flask: fields by Google's own discovery document, assertions by PyJWT.

fcm.py PORT PUBLIC_KEY. What a token begins with says what becomes of its message; GET /heard tells what was taken.
"""

import importlib.resources
import json
import sys

import flask
import jwt

PORT, KEY = int(sys.argv[1]), open(sys.argv[2]).read()
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TOKEN = "ya29.a-token"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
DOCUMENTS = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
SCHEMAS = json.loads((DOCUMENTS / "fcm.v1.json").read_text())["schemas"]

app = flask.Flask("fcm")
heard = []


def misfit(value, schema, place):
    """Where a value is not what the description says; nothing when it is."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"]]
    kind = schema.get("type")
    if kind == "object":
        if not isinstance(value, dict):
            return place
        fields, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            within = f"{place}.{name}" if place else name
            if name not in fields and others is None:
                return within
            wrong = misfit(inner, fields.get(name, others), within)
            if wrong:
                return wrong
        return None
    if kind == "array":
        inner = [misfit(one, schema["items"], f"{place}[{at}]") for at, one in enumerate(value)]
        return next(filter(None, inner), None) if isinstance(value, list) else place
    kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "any": object}
    fits = isinstance(value, kinds[kind])
    if fits and schema.get("format") == "google-duration":
        fits = value.endswith("s") and value[:-1].replace(".", "", 1).isdigit()
    return None if fits and value in schema.get("enum", [value]) else place


def refuse(status, name, code=None, field=None, wait=None):
    details = [{"@type": FCM_ERROR, "errorCode": code}] if code else []
    if field:
        violations = [{"field": field, "description": "Invalid value"}]
        details.append({"@type": BAD_REQUEST, "fieldViolations": violations})
    error = {"code": status, "message": name, "status": name, "details": details}
    headers = {"Retry-After": str(wait)} if wait else {}
    return flask.Response(json.dumps({"error": error}), status, headers, mimetype="application/json")


@app.post("/token")
def token():
    form = flask.request.form
    if form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return {"error": "unsupported_grant_type"}, 400
    try:
        claims = jwt.decode(form["assertion"], KEY, algorithms=["RS256"], audience="https://oauth2.googleapis.com/token",
                            options={"require": ["iss", "iat", "exp", "scope"]})
    except jwt.InvalidTokenError as error:
        return {"error": "invalid_grant", "error_description": str(error)}, 400
    if claims["scope"] != SCOPE or claims["exp"] - claims["iat"] > 3600:
        return {"error": "invalid_scope"}, 400
    heard.append({"granted": claims["iss"]})
    return {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}


@app.post("/v1/projects/<project>/messages:send")
def send(project):
    if flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return refuse(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")
    body = flask.request.get_json()
    wrong = misfit(body, SCHEMAS["SendMessageRequest"], "")
    if wrong:
        return refuse(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", wrong)
    message = body["message"]
    targets = [name for name in ("token", "fid", "topic", "condition") if name in message]
    if len(targets) != 1:
        return refuse(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message")
    target = message[targets[0]]
    if target.startswith("gone"):
        return refuse(404, "NOT_FOUND", "UNREGISTERED")
    if target.startswith("none"):
        return refuse(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", f"message.{targets[0]}")
    if target.startswith("other"):
        return refuse(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH")
    if target.startswith("busy"):
        return refuse(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", wait=60)
    if target.startswith("down"):
        return refuse(503, "UNAVAILABLE", "UNAVAILABLE", wait=10)
    heard.append({"project": project, "message": message})
    return {"name": f"projects/{project}/messages/{len(heard)}"}


@app.get("/heard")
def tell():
    return heard


app.run("127.0.0.1", PORT, threaded=True)
