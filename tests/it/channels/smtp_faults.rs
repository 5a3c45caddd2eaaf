//! Owns the table of what a relay can do at each stage, done by Postfix's `smtp-sink`, and what it comes to.

use std::time::Duration;

use drumbeat::channels::Gateway;
use drumbeat::channels::smtp::Timeouts;
use futures_util::future::join_all;

use super::{Marks, mail_to, plain, said, smtp};
use crate::rig::smtp_sink::SmtpSink;

/// smtp-sink's options, the outcome, and whether the mail was marked as about to be handed over.
type Row = (&'static [&'static str], &'static str, bool);

const ANSWERS: [Row; 29] = [
    (&[], "accepted | 250 2.0.0 Ok", true),
    (&["-p"], "accepted | 250 2.0.0 Ok", true),
    (&["-q", "CONNECT"], "deferred Gateway | greeting: ", false),
    (&["-q", "EHLO"], "deferred Gateway | EHLO: ", false),
    (&["-q", "MAIL"], "deferred Gateway | MAIL FROM: ", false),
    (&["-q", "RCPT"], "deferred Gateway | RCPT TO: ", false),
    (&["-q", "DATA"], "deferred Gateway | DATA: ", false),
    (&["-q", "."], "uncertain | final dot: ", true),
    (
        &["-Q", "CONNECT"],
        "deferred Gateway | greeting: 421 ",
        false,
    ),
    (&["-Q", "EHLO"], "deferred Gateway | EHLO: 421 ", false),
    (
        &["-Q", "MAIL"],
        "deferred Throttled | MAIL FROM: 421 ",
        false,
    ),
    (&["-Q", "RCPT"], "deferred Throttled | RCPT TO: 421 ", false),
    (&["-Q", "DATA"], "deferred Throttled | DATA: 421 ", false),
    (&["-Q", "."], "deferred Throttled | final dot: 421 ", true),
    (
        &["-r", "CONNECT"],
        "deferred Gateway | greeting: 450 ",
        false,
    ),
    (&["-r", "EHLO"], "deferred Gateway | EHLO: 450 ", false),
    (&["-r", "MAIL"], "deferred Message | MAIL FROM: 450 ", false),
    (&["-r", "RCPT"], "deferred Message | RCPT TO: 450 ", false),
    (&["-r", "DATA"], "deferred Message | DATA: 450 ", false),
    (&["-r", "."], "deferred Message | final dot: 450 ", true),
    (
        &["-f", "CONNECT"],
        "deferred Gateway | greeting: 500 ",
        false,
    ),
    (&["-f", "EHLO"], "deferred Gateway | EHLO: 500 ", false),
    (&["-f", "MAIL"], "refused Message | MAIL FROM: 500 ", false),
    (&["-f", "RCPT"], "refused Message | RCPT TO: 500 ", false),
    (&["-f", "DATA"], "refused Message | DATA: 500 ", false),
    (&["-f", "."], "refused Message | final dot: 500 ", true),
    (
        &["-f", "RCPT", "-B", "550 5.1.1 nobody"],
        "refused Address | RCPT TO: 550 5.1.1 nobody",
        false,
    ),
    (
        &["-r", "RCPT", "-b", "451 4.7.1 greylisted"],
        "deferred Throttled | RCPT TO: 451 4.7.1 greylisted",
        false,
    ),
    (
        &["-r", "RCPT", "-b", "452 4.2.2 full"],
        "deferred Message | RCPT TO: 452 4.2.2 full",
        false,
    ),
];

const SILENCES: [Row; 6] = [
    (
        &["-W", "CONNECT:60"],
        "deferred Gateway | greeting: no answer within 1 s",
        false,
    ),
    (
        &["-W", "EHLO:60"],
        "deferred Gateway | EHLO: no answer within 1 s",
        false,
    ),
    (
        // Without `-p` smtp-sink forgets the order of what it delays.
        &["-p", "-W", "MAIL:60"],
        "deferred Gateway | MAIL FROM: no answer within 1 s",
        false,
    ),
    (
        &["-p", "-W", "RCPT:60"],
        "deferred Gateway | RCPT TO: no answer within 1 s",
        false,
    ),
    (
        &["-p", "-W", "DATA:60"],
        "deferred Gateway | DATA: no answer within 1 s",
        false,
    ),
    (
        &["-W", ".:60"],
        "uncertain | final dot: no answer within 1 s",
        true,
    ),
];

async fn check(rows: &[Row], timeouts: Timeouts) {
    join_all(rows.iter().map(|row| check_one(row, timeouts))).await;
}

async fn check_one((faults, expected, marked): &Row, timeouts: Timeouts) {
    let sink = SmtpSink::start(faults).await;
    let gateway = smtp(&plain(sink.port), timeouts);
    let marks = Marks::default();
    let outcome = said(&gateway.send(&mail_to("ana@example.test"), &marks).await);
    assert!(outcome.starts_with(expected), "{faults:?}: {outcome}");
    assert_eq!(marks.count(), usize::from(*marked), "{faults:?}");
}

#[tokio::test]
async fn each_answer_of_a_relay_has_its_outcome() {
    check(&ANSWERS, Timeouts::default()).await;
}

#[tokio::test]
async fn a_relay_that_falls_silent_is_left_and_only_the_dot_is_uncertain() {
    let short = Duration::from_secs(1);
    let timeouts = Timeouts {
        command: short,
        data: short,
        dot: short,
        ..Timeouts::default()
    };
    check(&SILENCES, timeouts).await;
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_the_gateways_fault() {
    let gateway = smtp(&plain(crate::rig::port::free()), Timeouts::default());
    let marks = Marks::default();
    let outcome = said(&gateway.send(&mail_to("ana@example.test"), &marks).await);
    assert!(
        outcome.starts_with("deferred Gateway | connect: 127.0.0.1:"),
        "{outcome}"
    );
    assert_eq!(marks.count(), 0);
}

#[tokio::test]
async fn many_mails_share_few_connections_and_arrive_whole() {
    let sink = SmtpSink::start_keeping(&[]).await;
    let gateway = smtp(&plain(sink.port), Timeouts::default());
    let marks = Marks::default();
    let messages: Vec<_> = (0..40)
        .map(|n| mail_to(&format!("c{n}@example.test")))
        .collect();
    let sends = messages.iter().map(|message| gateway.send(message, &marks));
    for outcome in join_all(sends).await {
        assert!(said(&outcome).starts_with("accepted"), "{outcome:?}");
    }
    assert_eq!(marks.count(), 40);
    let mails = sink.mails();
    for n in 0..40 {
        let to = format!("To: c{n}@example.test");
        let mine: Vec<_> = mails.iter().filter(|mail| mail.contains(&to)).collect();
        assert_eq!(mine.len(), 1, "{to} in {mails:#?}");
        assert!(
            mine[0].contains("\n.a line that begins with a dot"),
            "{}",
            mine[0]
        );
    }
}
