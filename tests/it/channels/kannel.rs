//! Owns the proof that the documented channel file for Kannel reaches phones through a real Kannel.

use std::path::{Path, PathBuf};

use drumbeat::channels::setup::Setup;
use drumbeat::channels::{SharedGateway, registry};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::message::{Message, Rendered, RenderedSms};
use drumbeat::settings::Settings;
use drumbeat::workspace;
use serde_json::json;

use super::{Marks, message, said};
use crate::rig::kannel::Kannel;
use crate::rig::smsc::Smsc;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kannel")
}

/// The gateway of `examples/kannel`, with Kannel's address and this password.
fn documented(sendsms: u16, password: &str) -> SharedGateway {
    let checked = workspace::check(&workspace::load(&example()).unwrap());
    let revision = checked.revision.expect("the example is without errors");
    let settings = Settings::from_variables(
        [
            (
                "KANNEL_SENDSMS",
                format!("http://127.0.0.1:{sendsms}/cgi-bin/sendsms"),
            ),
            ("KANNEL_USER", "drumbeat".to_owned()),
            ("KANNEL_PASSWORD", password.to_owned()),
            ("KANNEL_CALLBACKS", "a-secret-of-some-length".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let folder = example();
    let setup = Setup {
        config: &revision.channels[&Channel::Sms],
        workspace: &folder,
        returns: None,
        reveal: &|text| Ok(settings.reveal(text)?),
    };
    registry::open(&setup).unwrap()
}

fn sms(text: &str) -> Message {
    let text = text.to_owned();
    message(1, "+15550100", Rendered::Sms(RenderedSms { text }))
}

#[tokio::test]
async fn the_documented_file_sends_through_a_real_kannel() {
    let smsc = Smsc::start(&json!({})).await;
    let kannel = Kannel::start(smsc.port).await;
    smsc.said("bind", 1).await;
    let gateway = documented(kannel.sendsms, "secret");
    let long = "Zwölf Boxkämpfer & Co. = 100 % + {1} € ".repeat(5);
    let texts = [
        "Año nuevo: 10 € [oferta] + 5 % & mucho",
        "Привет 😀, ¿qué tal?",
        &long,
    ];
    for text in texts {
        let marks = Marks::default();
        let outcome = said(&gateway.send(&sms(text), &marks).await);
        assert!(outcome.starts_with("accepted | HTTP 202"), "{outcome}");
        assert_eq!(marks.count(), 1);
    }
    let submits = smsc.said("submit", 4).await;
    let text = |at: usize| submits[at]["text"].as_str().unwrap();
    assert_eq!([text(0), text(1)], texts[..2]);
    assert_eq!([text(2), text(3)].concat(), long);
    assert_eq!(
        submits[2]["udh"][0].as_str().unwrap().get(6..),
        Some("0201")
    );
    let codings: Vec<u64> = submits
        .iter()
        .map(|s| s["data_coding"].as_u64().unwrap())
        .collect();
    assert_eq!(codings, [0, 8, 0, 0]);
    for submit in &submits {
        assert_eq!(
            (&submit["from"], &submit["to"]),
            (&json!("777"), &json!("15550100"))
        );
    }
}

#[tokio::test]
async fn a_kannel_that_does_not_let_us_in_is_the_gateways_fault() {
    let smsc = Smsc::start(&json!({})).await;
    let kannel = Kannel::start(smsc.port).await;
    let gateway = documented(kannel.sendsms, "wrong");
    let outcome = said(&gateway.send(&sms("Hi"), &Marks::default()).await);
    assert!(
        outcome.starts_with("deferred Gateway | HTTP 403"),
        "{outcome}"
    );
}
