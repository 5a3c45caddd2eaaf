//! Owns reading a mail that came back: what it says, and which addresses within it may name the message.

use super::mime::Mail;
use super::slip::Said;
use super::{arf, dsn, notice};
use crate::domain::news::Passed;

/// So much of a mail is read; a report stands before the mail that it reports of.
pub(super) const LONGEST: usize = 1 << 20;

/// What a mail says, and of which message it may say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) said: Said,
    /// Whom the mail that is reported of was sent by, as the report has it: perhaps our return path.
    pub(super) senders: Vec<String>,
}

/// Reads a mail, of whatever bytes. `is_from_nobody`: its envelope sender is `<>`; unknown, it is looked for
/// in `Return-Path`.
pub(super) fn read(bytes: &[u8], is_from_nobody: Option<bool>) -> Reading {
    let mail = Mail::read(&bytes[..bytes.len().min(LONGEST)]);
    let returned = mail.returned();
    let returned = returned
        .as_ref()
        .and_then(|fields| fields.get("return-path"));
    let mut senders: Vec<String> = returned.map(bare).into_iter().collect();
    let status = mail.part(&["message/delivery-status", "message/global-delivery-status"]);
    if let Some(status) = status {
        let said = dsn::read(&status.content());
        let said = said.unwrap_or(Said::Passed(Passed::Unreadable));
        return Reading { said, senders };
    }
    if let Some(report) = mail.part(&["message/feedback-report"]) {
        let Some(feedback) = arf::read(&report.content()) else {
            let said = Said::Passed(Passed::Unreadable);
            return Reading { said, senders };
        };
        senders.extend(feedback.sender.as_deref().map(bare));
        return Reading {
            said: feedback.said,
            senders,
        };
    }
    if mail.part(&["message/disposition-notification"]).is_some() {
        let said = Said::Passed(Passed::Automatic);
        return Reading { said, senders };
    }
    let is_from_nobody = is_from_nobody
        .unwrap_or_else(|| mail.fields.get("return-path").map(bare).as_deref() == Some(""));
    Reading {
        said: notice::read(&mail, is_from_nobody),
        senders,
    }
}

/// An address without its brackets.
pub(super) fn bare(address: &str) -> String {
    let address = address.trim();
    let inner = address
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'));
    inner.map_or(address, |(inner, _)| inner).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::news::{Bounce, Fate};
    use proptest::prelude::*;

    fn report(kind: &str, body: &str) -> String {
        format!(
            "Return-Path: <>\r\nSubject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\n\
             Content-Type: multipart/report; report-type={kind}; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nfor people\r\n\
             --b\r\nContent-Type: message/{kind}\r\n\r\n{body}\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
             Return-Path: <bounces+1@x.test>\r\nMessage-ID: <1@x.test>\r\n\r\n--b--\r\n"
        )
    }

    #[test]
    fn a_report_is_read_although_its_mail_is_automatic() {
        let mail = report(
            "delivery-status",
            "Reporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        );
        let reading = read(mail.as_bytes(), None);
        assert_eq!(reading.senders, ["bounces+1@x.test"]);
        let Said::Slip(slip) = reading.said else {
            panic!("nothing is said");
        };
        assert_eq!(
            (slip.fate, slip.detail.as_str()),
            (Fate::Bounced(Bounce::Hard), "5.1.1")
        );
    }

    #[test]
    fn feedback_names_the_senders_that_it_knows() {
        let body = "Feedback-Type: abuse\r\nOriginal-Mail-From: <bounces+2@x.test>\r\n";
        let mail = report("feedback-report", body);
        let senders = read(mail.as_bytes(), None).senders;
        assert_eq!(senders, ["bounces+1@x.test", "bounces+2@x.test"]);
    }

    #[test]
    fn a_report_that_says_nothing_is_unreadable() {
        for kind in ["delivery-status", "feedback-report"] {
            let reading = read(report(kind, "nonsense").as_bytes(), None);
            assert_eq!(reading.said, Said::Passed(Passed::Unreadable), "{kind}");
        }
        let read_receipt = report("disposition-notification", "Disposition: x\r\n");
        let reading = read(read_receipt.as_bytes(), None);
        assert_eq!(reading.said, Said::Passed(Passed::Automatic));
    }

    #[test]
    fn only_the_beginning_of_an_endless_mail_is_read() {
        let mut mail = vec![b'x'; LONGEST];
        mail.extend_from_slice(report("delivery-status", "Action: failed\r\n").as_bytes());
        assert_eq!(read(&mail, Some(false)).said, Said::Passed(Passed::Letter));
    }

    /// What mails are made of, and what is not.
    fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let known = [
            "Content-Type: multipart/report; boundary=b\r\n",
            "Content-Type: multipart/report; boundary*0=\"b",
            "Content-Type: message/delivery-status\n",
            "Content-Type: message/feedback-report\n",
            "Content-Type: message/rfc822\n",
            "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\r\n",
            "\r\n",
            "\n",
            "--b\r\n",
            "--b--\r\n",
            "Action: failed\r\n",
            "Action:\r\n",
            "Status: 5.",
            "Status: 9999999.1.1\n",
            "Diagnostic-Code: smtp; 550 5.1.1\r\n\t",
            "Last-Attempt-Date: Mon, 99 Foo 0000 99:99:99 +9999\n",
            "Feedback-Type: abuse\n",
            "Return-Path: <",
            "Subject: =?utf-8?B?",
            "=?=\u{e9}é",
        ];
        let known = known.map(|text| text.as_bytes().to_vec()).to_vec();
        let piece = prop_oneof![
            3 => prop::sample::select(known),
            1 => prop::collection::vec(any::<u8>(), 0..40),
        ];
        prop::collection::vec(piece, 0..40)
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(pieces in pieces(), nobody: Option<bool>) {
            let reading = read(&pieces.concat(), nobody);
            if let Said::Slip(slip) = reading.said {
                prop_assert!(slip.detail.chars().count() <= 500);
                prop_assert!(!slip.detail.chars().any(char::is_control));
            }
        }
    }
}
