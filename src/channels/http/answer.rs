//! Owns what an HTTP gateway's answer means: by status, by a text in the reply, by whether a key was sent.

use serde_json::Value;

use crate::channels::exchange::Answer;
use crate::domain::dispatch::{DeferCause, Fault, Outcome};
use crate::domain::gateway::SuccessRule;

/// How an answer is to be understood.
pub(super) struct Meaning {
    pub(super) success: SuccessRule,
    /// RFC 6901.
    pub(super) id_pointer: Option<String>,
    /// Whether the gateway can tell a repeated request by its key.
    pub(super) has_key: bool,
}

impl Meaning {
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.status {
            status if self.is_success(status) => self.taken(answer),
            408 | 425 | 429 | 503 => answer.deferred(DeferCause::Throttled),
            401 | 403 | 407 => answer.deferred(DeferCause::Gateway),
            400..500 => answer.refused(Fault::Message),
            // A redirected request was not processed; following it would send customers' data elsewhere.
            300..400 => answer.deferred(DeferCause::Gateway),
            500.. if self.has_key => answer.deferred(DeferCause::Message),
            // The gateway may have taken it before it failed, or calls a success what the rule does not.
            _ => answer.uncertain(),
        }
    }

    fn is_success(&self, status: u16) -> bool {
        if self.success.status.is_empty() {
            (200..300).contains(&status)
        } else {
            self.success.status.contains(&status)
        }
    }

    fn taken(&self, answer: &Answer) -> Outcome {
        match (&self.success.body_contains, &answer.body) {
            (Some(_), None) => answer.uncertain(),
            (Some(needed), Some(body)) if !body.contains(needed) => answer.refused(Fault::Message),
            _ => answer.accepted(self.gateway_id(answer)),
        }
    }

    fn gateway_id(&self, answer: &Answer) -> Option<String> {
        let reply: Value = serde_json::from_str(answer.body.as_deref()?).ok()?;
        match reply.pointer(self.id_pointer.as_deref()?)? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, has_key: bool) -> String {
        let meaning = Meaning {
            success: SuccessRule {
                status: Vec::new(),
                body_contains: None,
            },
            id_pointer: None,
            has_key,
        };
        let answer = Answer {
            status,
            body: Some("words".to_owned()),
            ..Answer::default()
        };
        match meaning.outcome(&answer) {
            Outcome::Accepted { .. } => "accepted".to_owned(),
            Outcome::Deferred { cause, .. } => format!("deferred {cause:?}"),
            Outcome::Refused { fault, .. } => format!("refused {fault:?}"),
            Outcome::Uncertain { .. } => "uncertain".to_owned(),
        }
    }

    #[test]
    fn each_status_has_its_outcome() {
        for (statuses, expected) in [
            (&[200, 201, 202, 204, 299][..], "accepted"),
            (&[408, 425, 429, 503], "deferred Throttled"),
            (&[301, 302, 307, 401, 403, 407], "deferred Gateway"),
            (
                &[400, 402, 404, 409, 410, 413, 422, 451, 499],
                "refused Message",
            ),
        ] {
            for status in statuses {
                assert_eq!(outcome(*status, false), expected, "{status}");
                assert_eq!(outcome(*status, true), expected, "{status} with a key");
            }
        }
        for status in [500, 501, 502, 504, 599] {
            assert_eq!(outcome(status, false), "uncertain", "{status}");
            assert_eq!(outcome(status, true), "deferred Message", "{status}");
        }
    }

    #[test]
    fn a_rule_of_ones_own_is_kept_to() {
        let meaning = |needed: Option<&str>| Meaning {
            success: SuccessRule {
                status: vec![202],
                body_contains: needed.map(str::to_owned),
            },
            id_pointer: Some("/messages/0/id".to_owned()),
            has_key: false,
        };
        let answer = |status, body: Option<&str>| Answer {
            status,
            body: body.map(str::to_owned),
            ..Answer::default()
        };
        let said = r#"{"messages":[{"id":17,"state":"queued"}]}"#;
        let taken = meaning(Some("queued")).outcome(&answer(202, Some(said)));
        assert_eq!(
            taken,
            Outcome::Accepted {
                gateway_id: Some("17".to_owned()),
                detail: format!("HTTP 202: {said}"),
            }
        );
        let not = meaning(Some("accepted")).outcome(&answer(202, Some(said)));
        assert!(
            matches!(
                not,
                Outcome::Refused {
                    fault: Fault::Message,
                    ..
                }
            ),
            "{not:?}"
        );
        for unknown in [
            meaning(Some("queued")).outcome(&answer(202, None)),
            meaning(None).outcome(&answer(200, Some(said))),
        ] {
            assert!(matches!(unknown, Outcome::Uncertain { .. }), "{unknown:?}");
        }
    }
}
