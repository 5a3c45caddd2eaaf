//! Owns what goes to Apple: a double that a client of others accepts, and each answer and fault of it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use drumbeat::channels::push::Apns;
use drumbeat::channels::{Devices as _, Gateway as _};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::device::{Device, DeviceAddress};
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::gateway::{ApnsGateway, Gateway};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::message::{Message, Rendered, RenderedPush};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Marks, config, dispatch, message, said, secretive, with_setup};
use crate::rig::counterpart;
use crate::rig::lines::Lines;
use crate::rig::port;
use crate::rig::postfix::{certificates, openssl};

/// `tests/counterparts/apns.py`, with its certificate and the key that it trusts.
struct Apple {
    folder: TempDir,
    lines: Lines,
    port: u16,
}

impl Apple {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        certificates(root);
        openssl(
            root,
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.p8",
        );
        openssl(root, "pkey -in key.p8 -pubout -out key.pem");
        let mut command = Command::new(counterpart::python("python.txt", "python"));
        command
            .arg("tests/counterparts/apns.py")
            .arg(port::free().to_string())
            .args(["server.pem", "server.key", "key.pem"].map(|name| root.join(name)));
        let (lines, port) = Lines::listening(command).await;
        Self {
            folder,
            lines,
            port,
        }
    }

    fn config(&self) -> ApnsGateway {
        let key = std::fs::read_to_string(self.folder.path().join("key.p8")).unwrap();
        ApnsGateway {
            team: secretive("ABCDE12345"),
            key_id: secretive("FGHIJ67890"),
            key: secretive(&key),
            topic: secretive("example.bank.app"),
            production: None,
            base_url: Some(secretive(&format!("https://localhost:{}", self.port))),
            ca_file: Some(secretive("ca.pem")),
        }
    }

    fn opened(&self) -> Apns {
        opened(self.folder.path(), &self.config())
    }
}

fn opened(workspace: &Path, apns: &ApnsGateway) -> Apns {
    let config = config(Channel::Push, Gateway::Apns(apns.clone()));
    let limit = Duration::from_secs(2);
    with_setup(&config, workspace, |setup| {
        Apns::open_within(setup, apns, limit).unwrap()
    })
}

const PHONE: &str = "00fc13adff785122";

fn token(begins: &str) -> String {
    format!("{begins:0<16}")
}

fn push(to: &str) -> Message {
    let push = RenderedPush {
        title: "Hi".to_owned(),
        body: "Ä card 💳".to_owned(),
        link: Some("https://bank.test/card".to_owned()),
    };
    message(4, to, Rendered::Push(push))
}

async fn send(gateway: &Apns, to: &str) -> Outcome {
    gateway.send(&push(to), &Marks::default()).await
}

#[tokio::test]
async fn a_client_of_others_accepts_the_apple_that_is_played() {
    let apple = Apple::start().await;
    let answer = tokio::process::Command::new("node")
        .arg("tests/counterparts/apns_client.js")
        .arg(apple.port.to_string())
        .args(["ca.pem", "key.p8"].map(|name| apple.folder.path().join(name)))
        .env("NODE_PATH", counterpart::node().join("node_modules"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .kill_on_drop(true)
        .output();
    let answer = answer.await.unwrap();
    let words = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{words}");
    let told = String::from_utf8(answer.stdout).unwrap();
    let told: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let no = |sent: &str, status: u16, reason: &str| json!({ "sent": sent, "status": status, "reason": reason });
    let expected = [
        json!({ "sent": "token", "status": 200, "device": "00fc13ad" }),
        no("gone", 410, "Unregistered"),
        no("bad", 400, "BadDeviceToken"),
        no("busy", 429, "TooManyRequests"),
        no("topic", 400, "TopicDisallowed"),
        no("long", 413, "PayloadTooLarge"),
        no("empty", 400, "PayloadEmpty"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_push_is_a_request_as_apple_wants_it_over_one_connection() {
    let apple = Apple::start().await;
    let gateway = apple.opened();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let outcome = send(&gateway, PHONE).await;
        let Outcome::Accepted { gateway_id, .. } = outcome else {
            panic!("{outcome:?}");
        };
        ids.push(gateway_id.unwrap());
    }
    assert_eq!(ids[0], ids[1], "a second try has the same id");
    let taken = apple.lines.said("taken", 2).await;
    let taken = &taken[1];
    assert_eq!(taken["id"], json!(ids[1]));
    assert_eq!(taken["token"], PHONE);
    let id = dispatch(4).to_string();
    assert_eq!(taken["collapse"], json!(id));
    let body = json!({
        "aps": { "alert": { "title": "Hi", "body": "Ä card 💳" } },
        "dispatch": id,
        "link": "https://bank.test/card",
    });
    assert_eq!(taken["body"], body);
    assert_eq!(apple.lines.so_far("connected").len(), 1);
}

#[rstest]
#[case("dead", "refused Device | HTTP 410: ")]
#[case("bad", "refused Device | HTTP 400: ")]
#[case("429", "deferred Throttled | HTTP 429: ")]
#[case("503", "deferred Throttled | HTTP 503: ")]
#[case::silent("0f1", "uncertain | ")]
#[case::not_processed("0f2", "deferred Gateway | ")]
#[case::reset("0f3", "uncertain | ")]
#[case::left_before("0f4", "deferred Gateway | ")]
#[case::broken("0f5", "uncertain | ")]
#[case::left_with_it("0f6", "uncertain | ")]
#[tokio::test]
async fn each_answer_and_each_fault_has_its_outcome(#[case] begins: &str, #[case] expected: &str) {
    let apple = Apple::start().await;
    let gateway = apple.opened();
    assert!(said(&send(&gateway, PHONE).await).starts_with("accepted"));
    let marks = Marks::default();
    let outcome = gateway.send(&push(&token(begins)), &marks).await;
    assert!(said(&outcome).starts_with(expected), "{outcome:?}");
    assert_eq!(marks.count(), 1);
    // Whatever became of it, the next one goes.
    let next = send(&gateway, PHONE).await;
    assert!(said(&next).starts_with("accepted"), "{next:?}");
}

#[tokio::test]
async fn an_app_that_was_registered_after_apple_saw_it_gone_stays() {
    let apple = Apple::start().await;
    let device = Device {
        customer: CustomerId(1),
        number: 1,
        address: DeviceAddress::Apns(token("1dead")),
        app: None,
        registered_at: "2026-01-09T10:30:05Z".parse().unwrap(),
    };
    let outcome = apple
        .opened()
        .push(&push(&token("1dead")), &device, &Marks::default())
        .await;
    assert!(said(&outcome).starts_with("refused Message"), "{outcome:?}");
}

#[tokio::test]
async fn before_apple_took_anything_an_unknown_token_may_be_of_the_other_environment() {
    let apple = Apple::start().await;
    let outcome = send(&apple.opened(), &token("bad")).await;
    assert!(said(&outcome).starts_with("refused Message"), "{outcome:?}");
}

#[tokio::test]
async fn who_is_not_trusted_waits_and_nothing_is_lost() {
    let apple = Apple::start().await;
    let root = apple.folder.path();
    let mut other = apple.config();
    other.team = secretive("ZZZZZ12345");
    let mut topic = apple.config();
    topic.topic = secretive("example.shop.app");
    let mut unknown = apple.config();
    unknown.ca_file = None;
    for (config, words) in [
        (other, "InvalidProviderToken"),
        (topic, "TopicDisallowed"),
        (unknown, "certificate"),
    ] {
        let outcome = send(&opened(root, &config), PHONE).await;
        let told = said(&outcome);
        assert!(told.starts_with("deferred Gateway"), "{told}");
        assert!(told.contains(words), "{told}");
    }
}
