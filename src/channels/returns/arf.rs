//! Owns reading feedback reports (RFC 5965): what somebody's mail provider was told of a message of ours.

use super::fields::Fields;
use super::slip::{Said, Slip};
use crate::channels::detail::clean;
use crate::domain::news::{Fate, Passed};

/// What a feedback report says, and whom it says the mail was sent by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feedback {
    pub(super) said: Said,
    /// `Original-Mail-From`: our return path, if the provider kept it.
    pub(super) sender: Option<String>,
}

/// Reads the body of a `message/feedback-report`; none: it does not say what it reports.
///
/// Abuse and fraud are complaints, and so is the wish to be written to no more. That a message is no spam,
/// that it failed an authentication (RFC 6591), and all else says nothing of whether it is wanted.
pub(super) fn read(body: &[u8]) -> Option<Feedback> {
    let fields = Fields::groups(body).into_iter();
    let mut fields = fields.filter(|group| group.get("feedback-type").is_some());
    let fields = fields.next()?;
    let kind = fields.get("feedback-type")?.to_ascii_lowercase();
    let said = match kind.as_str() {
        "abuse" | "fraud" | "opt-out" | "opt-out-list" => Said::Slip(Slip {
            fate: Fate::Complained,
            // A provider says when the mail came in, not when somebody complained.
            at: None,
            detail: detail(&kind, &fields),
        }),
        _ => Said::Passed(Passed::Feedback),
    };
    let sender = fields.get("original-mail-from");
    Some(Feedback {
        said,
        sender: sender.map(str::to_owned),
    })
}

fn detail(kind: &str, fields: &Fields) -> String {
    let by = fields
        .get("user-agent")
        .or_else(|| fields.get("reporting-mta"));
    by.map_or_else(
        || kind.to_owned(),
        |by| clean(&format!("{kind}, reported by {by}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn report(kind: &str) -> String {
        format!(
            "Feedback-Type: {kind}\r\nUser-Agent: SomeFBL/1.0\r\nVersion: 1\r\n\
             Original-Mail-From: <bounces+00@news.bank.example>\r\n\
             Original-Rcpt-To: <ana@ok.test>\r\nArrival-Date: Mon, 12 Jan 2026 10:00:00 +0000\r\n"
        )
    }

    #[rstest]
    #[case("abuse")]
    #[case("Fraud")]
    #[case("opt-out")]
    #[case("opt-out-list")]
    fn who_reports_abuse_or_wants_out_complains(#[case] kind: &str) {
        let feedback = read(report(kind).as_bytes()).unwrap();
        let sender = feedback.sender.unwrap();
        assert_eq!(sender, "<bounces+00@news.bank.example>");
        let Said::Slip(slip) = feedback.said else {
            panic!("{kind} says nothing");
        };
        assert_eq!(slip.fate, Fate::Complained);
        let kind = kind.to_ascii_lowercase();
        assert_eq!(slip.detail, format!("{kind}, reported by SomeFBL/1.0"));
    }

    #[rstest]
    #[case("not-spam")]
    #[case("auth-failure")]
    #[case("virus")]
    #[case("other")]
    #[case("something-new")]
    fn other_feedback_says_nothing_of_the_address(#[case] kind: &str) {
        let feedback = read(report(kind).as_bytes()).unwrap();
        assert_eq!(feedback.said, Said::Passed(Passed::Feedback));
    }

    #[test]
    fn a_report_without_a_type_is_none() {
        assert_eq!(read(b"Version: 1\r\n"), None);
        assert_eq!(read(b""), None);
    }
}
