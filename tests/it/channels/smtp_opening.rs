//! Owns what happens before a relay takes mail: encryption that is missing, logins, silence, bad configuration.

use std::path::Path;
use std::time::Duration;

use drumbeat::channels::smtp::Timeouts;
use drumbeat::domain::gateway::{SmtpGateway, SmtpSecurity};

use super::smtp_script::{ACCEPTED, send};
use super::{mail_to, plain, secretive, smtp};
use crate::rig::smtp_script::{Act, Script, SmtpScript, kind};

fn secured(port: u16, security: SmtpSecurity) -> SmtpGateway {
    SmtpGateway {
        security,
        username: Some(secretive("drum")),
        password: Some(secretive("b\u{e9}at")),
        ..plain(port)
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_before_mail_is_left() {
    let short = Duration::from_millis(800);
    let timeouts = Timeouts {
        tls: short,
        command: short,
        ..Timeouts::default()
    };
    let silent: [(Script, SmtpSecurity, &str); 3] = [
        (
            |_, _, line| match line {
                "STARTTLS" => Act::Hang,
                _ if line.starts_with("EHLO") => Act::Say("250-a\r\n250 STARTTLS\r\n"),
                _ => kind(line),
            },
            SmtpSecurity::Starttls,
            "STARTTLS",
        ),
        (|_, _, _| Act::Hang, SmtpSecurity::Tls, "TLS"),
        (
            |_, _, line| match line {
                _ if line.starts_with("AUTH") => Act::Hang,
                _ if line.starts_with("EHLO") => Act::Say("250-a\r\n250 AUTH PLAIN\r\n"),
                _ => kind(line),
            },
            SmtpSecurity::None,
            "AUTH",
        ),
    ];
    for (script, security, stage) in silent {
        let server = SmtpScript::start(script).await;
        let gateway = smtp(&secured(server.port, security), timeouts);
        let (outcome, marks) = send(&gateway, &mail_to("ana@example.test")).await;
        let expected = format!("deferred Gateway | {stage}: no answer within 0.8 s");
        assert_eq!((outcome, marks), (expected, 0));
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
