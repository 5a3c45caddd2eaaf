//! Owns what Twilio's answer to a message means, by its status and its error code.
//!
//! Source: <https://www.twilio.com/docs/api/errors>.

use serde::Deserialize;

use crate::channels::detail::clean;
use crate::channels::exchange::Answer;
use crate::domain::dispatch::{DeferCause, Fault, Outcome};

/// Created, or the error (`code`, `message`).
#[derive(Debug, Default, Deserialize)]
struct Reply {
    sid: Option<String>,
    code: Option<u32>,
    message: Option<String>,
}

/// What an error code says, whatever the status it comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It is no number, or no telephone that takes texts.
    DeadAddress,
    /// Somebody wrote STOP to the provider.
    Unsubscribed,
    TooFast,
    /// The account, its rights or its sender: every message would fare the same.
    Account,
}

pub(super) fn outcome(answer: &Answer) -> Outcome {
    let reply = answer
        .body
        .as_deref()
        .and_then(|body| serde_json::from_str::<Reply>(body).ok());
    let reply = reply.unwrap_or_default();
    let detail = detail(answer, &reply);
    let deferred = |cause| Outcome::Deferred {
        detail: detail.clone(),
        retry_after: answer.retry_after(),
        cause,
    };
    let refused = |fault| Outcome::Refused {
        detail: detail.clone(),
        fault,
    };
    match (answer.status, reply.code.and_then(meaning)) {
        (201, _) => accepted(reply, detail),
        // Something between answered in Twilio's place, unless it names the message.
        (200..300, _) if reply.sid.is_some() => accepted(reply, detail),
        (200..300, _) => Outcome::Uncertain { detail },
        (400..500, Some(Meaning::DeadAddress)) => refused(Fault::Address),
        (400..500, Some(Meaning::Unsubscribed)) => refused(Fault::Message),
        (400..600, Some(Meaning::TooFast)) | (408 | 425 | 429 | 503, _) => {
            deferred(DeferCause::Throttled)
        }
        (400..500, Some(Meaning::Account)) | (401 | 403 | 404 | 407, _) => {
            deferred(DeferCause::Gateway)
        }
        (400..500, _) => refused(Fault::Message),
        // Whoever waited for the server behind it does not know what that one did.
        (504, _) => Outcome::Uncertain { detail },
        (500, _) => deferred(DeferCause::Message),
        (500..600, _) => deferred(DeferCause::Gateway),
        // A redirected request was not processed; following it would send customers' data elsewhere.
        (300..400, _) => deferred(DeferCause::Gateway),
        _ => Outcome::Uncertain { detail },
    }
}

fn accepted(reply: Reply, detail: String) -> Outcome {
    Outcome::Accepted {
        gateway_id: reply.sid,
        detail,
    }
}

fn meaning(code: u32) -> Option<Meaning> {
    Some(match code {
        21211 | 21217 | 21614 => Meaning::DeadAddress,
        21610 => Meaning::Unsubscribed,
        20429 | 14107 | 21611 | 30022 => Meaning::TooFast,
        20003..=20008
        | 20404
        | 21212
        | 21603
        | 21606
        | 21608
        | 21659
        | 21660
        | 21701..=21703
        | 30002 => Meaning::Account,
        _ => return None,
    })
}

fn detail(answer: &Answer, reply: &Reply) -> String {
    let Some(code) = reply.code else {
        return answer.detail();
    };
    let words = reply.message.as_deref().unwrap_or_default();
    let why = match meaning(code) {
        Some(Meaning::Unsubscribed) => ": unsubscribed at the provider",
        _ => "",
    };
    clean(&format!("HTTP {} {code}{why}: {words}", answer.status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(201, r#"{"sid":"SM1","status":"queued"}"#, "accepted SM1")]
    #[case(201, "not JSON", "accepted -")]
    #[case(200, r#"{"sid":"SM1"}"#, "accepted SM1")]
    #[case(200, "<html>welcome</html>", "uncertain")]
    #[case(400, r#"{"code":21211,"message":"x"}"#, "refused Address")]
    #[case(400, r#"{"code":21614,"message":"x"}"#, "refused Address")]
    #[case(400, r#"{"code":21610,"message":"x"}"#, "refused Message")]
    #[case(400, r#"{"code":21617,"message":"too long"}"#, "refused Message")]
    #[case(400, r#"{"code":21408,"message":"region"}"#, "refused Message")]
    #[case(400, r#"{"code":21606,"message":"from"}"#, "deferred Gateway")]
    #[case(400, r#"{"code":21611,"message":"queue"}"#, "deferred Throttled")]
    #[case(400, "garbage", "refused Message")]
    #[case(401, r#"{"code":20003,"message":"x"}"#, "deferred Gateway")]
    #[case(403, "", "deferred Gateway")]
    #[case(404, r#"{"code":20404,"message":"x"}"#, "deferred Gateway")]
    #[case(429, r#"{"code":20429,"message":"x"}"#, "deferred Throttled")]
    #[case(500, r#"{"code":20500,"message":"x"}"#, "deferred Message")]
    #[case(502, "", "deferred Gateway")]
    #[case(503, "", "deferred Throttled")]
    #[case(504, "", "uncertain")]
    #[case(307, "", "deferred Gateway")]
    #[case(999, "", "uncertain")]
    fn each_answer_has_its_outcome(
        #[case] status: u16,
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        let found = outcome(&Answer {
            status,
            body: Some(body.to_owned()),
            ..Answer::default()
        });
        let found = match found {
            Outcome::Accepted { gateway_id, .. } => {
                format!("accepted {}", gateway_id.as_deref().unwrap_or("-"))
            }
            Outcome::Deferred { cause, .. } => format!("deferred {cause:?}"),
            Outcome::Refused { fault, .. } => format!("refused {fault:?}"),
            Outcome::Uncertain { .. } => "uncertain".to_owned(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn who_unsubscribed_at_the_provider_is_told_as_such() {
        let found = outcome(&Answer {
            status: 400,
            body: Some(
                r#"{"code":21610,"message":"Attempt to send to unsubscribed recipient"}"#
                    .to_owned(),
            ),
            ..Answer::default()
        });
        let detail = "HTTP 400 21610: unsubscribed at the provider: Attempt to send to unsubscribed recipient";
        assert_eq!(
            found,
            Outcome::Refused {
                detail: detail.to_owned(),
                fault: Fault::Message,
            }
        );
    }
}
