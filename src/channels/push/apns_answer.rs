//! Owns what Apple's answers mean (developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns).

use jiff::Timestamp;
use serde::Deserialize;

use crate::channels::exchange::Answer;
use crate::domain::dispatch::{DeferCause, Fault, Outcome};

/// What Apple says when it says no.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub(super) reason: String,
    /// In milliseconds: when the device was found to have the app no more.
    timestamp: Option<i64>,
}

impl Said {
    pub(super) fn of(answer: &Answer) -> Self {
        serde_json::from_str(answer.text()).unwrap_or_default()
    }

    /// Whether the app was gone before the device was registered: then it is there again.
    fn is_older_than(&self, registered_at: Timestamp) -> bool {
        let at = self.timestamp.map(Timestamp::from_millisecond);
        matches!(at, Some(Ok(at)) if at < registered_at)
    }
}

/// `is_proven`: Apple has taken messages with this configuration, so a token that it does not know is not
/// one of the other environment.
pub(super) fn outcome(
    answer: &Answer,
    said: &Said,
    registered_at: Timestamp,
    is_proven: bool,
) -> Outcome {
    match (answer.status, said.reason.as_str()) {
        (200, _) => answer.accepted(answer.header("apns-id")),
        (410, _) if said.is_older_than(registered_at) => answer.refused(Fault::Message),
        (410, _) => answer.refused(Fault::Device),
        (400, "BadDeviceToken") if is_proven => answer.refused(Fault::Device),
        (400, "BadTopic" | "MissingTopic" | "TopicDisallowed") => {
            answer.deferred(DeferCause::Gateway)
        }
        (300..400 | 401 | 403 | 404 | 405 | 407, _) => answer.deferred(DeferCause::Gateway),
        (429, "TooManyProviderTokenUpdates") => answer.deferred(DeferCause::Gateway),
        (429 | 503, _) => answer.deferred(DeferCause::Throttled),
        (400..500, _) => answer.refused(Fault::Message),
        // Apple says that it did not process it.
        (500, "InternalServerError") => answer.deferred(DeferCause::Message),
        _ => answer.uncertain(),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const REGISTERED: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn told(status: u16, reason: &str, timestamp: Option<i64>, is_proven: bool) -> String {
        let body = json!({ "reason": reason, "timestamp": timestamp });
        let answer = Answer {
            status,
            headers: HeaderMap::new(),
            body: Some(body.to_string()),
        };
        match outcome(&answer, &Said::of(&answer), REGISTERED, is_proven) {
            Outcome::Accepted { .. } => "accepted".to_owned(),
            Outcome::Deferred { cause, .. } => format!("deferred {cause:?}"),
            Outcome::Refused { fault, .. } => format!("refused {fault:?}"),
            Outcome::Uncertain { .. } => "uncertain".to_owned(),
        }
    }

    #[rstest]
    #[case(200, "", "accepted")]
    #[case(400, "BadDeviceToken", "refused Device")]
    #[case(400, "DeviceTokenNotForTopic", "refused Message")]
    #[case(400, "PayloadEmpty", "refused Message")]
    #[case(400, "BadTopic", "deferred Gateway")]
    #[case(400, "TopicDisallowed", "deferred Gateway")]
    #[case(403, "ExpiredProviderToken", "deferred Gateway")]
    #[case(403, "InvalidProviderToken", "deferred Gateway")]
    #[case(404, "BadPath", "deferred Gateway")]
    #[case(405, "MethodNotAllowed", "deferred Gateway")]
    #[case(410, "Unregistered", "refused Device")]
    #[case(410, "ExpiredToken", "refused Device")]
    #[case(413, "PayloadTooLarge", "refused Message")]
    #[case(429, "TooManyProviderTokenUpdates", "deferred Gateway")]
    #[case(429, "TooManyRequests", "deferred Throttled")]
    #[case(500, "InternalServerError", "deferred Message")]
    #[case(502, "", "uncertain")]
    #[case(503, "ServiceUnavailable", "deferred Throttled")]
    #[case(503, "Shutdown", "deferred Throttled")]
    fn each_reason_has_its_outcome(
        #[case] status: u16,
        #[case] reason: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(told(status, reason, None, true), expected);
    }

    #[test]
    fn an_app_that_was_gone_before_it_was_registered_is_there() {
        let at = REGISTERED.as_millisecond();
        let told = |at| told(410, "Unregistered", Some(at), true);
        assert_eq!(told(at - 1), "refused Message");
        assert_eq!(told(at), "refused Device");
        assert_eq!(told(at + 1), "refused Device");
    }

    #[test]
    fn a_wrong_environment_takes_no_devices_away() {
        assert_eq!(told(400, "BadDeviceToken", None, false), "refused Message");
    }
}
