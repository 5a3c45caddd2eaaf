"""Google's own client sends what we send to the Firebase that `fcm.py` plays: fcm_client.py BASE SERVICE_ACCOUNT.

It prints what came of each message, a line each.
"""

import json
import sys

from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

BASE, ACCOUNT = sys.argv[1:3]
SCOPES = ["https://www.googleapis.com/auth/firebase.messaging"]

credentials = service_account.Credentials.from_service_account_file(ACCOUNT, scopes=SCOPES)
firebase = build("fcm", "v1", credentials=credentials, static_discovery=True, cache_discovery=False,
                 client_options={"api_endpoint": BASE})


def tell(name, message):
    asked = firebase.projects().messages().send(parent="projects/bank", body={"message": message})
    try:
        said = {"status": 200, "name": asked.execute(num_retries=0)["name"]}
    except HttpError as error:
        said = {"status": error.status_code, "details": error.error_details, "wait": error.resp.get("retry-after")}
    print(json.dumps({"sent": name, **said}))


full = {"notification": {"title": "Hi", "body": "Your card"}, "data": {"dispatch": "d"},
        "android": {"collapseKey": "d", "ttl": "60s", "notification": {"tag": "d"}}}
tell("token", {"token": "a-phone", **full})
tell("fid", {"fid": "an-installation", **full})
for token in ("gone", "none", "other", "busy", "down"):
    tell(token, {"token": token, **full})
tell("unknown field", {"token": "a-phone", "surprise": 1})
tell("no target", full)
