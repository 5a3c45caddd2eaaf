//! Owns what relays do seldom: resets, stale connections, stripped encryption, refused logins, stalls in the body.

use std::path::Path;
use std::time::Duration;

use drumbeat::channels::Gateway as _;
use drumbeat::channels::smtp::{Smtp, Timeouts};
use drumbeat::domain::gateway::{SmtpGateway, SmtpSecurity};
use drumbeat::domain::message::{Message, Rendered, RenderedEmail};

use super::{Marks, email, mail_to, message, plain, said, secretive, smtp};
use crate::rig::smtp_script::{Act, Script, SmtpScript, kind};

async fn send(gateway: &Smtp, message: &Message) -> (String, usize) {
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

const ACCEPTED: &str = "accepted | 250 2.0.0 Ok: queued as SCRIPT";

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
    let text =
        "sixty-four bytes of text, again and again, until the pipe is full\n".repeat(200_000);
    let big = Rendered::Email(RenderedEmail {
        text: Some(text),
        ..email()
    });
    let (outcome, marks) = send(&gateway, &message(1, "ana@example.test", big)).await;
    assert_eq!(
        outcome,
        "deferred Gateway | message body: no answer within 0.5 s"
    );
    assert_eq!(marks, 0);
}

fn secured(port: u16, security: SmtpSecurity) -> SmtpGateway {
    SmtpGateway {
        security,
        username: Some(secretive("drum")),
        password: Some(secretive("b\u{e9}at")),
        ..plain(port)
    }
}

#[tokio::test]
async fn mail_never_goes_in_the_clear_when_starttls_is_not_offered() {
    let server = SmtpScript::start(|_, _, line| kind(line)).await;
    let gateway = smtp(
        &secured(server.port, SmtpSecurity::Starttls),
        Timeouts::default(),
    );
    let (outcome, marks) = send(&gateway, &mail_to("ana@example.test")).await;
    assert_eq!(
        outcome,
        "deferred Gateway | STARTTLS: the server does not offer STARTTLS, which `security: starttls` requires"
    );
    assert_eq!(marks, 0);
    assert!(
        server
            .heard()
            .iter()
            .all(|line| line == "CONNECT" || line.starts_with("EHLO"))
    );
}

#[tokio::test]
async fn words_sent_along_with_starttls_end_the_conversation() {
    let server = SmtpScript::start(|_, _, line| match line {
        "STARTTLS" => Act::Say("220 go\r\n250 injected\r\n"),
        _ if line.starts_with("EHLO") => Act::Say("250-script.test\r\n250 STARTTLS\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(
        &secured(server.port, SmtpSecurity::Starttls),
        Timeouts::default(),
    );
    let (outcome, _) = send(&gateway, &mail_to("ana@example.test")).await;
    assert!(
        outcome.starts_with("deferred Gateway | STARTTLS: "),
        "{outcome}"
    );
}

#[tokio::test]
async fn a_refused_login_is_the_gateways_fault_and_never_a_mails() {
    let server = SmtpScript::start(|_, _, line| match line {
        _ if line.starts_with("EHLO") => Act::Say("250-a\r\n250 AUTH LOGIN PLAIN\r\n"),
        _ if line.starts_with("AUTH") => Act::Say("535 5.7.8 wrong password\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(
        &secured(server.port, SmtpSecurity::None),
        Timeouts::default(),
    );
    let (outcome, _) = send(&gateway, &mail_to("ana@example.test")).await;
    assert_eq!(outcome, "deferred Gateway | AUTH: 535 5.7.8 wrong password");
    assert_eq!(server.count("AUTH PLAIN AGRydW0AYsOpYXQ="), 1);
}

#[tokio::test]
async fn a_server_that_knows_only_login_is_logged_in_to() {
    let server = SmtpScript::start(|_, _, line| match line {
        "AUTH LOGIN" => Act::Say("334 VXNlcm5hbWU6\r\n"),
        "ZHJ1bQ==" => Act::Say("334 UGFzc3dvcmQ6\r\n"),
        "YsOpYXQ=" => Act::Say("235 2.7.0 welcome\r\n"),
        _ if line.starts_with("EHLO") => Act::Say("250-a\r\n250 AUTH LOGIN\r\n"),
        _ => kind(line),
    })
    .await;
    let gateway = smtp(
        &secured(server.port, SmtpSecurity::None),
        Timeouts::default(),
    );
    let (outcome, _) = send(&gateway, &mail_to("ana@example.test")).await;
    assert_eq!(outcome, ACCEPTED);
    assert_eq!(server.count("YsOpYXQ="), 1);
}

#[test]
fn a_gateway_that_cannot_work_is_refused_when_it_is_opened() {
    use drumbeat::channels::registry;
    use drumbeat::domain::{channel::Channel, gateway::Gateway};
    let opened = |gateway: SmtpGateway| {
        let config = super::config(Channel::Email, Gateway::Smtp(gateway));
        super::with_setup(&config, Path::new("/nowhere"), |setup| {
            registry::open(setup).err().unwrap().to_string()
        })
    };
    let mut bad_port = plain(25);
    bad_port.port = secretive("smtp");
    assert_eq!(
        opened(bad_port),
        "channel `email`: `gateway.smtp.port`: `smtp` is not a port: write a number from 1 to 65535"
    );
    let mut half = plain(25);
    half.username = Some(secretive("drum"));
    assert_eq!(
        opened(half),
        "channel `email`: `gateway.smtp.password`: is missing beside `username`"
    );
    let mut no_file = secured(25, SmtpSecurity::Starttls);
    no_file.ca_file = Some(secretive("ca.pem"));
    let error = opened(no_file);
    assert!(
        error.contains("`gateway.smtp.ca-file`: `/nowhere/ca.pem` holds no PEM"),
        "{error}"
    );
}
