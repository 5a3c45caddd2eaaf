//! Owns what Firebase's answers mean (firebase.google.com/docs/cloud-messaging/error-codes).

use std::time::Duration;

use serde_json::Value;

use crate::channels::exchange::Answer;
use crate::domain::dispatch::{DeferCause, Fault, Outcome};

/// Firebase wants to be left alone for as long at least.
const PAUSE: Duration = Duration::from_secs(10);
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

pub(super) fn outcome(answer: &Answer) -> Outcome {
    let said: Value = serde_json::from_str(answer.text()).unwrap_or_default();
    let code = of_type(&said, FCM_ERROR)
        .and_then(|detail| detail["errorCode"].as_str())
        .unwrap_or_default();
    match (answer.status, code) {
        (200..300, _) => answer.accepted(said["name"].as_str().map(str::to_owned)),
        (404, "UNREGISTERED") => answer.refused(Fault::Device),
        (400, "INVALID_ARGUMENT") if blames_token(&said) => answer.refused(Fault::Device),
        // The device belongs to another project.
        (403, "SENDER_ID_MISMATCH") => answer.refused(Fault::Message),
        (429 | 503, _) => slower(answer),
        (300..400 | 401 | 403 | 404, _) => answer.deferred(DeferCause::Gateway),
        (400..500, _) => answer.refused(Fault::Message),
        // Firebase says that it is to be tried again.
        (500, _) => answer.deferred(DeferCause::Message),
        _ => answer.uncertain(),
    }
}

/// Whether the token is what is not valid, rather than something else of the message.
fn blames_token(said: &Value) -> bool {
    let violations = of_type(said, BAD_REQUEST).map(|detail| &detail["fieldViolations"]);
    let Some(violations) = violations.and_then(Value::as_array) else {
        return true;
    };
    let fields = violations.iter().map(|one| one["field"].as_str());
    let is_token = |field: Option<&str>| matches!(field, Some("message.token" | "message.fid"));
    let mut fields = fields.peekable();
    fields.peek().is_some() && fields.all(is_token)
}

fn of_type<'a>(said: &'a Value, kind: &str) -> Option<&'a Value> {
    let details = said["error"]["details"].as_array()?;
    details.iter().find(|detail| detail["@type"] == kind)
}

fn slower(answer: &Answer) -> Outcome {
    match answer.deferred(DeferCause::Throttled) {
        Outcome::Deferred {
            detail,
            retry_after,
            cause,
        } => Outcome::Deferred {
            detail,
            retry_after: Some(retry_after.unwrap_or(PAUSE).max(PAUSE)),
            cause,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, RETRY_AFTER};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn told(status: u16, body: &Value) -> String {
        let answer = Answer {
            status,
            headers: HeaderMap::new(),
            body: Some(body.to_string()),
        };
        match outcome(&answer) {
            Outcome::Accepted { gateway_id, .. } => format!("accepted {}", gateway_id.unwrap()),
            Outcome::Deferred { cause, .. } => format!("deferred {cause:?}"),
            Outcome::Refused { fault, .. } => format!("refused {fault:?}"),
            Outcome::Uncertain { .. } => "uncertain".to_owned(),
        }
    }

    fn fcm(code: &str) -> Value {
        json!({ "error": { "details": [{ "@type": FCM_ERROR, "errorCode": code }] } })
    }

    #[rstest]
    #[case(404, "UNREGISTERED", "refused Device")]
    #[case(400, "INVALID_ARGUMENT", "refused Device")]
    #[case(403, "SENDER_ID_MISMATCH", "refused Message")]
    #[case(429, "QUOTA_EXCEEDED", "deferred Throttled")]
    #[case(503, "UNAVAILABLE", "deferred Throttled")]
    #[case(500, "INTERNAL", "deferred Message")]
    #[case(401, "THIRD_PARTY_AUTH_ERROR", "deferred Gateway")]
    #[case(403, "", "deferred Gateway")]
    #[case(404, "", "deferred Gateway")]
    #[case(400, "", "refused Message")]
    #[case(413, "", "refused Message")]
    #[case(302, "", "deferred Gateway")]
    #[case(502, "", "uncertain")]
    fn each_code_has_its_outcome(#[case] status: u16, #[case] code: &str, #[case] expected: &str) {
        assert_eq!(told(status, &fcm(code)), expected);
    }

    #[test]
    fn a_mistake_elsewhere_in_the_message_takes_no_device_away() {
        for (field, expected) in [
            ("message.token", "refused Device"),
            ("message.fid", "refused Device"),
            ("message.android.ttl", "refused Message"),
        ] {
            let mut body = fcm("INVALID_ARGUMENT");
            let violations = json!([{ "field": field, "description": "Invalid" }]);
            let details = body["error"]["details"].as_array_mut().unwrap();
            details.push(json!({ "@type": BAD_REQUEST, "fieldViolations": violations }));
            assert_eq!(told(400, &body), expected, "{field}");
        }
    }

    #[test]
    fn what_was_taken_has_firebases_name() {
        let body = json!({ "name": "projects/p/messages/1" });
        assert_eq!(told(200, &body), "accepted projects/p/messages/1");
    }

    #[test]
    fn firebase_is_left_alone_for_ten_seconds_at_least() {
        for (asked, expected) in [(None, 10), (Some("3"), 10), (Some("120"), 120)] {
            let mut headers = HeaderMap::new();
            if let Some(asked) = asked {
                headers.insert(RETRY_AFTER, asked.parse().unwrap());
            }
            let answer = Answer {
                status: 429,
                headers,
                body: None,
            };
            let Outcome::Deferred { retry_after, .. } = outcome(&answer) else {
                panic!("not deferred");
            };
            assert_eq!(retry_after, Some(Duration::from_secs(expected)));
        }
    }
}
