//! Owns what a busy or a narrow domain does to mail for it, and for others.

use drumbeat::channels::Gateway as _;
use drumbeat::channels::smtp::Timeouts;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::gateway::DomainLimit;

use super::smtp_script::{ACCEPTED, send};
use super::{Marks, mail_to, plain, smtp};
use crate::rig::smtp_script::{Act, SmtpScript, kind};

#[tokio::test]
async fn a_domain_that_is_busy_is_left_alone_and_others_are_not() {
    let server = SmtpScript::start(|_, _, line| match line {
        "RCPT TO:<ana@busy.test>" => Act::Leave("421 4.7.0 busy.test is busy\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (first, _) = send(&gateway, &mail_to("ana@busy.test")).await;
    assert_eq!(
        first,
        "deferred Throttled | RCPT TO: 421 4.7.0 busy.test is busy"
    );
    let marks = Marks::default();
    let second = gateway.send(&mail_to("ben@BUSY.test"), &marks).await;
    let Outcome::Deferred {
        retry_after: Some(wait),
        detail,
        ..
    } = second
    else {
        panic!("{second:?}");
    };
    assert_eq!(detail, "busy.test: it asked to be left alone for a while");
    assert!((20..=30).contains(&wait.as_secs()), "{wait:?}");
    let (other, _) = send(&gateway, &mail_to("ana@example.test")).await;
    assert_eq!(other, ACCEPTED);
    assert_eq!(server.count("RCPT TO:<ben@BUSY.test>"), 0);
}

#[tokio::test]
async fn a_domain_gets_no_more_mail_at_once_than_it_is_to_get() {
    let server = SmtpScript::start(|_, _, line| match line {
        "." => Act::Hang,
        _ => kind(line),
    })
    .await;
    let mut relay = plain(server.port);
    let one = DomainLimit {
        connections: Some(1),
        pace: None,
    };
    relay.domains.insert("example.test".to_owned(), one);
    let gateway = smtp(&relay, Timeouts::default());
    let (ana, ben, marks) = (
        mail_to("ana@example.test"),
        mail_to("ben@example.test"),
        Marks::default(),
    );
    tokio::select! {
        biased;
        outcome = gateway.send(&ana, &marks) => panic!("{outcome:?}"),
        (outcome, _) = send(&gateway, &ben) => {
            assert_eq!(outcome, "deferred Throttled | example.test: all its connections are in use");
        }
    }
    assert_eq!(server.count("CONNECT"), 1);
}
