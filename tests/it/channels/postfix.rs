//! Owns the proof against a real mail server: a private Postfix that refuses, greylists, is full, and takes.

use drumbeat::channels::Gateway as _;
use drumbeat::channels::smtp::Timeouts;
use drumbeat::domain::gateway::{SmtpGateway, SmtpSecurity};
use drumbeat::domain::message::{Rendered, RenderedEmail};

use super::{Marks, dispatch, email, mail_to, message, plain, said, secretive, smtp};
use crate::rig::postfix::Postfix;

async fn sent(gateway: &SmtpGateway, to: &str) -> (String, usize) {
    let marks = Marks::default();
    let gateway = smtp(gateway, Timeouts::default());
    let outcome = gateway.send(&mail_to(to), &marks).await;
    (said(&outcome), marks.count())
}

fn trusted(postfix: &Postfix, port: u16, security: SmtpSecurity) -> SmtpGateway {
    SmtpGateway {
        host: secretive("localhost"),
        security,
        ca_file: Some(secretive(postfix.ca_file().to_str().unwrap())),
        ..plain(port)
    }
}

#[tokio::test]
async fn postfix_says_who_is_dead_who_must_wait_and_who_is_full() {
    let postfix = Postfix::start().await;
    let gateway = plain(postfix.port);
    for (to, expected) in [
        ("hard@ok.test", "refused Address | RCPT TO: 550 5.1.1 "),
        ("soft@ok.test", "deferred Throttled | RCPT TO: 451 4.7.1 "),
        ("full@ok.test", "deferred Message | RCPT TO: 452 4.2.2 "),
    ] {
        let (outcome, marks) = sent(&gateway, to).await;
        assert!(outcome.starts_with(expected), "{to}: {outcome}");
        assert_eq!(marks, 0, "{to}");
    }
}

#[tokio::test]
async fn a_mail_that_postfix_took_lies_in_the_mailbox_with_its_headers() {
    let postfix = Postfix::start().await;
    let rich = Rendered::Email(RenderedEmail {
        html: Some("<p>Hello Ana</p>".to_owned()),
        unsubscribe_url: Some("https://lakeside.test/u/abc".to_owned()),
        list_id: Some("onboarding".to_owned()),
        ..email()
    });
    let gateway = smtp(&plain(postfix.port), Timeouts::default());
    let marks = Marks::default();
    let outcome = gateway.send(&message(5, "ana@ok.test", rich), &marks).await;
    let drumbeat::domain::dispatch::Outcome::Accepted { gateway_id, .. } = &outcome else {
        panic!("{outcome:?}");
    };
    let mail = postfix.received("ana").await;
    let queue_id = gateway_id.as_deref().unwrap();
    assert!(
        mail.contains(&format!("id {queue_id}")),
        "{queue_id} in {mail}"
    );
    for header in [
        "Return-Path: <hello@lakeside.test>",
        "Date: Fri, 09 Jan 2026 10:30:05 +0000",
        &format!("Message-ID: <{}@lakeside.test>", dispatch(5)),
        "From: \"Lakeside Credit Union\" <hello@lakeside.test>",
        "To: ana@ok.test",
        "Subject: Welcome",
        "List-Unsubscribe: <https://lakeside.test/u/abc>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-ID: <onboarding.lakeside.test>",
        ".a line that begins with a dot",
    ] {
        assert!(
            mail.lines().any(|line| line == header),
            "{header} in {mail}"
        );
    }
}

#[tokio::test]
async fn mail_goes_encrypted_by_starttls_and_by_tls() {
    let postfix = Postfix::start().await;
    for (port, security, to) in [
        (postfix.port, SmtpSecurity::Starttls, "ana"),
        (postfix.tls_port, SmtpSecurity::Tls, "ben"),
    ] {
        let gateway = trusted(&postfix, port, security);
        let (outcome, marks) = sent(&gateway, &format!("{to}@ok.test")).await;
        assert!(
            outcome.starts_with("accepted | 250 2.0.0 Ok: ") && outcome.contains("queued as "),
            "{outcome}"
        );
        assert_eq!(marks, 1);
        let mail = postfix.received(to).await;
        assert!(mail.contains("ESMTPS"), "{mail}");
    }
}

#[tokio::test]
async fn a_server_with_an_unknown_certificate_gets_no_mail() {
    let postfix = Postfix::start().await;
    for (port, security) in [
        (postfix.port, SmtpSecurity::Starttls),
        (postfix.tls_port, SmtpSecurity::Tls),
    ] {
        let gateway = SmtpGateway {
            ca_file: None,
            ..trusted(&postfix, port, security)
        };
        let (outcome, marks) = sent(&gateway, "ana@ok.test").await;
        assert!(
            outcome.starts_with("deferred Gateway | TLS: localhost:"),
            "{outcome}"
        );
        assert_eq!(marks, 0);
    }
}
