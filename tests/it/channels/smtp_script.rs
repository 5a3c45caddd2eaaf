//! Owns what relays do seldom once they take mail: resets, stale connections, refusals, stalls in the body.

use std::time::Duration;

use drumbeat::channels::Gateway as _;
use drumbeat::channels::smtp::{Smtp, Timeouts};
use drumbeat::domain::message::{Message, Rendered, RenderedEmail};

use super::{Marks, email, mail_to, message, plain, said, smtp};
use crate::rig::smtp_script::{Act, Script, SmtpScript, kind};

pub(super) async fn send(gateway: &Smtp, message: &Message) -> (String, usize) {
    let marks = Marks::default();
    let outcome = gateway.send(message, &marks).await;
    (said(&outcome), marks.count())
}

async fn sent_over(script: Script) -> (String, usize) {
    let server = SmtpScript::start(script).await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    send(&gateway, &mail_to("ana@example.test")).await
}

/// The outcomes of two mails, one after the other, and how many connections they took.
async fn two_over(script: Script) -> (String, String, usize) {
    let server = SmtpScript::start(script).await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (first, _) = send(&gateway, &mail_to("ana@example.test")).await;
    let (second, _) = send(&gateway, &mail_to("ben@example.test")).await;
    (first, second, server.count("CONNECT"))
}

pub(super) const ACCEPTED: &str = "accepted | 250 2.0.0 Ok: queued as SCRIPT";

#[tokio::test]
async fn a_reset_after_the_final_dot_is_uncertain() {
    let (outcome, marks) = sent_over(|_, _, line| match line {
        "." => Act::Reset,
        _ => kind(line),
    })
    .await;
    assert!(outcome.starts_with("uncertain | final dot: "), "{outcome}");
    assert_eq!(marks, 1);
}

#[tokio::test]
async fn nonsense_in_reply_to_the_final_dot_is_uncertain() {
    let nonsense: [Script; 2] = [
        |_, _, line| match line {
            "." => Act::Say("what?\r\n"),
            _ => kind(line),
        },
        |_, _, line| match line {
            "." => Act::Say("354 go on\r\n"),
            _ => kind(line),
        },
    ];
    for script in nonsense {
        let (outcome, _) = sent_over(script).await;
        assert!(outcome.starts_with("uncertain | final dot: "), "{outcome}");
    }
}

#[tokio::test]
async fn the_relays_own_number_is_kept() {
    let server = SmtpScript::start(|_, _, line| kind(line)).await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let marks = Marks::default();
    let outcome = gateway.send(&mail_to("ana@example.test"), &marks).await;
    let drumbeat::domain::dispatch::Outcome::Accepted { gateway_id, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(gateway_id.as_deref(), Some("SCRIPT"));
}

#[tokio::test]
async fn a_connection_that_died_between_two_mails_is_replaced_in_silence() {
    let after_one: [Script; 3] = [
        // Closed right after the first mail, as Yahoo does at its limit.
        |_, _, line| match line {
            "." => Act::Leave("250 2.0.0 Ok: queued as SCRIPT\r\n"),
            _ => kind(line),
        },
        |connection, mails, line| match line {
            _ if connection == 1 && mails == 1 => Act::Leave("421 4.7.0 too many mails\r\n"),
            _ => kind(line),
        },
        |connection, mails, line| match line {
            _ if connection == 1 && mails == 1 => Act::Reset,
            _ => kind(line),
        },
    ];
    for script in after_one {
        let (first, second, connections) = two_over(script).await;
        assert_eq!((first.as_str(), second.as_str()), (ACCEPTED, ACCEPTED));
        assert_eq!(connections, 2);
    }
}

#[tokio::test]
async fn a_relay_that_keeps_saying_421_is_asked_twice_and_no_more() {
    let (first, second, connections) = two_over(|connection, mails, line| {
        if line.starts_with("MAIL") && (connection > 1 || mails == 1) {
            Act::Leave("421 4.7.0 enough for today\r\n")
        } else {
            kind(line)
        }
    })
    .await;
    assert_eq!(first, ACCEPTED);
    assert_eq!(
        second,
        "deferred Throttled | MAIL FROM: 421 4.7.0 enough for today"
    );
    assert_eq!(connections, 2);
}

#[tokio::test]
async fn a_refused_address_leaves_the_connection_fit_for_the_next_mail() {
    let server = SmtpScript::start(|_, _, line| match line {
        "RCPT TO:<ana@example.test>" => Act::Say("550 5.1.1 nobody\r\n"),
        _ if line.starts_with("EHLO") => Act::Say("250 script.test\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (first, _) = send(&gateway, &mail_to("ana@example.test")).await;
    let (second, _) = send(&gateway, &mail_to("ben@example.test")).await;
    assert_eq!(first, "refused Address | RCPT TO: 550 5.1.1 nobody");
    assert_eq!(second, ACCEPTED);
    let heard = server.heard();
    let commands: Vec<_> = heard
        .iter()
        .filter(|line| !line.starts_with("EHLO"))
        .collect();
    assert_eq!(
        commands,
        [
            "CONNECT",
            "MAIL FROM:<hello@lakeside.test>",
            "RCPT TO:<ana@example.test>",
            "RSET",
            "MAIL FROM:<hello@lakeside.test>",
            "RCPT TO:<ben@example.test>",
            "DATA",
            ".",
        ]
    );
}

#[tokio::test]
async fn a_body_is_never_sent_when_its_address_was_refused() {
    let server = SmtpScript::start(|_, _, line| match line {
        "RCPT TO:<ana@example.test>" => Act::Say("550 5.1.1 nobody\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (first, marks) = send(&gateway, &mail_to("ana@example.test")).await;
    let (second, _) = send(&gateway, &mail_to("ben@example.test")).await;
    assert_eq!(first, "refused Address | RCPT TO: 550 5.1.1 nobody");
    assert_eq!((second.as_str(), marks), (ACCEPTED, 0));
    assert_eq!((server.count("."), server.count("CONNECT")), (1, 2));
}

#[tokio::test]
async fn a_dropped_send_never_leaves_its_connection_behind() {
    let server = SmtpScript::start(|connection, _, line| match line {
        "." if connection == 1 => Act::Hang,
        _ => kind(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let marks = Marks::default();
    let ana = mail_to("ana@example.test");
    let reached_the_dot =
        crate::rig::port::eventually("the final dot", || (server.count(".") == 1).then_some(()));
    tokio::select! {
        outcome = gateway.send(&ana, &marks) => panic!("{outcome:?}"),
        () = reached_the_dot => {}
    }
    assert_eq!(marks.count(), 1);
    let (second, _) = send(&gateway, &mail_to("ben@example.test")).await;
    assert_eq!(second, ACCEPTED);
    assert_eq!(server.count("CONNECT"), 2);
}

#[tokio::test]
async fn a_rested_connection_is_closed_with_quit() {
    let server = SmtpScript::start(|_, _, line| kind(line)).await;
    let timeouts = Timeouts {
        idle: Duration::from_millis(20),
        ..Timeouts::default()
    };
    let gateway = smtp(&plain(server.port), timeouts);
    let (outcome, _) = send(&gateway, &mail_to("ana@example.test")).await;
    assert_eq!(outcome, ACCEPTED);
    crate::rig::port::eventually("QUIT", || (server.count("QUIT") == 1).then_some(())).await;
}

#[tokio::test]
async fn a_relay_that_stops_reading_in_the_body_is_left_before_the_mark() {
    let server = SmtpScript::start(|_, _, line| match line {
        "DATA" => Act::Stall("354 go on\r\n"),
        _ => kind(line),
    })
    .await;
    let timeouts = Timeouts {
        block: Duration::from_millis(500),
        ..Timeouts::default()
    };
    let gateway = smtp(&plain(server.port), timeouts);
    let (outcome, marks) = send(&gateway, &big()).await;
    assert_eq!(
        outcome,
        "deferred Gateway | message body: no answer within 0.5 s"
    );
    assert_eq!(marks, 0);
}

fn big() -> Message {
    let line = "sixty-four bytes of text, again and again, until the pipe is full\n";
    let email = RenderedEmail {
        text: Some(line.repeat(200_000)),
        ..email()
    };
    message(1, "ana@example.test", Rendered::Email(email))
}

#[tokio::test]
async fn a_relay_that_closes_in_the_body_is_heard_out() {
    let server = SmtpScript::start(|_, _, line| match line {
        "DATA" => Act::Leave("354 go on\r\n552 5.3.4 too big\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (outcome, marks) = send(&gateway, &big()).await;
    assert_eq!(outcome, "refused Message | message body: 552 5.3.4 too big");
    assert_eq!(marks, 0);
}

#[tokio::test]
async fn a_connection_is_left_politely_after_a_thousand_mails() {
    let server = SmtpScript::start(|_, _, line| kind(line)).await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    for _ in 0..1001 {
        let (outcome, _) = send(&gateway, &mail_to("ana@example.test")).await;
        assert_eq!(outcome, ACCEPTED);
    }
    crate::rig::port::eventually("QUIT", || (server.count("QUIT") == 1).then_some(())).await;
    assert_eq!((server.count("CONNECT"), server.count(".")), (2, 1001));
}
