//! Owns what a message centre gets from the SMPP gateway: who binds, addresses, alphabets, long texts, leave-taking.

use std::path::Path;
use std::time::Duration;

use drumbeat::channels::smpp::{Smpp, Timeouts};
use drumbeat::channels::{Gateway as _, HandOver, Recalled};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{
    Gateway, LongMessages, MessageIdForm, SmppAlphabet, SmppEncoding, SmppGateway, SmppNumber,
    SmppSecurity,
};
use drumbeat::domain::message::{Message, Rendered, RenderedSms};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Marks, config, message, said, secretive, with_setup};
use crate::rig::postfix::certificates;
use crate::rig::smsc::{Smsc, answering};

pub(super) fn centre(port: u16) -> SmppGateway {
    SmppGateway {
        host: secretive("127.0.0.1"),
        port: secretive(&port.to_string()),
        tls: SmppSecurity::None,
        ca_file: None,
        system_id: secretive("drum"),
        password: secretive("s3cret"),
        system_type: Some(secretive("bank")),
        window: 10,
        enquire_link: Delay::seconds(30),
        response_timeout: Delay::seconds(30),
        source: None,
        destination: SmppNumber::E164,
        service_type: None,
        long_messages: LongMessages::Udh,
        encoding: SmppEncoding::default(),
        receipts: true,
        message_id: MessageIdForm::AsGiven,
        validity_period: None,
    }
}

/// Everything that the file does not say is short.
pub(super) fn quick() -> Timeouts {
    Timeouts {
        unbind: Duration::from_millis(200),
        first_rest: Duration::from_millis(20),
        longest_rest: Duration::from_millis(100),
        pause: Duration::from_millis(50),
        parts: Duration::from_secs(1),
        ..Timeouts::default()
    }
}

/// With so many sessions, and timeouts of one's own.
pub(super) fn open_within(
    gateway: &SmppGateway,
    from: &str,
    sessions: u32,
    timeouts: Timeouts,
) -> Smpp {
    let mut config = config(Channel::Sms, Gateway::Smpp(Box::new(gateway.clone())));
    config.from = Some(secretive(from));
    config.connections = sessions;
    with_setup(&config, Path::new("/"), |setup| {
        Smpp::open_within(setup, gateway, timeouts).unwrap()
    })
}

fn open_from(gateway: &SmppGateway, from: &str) -> Smpp {
    open_within(gateway, from, 2, quick())
}

pub(super) fn open(gateway: &SmppGateway) -> Smpp {
    open_from(gateway, "Lakeside")
}

pub(super) fn sms(text: &str) -> Message {
    let text = text.to_owned();
    message(1, "+15550100", Rendered::Sms(RenderedSms { text }))
}

/// The outcome in words, and how often the message was marked.
pub(super) async fn send(gateway: &Smpp, text: &str) -> (String, usize) {
    let marks = Marks::default();
    let outcome = gateway.send(&sms(text), &marks).await;
    (said(&outcome), marks.count())
}

fn texts(submits: &[Value]) -> Vec<&str> {
    let texts = submits.iter().map(|submit| submit["text"].as_str());
    texts.map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_message_arrives_with_its_addresses_and_its_alphabet() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let (outcome, marks) = send(&gateway, "Año nuevo: 10 € [oferta]").await;
    assert_eq!(outcome, "accepted | submit_sm: ESME_ROK, id m-1");
    assert_eq!(marks, 1);
    let bind = &smsc.so_far("bind").await[0];
    assert_eq!(
        (
            &bind["system_id"],
            &bind["password"],
            &bind["system_type"],
            &bind["version"]
        ),
        (
            &json!("drum"),
            &json!("s3cret"),
            &json!("bank"),
            &json!(0x34)
        )
    );
    let submit = &smsc.so_far("submit").await[0];
    let expected = json!({
        "from": "Lakeside", "from_ton": 5, "from_npi": 0, "to": "15550100", "to_ton": 1, "to_npi": 1,
        "service_type": "", "esm_class": 0, "data_coding": 0, "registered_delivery": 1,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&submit[key], value, "{key}");
    }
    assert_eq!(submit["text"], "Año nuevo: 10 € [oferta]");
}

#[tokio::test]
async fn the_sender_is_told_from_its_form_and_can_be_said() {
    let smsc = Smsc::start(&json!({})).await;
    let own = SmppGateway {
        source: Some(SmppNumber { ton: 3, npi: 9 }),
        service_type: Some("CMT".to_owned()),
        receipts: false,
        ..centre(smsc.port)
    };
    for (gateway, from, expected) in [
        (
            &centre(smsc.port),
            "+15550177",
            json!(["15550177", 1, 1, "", 1]),
        ),
        (&centre(smsc.port), "777", json!(["777", 0, 0, "", 1])),
        (&own, "777", json!(["777", 3, 9, "CMT", 0])),
    ] {
        send(&open_from(gateway, from), "Hi").await;
        let submits = smsc.so_far("submit").await;
        let submit = submits.last().unwrap();
        let keys = [
            "from",
            "from_ton",
            "from_npi",
            "service_type",
            "registered_delivery",
        ];
        let found: Vec<Value> = keys.iter().map(|key| submit[key].clone()).collect();
        assert_eq!(json!(found), expected);
    }
}

#[tokio::test]
async fn a_long_text_goes_in_parts_that_a_phone_puts_together() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let (outcome, marks) = send(&gateway, &"a".repeat(200)).await;
    assert_eq!(
        outcome,
        "accepted | submit_sm: ESME_ROK, 2 parts, ids m-1 m-2"
    );
    assert_eq!(marks, 1);
    let submits = smsc.so_far("submit").await;
    assert_eq!(texts(&submits), ["a".repeat(153), "a".repeat(47)]);
    let headers: Vec<&str> = submits
        .iter()
        .map(|s| s["udh"][0].as_str().unwrap())
        .collect();
    let reference = headers[0].get(4..6).unwrap();
    let expected = [
        format!("0003{reference}0201"),
        format!("0003{reference}0202"),
    ];
    assert_eq!(headers, expected);
    assert!(submits.iter().all(|submit| submit["esm_class"] == 0x40));

    // The same message again has the same reference: a phone knows a part that it has.
    send(&gateway, &"a".repeat(200)).await;
    assert_eq!(smsc.so_far("submit").await[2]["udh"], submits[0]["udh"]);
}

#[tokio::test]
async fn characters_beyond_the_first_plane_are_never_cut_in_two() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let text = format!("x{}", "😀".repeat(40));
    send(&gateway, &text).await;
    let submits = smsc.so_far("submit").await;
    let expected = [format!("x{}", "😀".repeat(33)), "😀".repeat(7)];
    assert_eq!(texts(&submits), expected);
    assert!(submits.iter().all(|submit| submit["data_coding"] == 8));
}

#[tokio::test]
async fn a_long_text_can_go_whole_or_numbered_by_parameters() {
    let smsc = Smsc::start(&json!({})).await;
    let payload = SmppGateway {
        long_messages: LongMessages::Payload,
        ..centre(smsc.port)
    };
    let text = "Ωb€".repeat(100);
    let (outcome, _) = send(&open(&payload), &text).await;
    assert_eq!(outcome, "accepted | submit_sm: ESME_ROK, id m-1");
    let whole = &smsc.so_far("submit").await[0];
    assert_eq!(
        (&whole["payload"], &whole["text"]),
        (&json!(text), &json!(""))
    );

    let sar = SmppGateway {
        long_messages: LongMessages::Sar,
        ..centre(smsc.port)
    };
    send(&open(&sar), &"я".repeat(100)).await;
    let submits = smsc.so_far("submit").await;
    assert_eq!(texts(&submits[1..]), ["я".repeat(67), "я".repeat(33)]);
    let reference = &submits[1]["sar"][0];
    assert_eq!(submits[1]["sar"], json!([reference, 2, 1]));
    assert_eq!(submits[2]["sar"], json!([reference, 2, 2]));
    assert_eq!(submits[1]["esm_class"], 0);
}

#[tokio::test]
async fn a_centre_whose_alphabet_is_latin_1_gets_latin_1() {
    let smsc = Smsc::start(&json!({})).await;
    let latin = SmppGateway {
        encoding: SmppEncoding {
            default_alphabet: SmppAlphabet::Latin1,
            default_coding: 3,
            ucs2_coding: 8,
        },
        ..centre(smsc.port)
    };
    let gateway = open(&latin);
    for text in ["Año [x]", "10 €"] {
        send(&gateway, text).await;
    }
    let submits = smsc.so_far("submit").await;
    assert_eq!(texts(&submits), ["Año [x]", "10 €"]);
    let codings: Vec<&Value> = submits
        .iter()
        .map(|submit| &submit["data_coding"])
        .collect();
    assert_eq!(codings, [&json!(3), &json!(8)]);
}

#[tokio::test]
async fn many_messages_share_a_session_and_never_more_than_the_window_wait() {
    let smsc = Smsc::start(&answering(&["slow"])).await;
    let narrow = SmppGateway {
        window: 4,
        ..centre(smsc.port)
    };
    let gateway = open_within(&narrow, "777", 1, quick());
    let marks = Marks::default();
    let messages: Vec<Message> = (0..20).map(|n| sms(&format!("no. {n}"))).collect();
    let sends = messages.iter().map(|message| gateway.send(message, &marks));
    for outcome in join_all(sends).await {
        assert!(said(&outcome).starts_with("accepted"), "{outcome:?}");
    }
    assert_eq!((marks.count(), smsc.so_far("bind").await.len()), (20, 1));
    let submits = smsc.so_far("submit").await;
    let most = submits.iter().map(|submit| submit["waiting"].as_u64());
    assert_eq!(most.max().unwrap(), Some(4));
    let mut found: Vec<String> = texts(&submits)
        .iter()
        .map(|&text| text.to_owned())
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 20);
}

#[tokio::test]
async fn a_further_session_is_bound_when_the_window_is_full() {
    let smsc = Smsc::start(&answering(&["slow"])).await;
    let narrow = SmppGateway {
        window: 1,
        ..centre(smsc.port)
    };
    let gateway = open(&narrow);
    let (a, b) = (send(&gateway, "a"), send(&gateway, "b"));
    let (a, b) = tokio::join!(a, b);
    assert!(
        a.0.starts_with("accepted") && b.0.starts_with("accepted"),
        "{a:?} {b:?}"
    );
    let rest = join_all((0..6).map(|_| send(&gateway, "c"))).await;
    assert!(
        rest.iter()
            .all(|(outcome, _)| outcome.starts_with("accepted")),
        "{rest:?}"
    );
    assert_eq!(smsc.so_far("bind").await.len(), 2);
}

#[tokio::test]
async fn a_gateway_that_is_given_up_takes_leave() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    send(&gateway, "Hi").await;
    drop(gateway);
    smsc.said("unbind", 1).await;
    smsc.said("closed", 1).await;
}

#[tokio::test]
async fn a_message_that_is_recalled_is_not_handed_over() {
    struct Elsewhere;
    impl HandOver for Elsewhere {
        fn mark(&self) -> Result<(), Recalled> {
            Err(Recalled)
        }
    }
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let outcome = gateway.send(&sms(&"a".repeat(200)), &Elsewhere).await;
    assert!(
        said(&outcome).starts_with("deferred Throttled | recalled: "),
        "{outcome:?}"
    );
    let (outcome, _) = send(&gateway, "Hi").await;
    assert!(outcome.starts_with("accepted"), "{outcome}");
    assert_eq!(smsc.so_far("submit").await.len(), 1);
}

#[tokio::test]
async fn a_centre_behind_tls_is_reached_when_its_certificate_is_trusted() {
    let folder = tempfile::TempDir::new().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let tls = json!({ "key": file("server.key"), "cert": file("server.pem") });
    let smsc = Smsc::start(&json!({ "tls": tls })).await;
    let secured = SmppGateway {
        tls: SmppSecurity::Tls,
        ca_file: Some(secretive(&file("ca.pem"))),
        ..centre(smsc.port)
    };
    let (outcome, _) = send(&open(&secured), "Hi").await;
    assert_eq!(outcome, "accepted | submit_sm: ESME_ROK, id m-1");
    let stranger = SmppGateway {
        ca_file: None,
        ..secured
    };
    let (outcome, marks) = send(&open(&stranger), "Hi").await;
    assert!(
        outcome.starts_with("deferred Gateway | TLS: 127.0.0.1:"),
        "{outcome}"
    );
    assert_eq!((marks, smsc.so_far("submit").await.len()), (0, 1));
}

#[tokio::test]
async fn what_the_protocol_cannot_carry_is_refused() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let sms = |to: &str| {
        message(
            1,
            to,
            Rendered::Sms(RenderedSms {
                text: "Hi".to_owned(),
            }),
        )
    };
    for to in [
        "",
        "+",
        "ana@example.test",
        "123456789012345678901",
        "+1 555",
    ] {
        let marks = Marks::default();
        let outcome = said(&gateway.send(&sms(to), &marks).await);
        assert!(
            outcome.starts_with("refused Message | `"),
            "{to}: {outcome}"
        );
        assert_eq!(marks.count(), 0);
    }
    let opened = |gateway: SmppGateway, from: &str| {
        let mut config = config(Channel::Sms, Gateway::Smpp(Box::new(gateway)));
        config.from = Some(secretive(from));
        with_setup(&config, Path::new("/"), |setup| {
            let opened = drumbeat::channels::registry::open(setup);
            opened.err().unwrap().to_string()
        })
    };
    let long = SmppGateway {
        password: secretive("nine char"),
        ..centre(1)
    };
    assert_eq!(
        opened(long, "777"),
        "channel `sms`: `gateway.smpp.password`: must be at most 8 characters of ASCII"
    );
    assert_eq!(
        opened(centre(1), "Lakeside Union"),
        "channel `sms`: `from`: `Lakeside Union` is longer than the 11 characters that phones show"
    );
    let port = SmppGateway {
        port: secretive("0"),
        ..centre(1)
    };
    assert_eq!(
        opened(port, "777"),
        "channel `sms`: `gateway.smpp.port`: `0` is not a port: write a number from 1 to 65535"
    );
}
