//! Owns how the gateway `smpp` is read from a channel's file: what is written, what stands unless set, what is refused.

use std::fs;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{
    Gateway, LongMessages, MessageIdForm, Secretive, SmppAlphabet, SmppEncoding, SmppGateway,
    SmppNumber, SmppSecurity,
};
use drumbeat::workspace::{self, Checked};

fn checked(file: &str) -> Checked {
    let folder = tempfile::TempDir::new().unwrap();
    fs::create_dir(folder.path().join("channels")).unwrap();
    fs::write(folder.path().join("drumbeat.yaml"), "workspace: texts\n").unwrap();
    fs::write(folder.path().join("channels/texts.yaml"), file).unwrap();
    workspace::check(&workspace::load(folder.path()).unwrap())
}

fn gateway(file: &str) -> (SmppGateway, u32) {
    let checked = checked(file);
    let revision = checked
        .revision
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let config = &revision.channels[&Channel::Sms];
    match &config.gateway {
        Gateway::Smpp(smpp) => ((**smpp).clone(), config.connections),
        other => panic!("{other:?}"),
    }
}

fn secretive(text: &str) -> Secretive {
    Secretive(text.to_owned())
}

#[test]
fn what_is_not_written_is_as_usual() {
    let (found, sessions) = gateway(
        "channel: sms\ngateway: { smpp: { host: centre.test, system-id: drum, password: '${SMPP}' } }\n",
    );
    let expected = SmppGateway {
        host: secretive("centre.test"),
        port: secretive("2775"),
        tls: SmppSecurity::None,
        ca_file: None,
        system_id: secretive("drum"),
        password: secretive("${SMPP}"),
        system_type: None,
        window: 10,
        enquire_link: Delay::seconds(30),
        response_timeout: Delay::seconds(60),
        source: None,
        destination: SmppNumber { ton: 1, npi: 1 },
        service_type: None,
        long_messages: LongMessages::Udh,
        encoding: SmppEncoding {
            default_alphabet: SmppAlphabet::Gsm7,
            default_coding: 0,
            ucs2_coding: 8,
        },
        receipts: true,
        message_id: MessageIdForm::AsGiven,
        validity_period: None,
    };
    assert_eq!((found, sessions), (expected, 1));
}

#[test]
fn what_the_documentation_shows_is_read() {
    let page = fs::read_to_string("docs/gateways.md").unwrap();
    let block = page
        .split("```yaml\n")
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains("smpp:"))
        .expect("the page shows the gateway");
    let (found, sessions) = gateway(block);
    assert_eq!(
        (found.source, sessions),
        (Some(SmppNumber { ton: 5, npi: 0 }), 1)
    );
    assert_eq!(found.validity_period, Some(Delay::days(2)));
}

#[test]
fn what_no_centre_could_take_is_refused_with_its_place() {
    let with = |more: &str| {
        let file = format!(
            "channel: sms\ngateway:\n  smpp:\n    host: a\n    system-id: b\n    password: '${{C}}'\n    {more}\n"
        );
        let found = checked(&file).diagnostics;
        let said = found.iter().map(|d| format!("{}:{}", d.line, d.message));
        said.collect::<Vec<_>>().join(" | ")
    };
    for (more, expected) in [
        ("window: 0", "window"),
        ("bind: transmitter", "transmitter"),
        ("long-messages: long", "long-messages"),
        ("message-id: octal", "message-id"),
        ("source: { ton: 300, npi: 0 }", "ton"),
        ("encoding: { default-alphabet: ebcdic }", "ebcdic"),
        ("enquire-link: 2h", "`enquire-link` goes from `1s` to `1h`"),
        (
            "validity-period: 90d",
            "`validity-period` goes from `1s` to `63d`",
        ),
    ] {
        let said = with(more);
        assert!(
            said.starts_with("7:") && said.contains(expected),
            "{more}: {said}"
        );
    }
    let push = "channel: push\ngateway: { smpp: { host: a, system-id: b, password: '${C}' } }\n";
    let said = checked(push).diagnostics;
    assert_eq!(said[0].message, "the channel `push` cannot use `smpp`");
}
