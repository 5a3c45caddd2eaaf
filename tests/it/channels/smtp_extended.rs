//! Owns what servers do that take mail in chunks and tell what became of it, and what refuses us over and over.

use std::path::Path;
use std::time::Duration;

use drumbeat::channels::smtp::{Smtp, Timeouts};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{Gateway, Returns};
use drumbeat::domain::message::{Message, Rendered, RenderedEmail};
use drumbeat::domain::return_path::{ReturnAddress, ReturnKey, ReturnPath, Returned};

use super::smtp_script::{ACCEPTED, send};
use super::{config, dispatch, email, mail_to, message, plain, secretive, smtp, with_setup};
use crate::rig::postfix::Postfix;
use crate::rig::smtp_script::{Act, Script, SmtpScript, kind};

const ABLE: Act = Act::Say("250-script.test\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 DSN\r\n");

fn able(line: &str) -> Act {
    if line.starts_with("EHLO") {
        ABLE
    } else {
        kind(line)
    }
}

fn seal() -> ReturnKey {
    ReturnKey::derived_from(b"a secret of at least 32 characters")
}

fn returning(port: u16) -> Smtp {
    let relay = plain(port);
    let mut config = config(Channel::Email, Gateway::Smtp(relay.clone()));
    config.email.returns = Some(Returns {
        address: secretive("bounces@news.lakeside.test"),
        lmtp: None,
        maildir: None,
    });
    with_setup(&config, Path::new("/"), |setup| {
        let seal = seal();
        let setup = drumbeat::channels::setup::Setup {
            config: setup.config,
            workspace: setup.workspace,
            reveal: setup.reveal,
            returns: Some(&seal),
        };
        Smtp::open_within(&setup, &relay, Timeouts::default()).unwrap()
    })
}

fn commands(server: &SmtpScript) -> Vec<String> {
    let heard = server.heard().into_iter();
    heard
        .filter(|line| line != "CONNECT" && !line.starts_with("EHLO"))
        .collect()
}

#[tokio::test]
async fn a_mail_goes_as_one_chunk_and_names_its_dispatch_in_the_envelope() {
    let server = SmtpScript::start(|_, _, line| able(line)).await;
    let gateway = returning(server.port);
    let (outcome, marks) = send(&gateway, &mail_to("ana+a@example.test")).await;
    assert_eq!((outcome.as_str(), marks), (ACCEPTED, 1));
    let heard = commands(&server);
    let id = dispatch(1);
    let address = ReturnAddress::new("bounces@news.lakeside.test").unwrap();
    let path = ReturnPath::new(address, seal());
    assert_eq!(
        heard[0],
        format!("MAIL FROM:<{}> RET=HDRS ENVID={id}", path.of(id))
    );
    assert_eq!(
        heard[1],
        "RCPT TO:<ana+a@example.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ana+2Ba@example.test"
    );
    assert!(heard[2].starts_with("BDAT "), "{heard:?}");
    assert_eq!(heard[3], ".");
    assert_eq!(heard.len(), 4);
}

#[tokio::test]
async fn a_server_that_tells_nothing_of_failures_is_not_asked_to() {
    let server = SmtpScript::start(|_, _, line| kind(line)).await;
    let (outcome, _) = send(&returning(server.port), &mail_to("ana@example.test")).await;
    assert_eq!(outcome, ACCEPTED);
    let heard = commands(&server);
    assert!(heard[0].starts_with("MAIL FROM:<bounces+"), "{heard:?}");
    assert!(heard[0].ends_with("@news.lakeside.test>"), "{heard:?}");
    assert_eq!(heard[1], "RCPT TO:<ana@example.test>");
}

const ENDS: [(Script, &str, usize); 6] = [
    (
        |_, _, line| match line {
            "." => Act::Reset,
            _ => able(line),
        },
        "uncertain | final dot: ",
        1,
    ),
    (
        |_, _, line| match line {
            "." => Act::Hang,
            _ => able(line),
        },
        "uncertain | final dot: no answer within 1 s",
        1,
    ),
    (
        |_, _, line| match line {
            "." => Act::Say("452 4.3.1 disk full\r\n"),
            _ => able(line),
        },
        "deferred Message | final dot: 452 4.3.1 disk full",
        1,
    ),
    (
        |_, _, line| match line {
            "." => Act::Say("550 5.7.26 not aligned\r\n"),
            _ => able(line),
        },
        "refused Policy | final dot: 550 5.7.26 not aligned",
        1,
    ),
    (
        |_, _, line| match line {
            _ if line.starts_with("RCPT") => Act::Say("550 5.1.1 nobody\r\n"),
            _ => able(line),
        },
        "refused Address | RCPT TO: 550 5.1.1 nobody",
        0,
    ),
    (
        |_, _, line| match line {
            _ if line.starts_with("MAIL") => Act::Say("550 5.7.1 not you\r\n"),
            _ => able(line),
        },
        "refused Policy | MAIL FROM: 550 5.7.1 not you",
        0,
    ),
];

#[tokio::test]
async fn each_end_of_a_chunk_has_its_outcome_and_whether_it_was_marked() {
    let timeouts = Timeouts {
        dot: Duration::from_secs(1),
        ..Timeouts::default()
    };
    for (script, expected, marked) in ENDS {
        let server = SmtpScript::start(script).await;
        let gateway = smtp(&plain(server.port), timeouts);
        let (outcome, marks) = send(&gateway, &mail_to("ana@example.test")).await;
        assert!(outcome.starts_with(expected), "{outcome}");
        assert_eq!(marks, marked, "{expected}");
    }
}

#[tokio::test]
async fn a_refused_address_keeps_the_connection_of_a_server_that_takes_chunks() {
    let server = SmtpScript::start(|_, _, line| match line {
        "RCPT TO:<ana@example.test>" => Act::Say("550 5.1.1 nobody\r\n"),
        _ => able(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (first, _) = send(&gateway, &mail_to("ana@example.test")).await;
    let (second, _) = send(&gateway, &mail_to("ben@example.test")).await;
    assert_eq!(first, "refused Address | RCPT TO: 550 5.1.1 nobody");
    assert_eq!(second, ACCEPTED);
    assert_eq!((server.count("CONNECT"), server.count("RSET")), (1, 1));
}

#[tokio::test]
async fn a_server_that_stops_reading_a_chunk_is_left_before_the_mark() {
    let server = SmtpScript::start(|_, _, line| match line {
        _ if line.starts_with("BDAT") => Act::Hang,
        _ => able(line),
    })
    .await;
    let timeouts = Timeouts {
        block: Duration::from_millis(500),
        ..Timeouts::default()
    };
    let gateway = smtp(&plain(server.port), timeouts);
    let line = "sixty-four bytes of text, again and again, until the pipe is full\n";
    let email = RenderedEmail {
        text: Some(line.repeat(200_000)),
        ..email()
    };
    let big: Message = message(1, "ana@example.test", Rendered::Email(email));
    let (outcome, marks) = send(&gateway, &big).await;
    let expected = "deferred Gateway | message body: no answer within 0.5 s";
    assert_eq!((outcome.as_str(), marks), (expected, 0));
}

#[tokio::test]
async fn one_recipients_policy_stops_no_channel_and_ten_in_a_row_do() {
    let server = SmtpScript::start(|_, _, line| match line {
        "RCPT TO:<ana@example.test>" => Act::Say("550 5.7.1 no mail from outside\r\n"),
        _ => able(line),
    })
    .await;
    let gateway = smtp(&plain(server.port), Timeouts::default());
    let (ana, ben) = (mail_to("ana@example.test"), mail_to("ben@example.test"));
    for _ in 0..9 {
        let (outcome, _) = send(&gateway, &ana).await;
        assert!(outcome.starts_with("refused Message"), "{outcome}");
    }
    assert_eq!(send(&gateway, &ben).await.0, ACCEPTED);
    for _ in 0..9 {
        let (outcome, _) = send(&gateway, &ana).await;
        assert!(outcome.starts_with("refused Message"), "{outcome}");
    }
    let (outcome, _) = send(&gateway, &ana).await;
    assert_eq!(
        outcome,
        "refused Policy | RCPT TO: 550 5.7.1 no mail from outside"
    );
}

#[tokio::test]
async fn postfix_keeps_the_return_path_that_names_the_dispatch() {
    let postfix = Postfix::start().await;
    let gateway = returning(postfix.port);
    let (outcome, _) = send(&gateway, &mail_to("ana@ok.test")).await;
    assert!(outcome.starts_with("accepted"), "{outcome}");
    let mail = postfix.received("ana").await;
    let path = mail
        .lines()
        .find_map(|line| line.strip_prefix("Return-Path: <"));
    let address = ReturnAddress::new("bounces@news.lakeside.test").unwrap();
    let read = ReturnPath::new(address, seal()).read(path.unwrap().trim_end_matches('>'));
    assert_eq!(read, Returned::Of(dispatch(1)));
    assert!(mail.contains("From: \"Lakeside Credit Union\" <hello@lakeside.test>"));
    assert!(
        mail.contains("\n.a line that begins with a dot\n"),
        "{mail}"
    );
}
