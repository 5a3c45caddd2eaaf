//! Owns mails that come back, as servers and mailbox providers write them.

/// A delivery status notification (RFC 3464) about a mail to `ana@ok.test`.
pub(crate) fn bounce(action: &str, status: &str) -> String {
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@relay.test (Mail Delivery System)\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\
         \tboundary=\"AAA.1/relay.test\"\r\n\r\nThis is a MIME-encapsulated message.\r\n\r\n\
         --AAA.1/relay.test\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         .This is the mail system at host relay.test.\r\n\r\n--AAA.1/relay.test\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.test\r\n\r\n\
         Final-Recipient: rfc822; ana@ok.test\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; 550 {status} said so\r\n\r\n--AAA.1/relay.test--\r\n"
    )
}

/// A feedback report (RFC 5965) about a mail that `sender` sent.
pub(crate) fn feedback(kind: &str, sender: &str) -> String {
    format!(
        "From: fbl@provider.test\r\nSubject: FW: Hello\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n\
         --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\n\
         User-Agent: SomeFBL/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <{sender}>\r\n\
         Original-Rcpt-To: <ana@ok.test>\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         From: hello@bank.example\r\nSubject: Hello\r\n\r\nHello Ana\r\n--b--\r\n"
    )
}

/// What a person writes who answers to the address that bounces come back to.
pub(crate) const LETTER: &str = "From: ana@ok.test\r\nSubject: Re: Hello\r\n\r\nThank you!\r\n";

/// What a machine answers for a person.
pub(crate) const AWAY: &str =
    "From: ana@ok.test\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.\r\n";
