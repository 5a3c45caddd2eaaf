//! Owns what goes to browsers: a push service of others decrypts it, and proves who sent it.

use std::path::Path;
use std::process::Stdio;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use drumbeat::channels::{SharedGateway, registry};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::{Fault, Outcome};
use drumbeat::domain::gateway::{Gateway, WebpushGateway};
use drumbeat::domain::message::{Message, Rendered, RenderedPush};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{Marks, config, dispatch, message, said, secretive, with_setup};
use crate::rig::lines::Lines;
use crate::rig::{counterpart, port};

/// web-push-testing, which ends when this is dropped.
struct PushService {
    port: u16,
    _child: Child,
}

impl PushService {
    async fn start() -> Self {
        let port = port::free();
        let folder = counterpart::node().join("node_modules/web-push-testing/src");
        let script = format!(
            "const Server = require('./server.js'); const {{PushApiModel}} = require('./PushApiModel.js'); \
             new Server(new PushApiModel(), {port}).startServer();"
        );
        let child = Command::new("node")
            .args(["-e", &script])
            .current_dir(folder)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        port::open(port).await;
        Self {
            port,
            _child: child,
        }
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        let answer = reqwest::Client::new().post(url).json(&body).send().await;
        let text = answer.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A browser that lets whoever has this key push to it.
    async fn subscribe(&self, key: &str) -> Value {
        let wish = json!({ "userVisibleOnly": "true", "applicationServerKey": key });
        self.ask("subscribe", wish).await["data"].clone()
    }

    async fn messages(&self, browser: &Value) -> Vec<String> {
        let asked = json!({ "clientHash": browser["clientHash"] });
        let answer = self.ask("get-notifications", asked).await;
        let messages = answer["data"]["messages"].as_array().unwrap().iter();
        messages
            .map(|one| one.as_str().unwrap().to_owned())
            .collect()
    }
}

/// A private key as it is configured, and its point as browsers get it.
pub(super) fn keys() -> (String, String) {
    let key = PrivateKey::generate(&ECDH_P256).unwrap();
    let number: EcPrivateKeyBin<'_> = key.as_be_bytes().unwrap();
    let point = key.compute_public_key().unwrap();
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    (text(number.as_ref()), text(point.as_ref()))
}

fn opened(key: &str, networks: &[&str]) -> SharedGateway {
    let webpush = WebpushGateway {
        subject: secretive("mailto:push@bank.test"),
        key: secretive(key),
        urgency: None,
        allow_networks: networks.iter().map(|text| (*text).to_owned()).collect(),
    };
    let config = config(Channel::Push, Gateway::Webpush(webpush));
    with_setup(&config, Path::new("/"), registry::open).unwrap()
}

pub(super) fn push(to: &str, body: &str) -> Message {
    let push = RenderedPush {
        title: "Hi".to_owned(),
        body: body.to_owned(),
        link: None,
    };
    message(4, to, Rendered::Push(push))
}

pub(super) const HERE: [&str; 2] = ["127.0.0.0/8", "::1/128"];

#[tokio::test]
async fn a_browser_reads_what_was_sent_to_it_until_it_is_gone() {
    let service = PushService::start().await;
    let (private, public) = keys();
    let browser = service.subscribe(&public).await;
    let gateway = opened(&private, &HERE);
    let message = push(&browser.to_string(), "Ä card 💳");
    let outcome = gateway.send(&message, &Marks::default()).await;
    assert!(said(&outcome).starts_with("accepted"), "{outcome:?}");
    let read = service.messages(&browser).await;
    let read: Value = serde_json::from_str(&read[0]).unwrap();
    let id = dispatch(4).to_string();
    let sent = json!({ "id": id, "title": "Hi", "body": "Ä card 💳", "link": null });
    assert_eq!(read, sent);
    let hash = browser["clientHash"].as_str().unwrap();
    let path = format!("expire-subscription/{hash}");
    service.ask(&path, json!({})).await;
    let outcome = gateway.send(&message, &Marks::default()).await;
    let is_gone = matches!(
        outcome,
        Outcome::Refused {
            fault: Fault::Device,
            ..
        }
    );
    assert!(is_gone, "{outcome:?}");
}

#[tokio::test]
async fn who_has_another_key_is_refused_and_the_browser_stays() {
    let service = PushService::start().await;
    let browser = service.subscribe(&keys().1).await;
    let message = push(&browser.to_string(), "Your card");
    let outcome = opened(&keys().0, &HERE)
        .send(&message, &Marks::default())
        .await;
    let is_refused = matches!(
        outcome,
        Outcome::Refused {
            fault: Fault::Message,
            ..
        }
    );
    assert!(is_refused, "{outcome:?}");
    assert_eq!(service.messages(&browser).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_endpoint_of_ones_own_network_is_not_asked() {
    let service = PushService::start().await;
    let (private, public) = keys();
    let browser = service.subscribe(&public).await;
    let marks = Marks::default();
    let message = push(&browser.to_string(), "Your card");
    let outcome = opened(&private, &[]).send(&message, &marks).await;
    let is_refused = matches!(
        outcome,
        Outcome::Refused {
            fault: Fault::Message,
            ..
        }
    );
    assert!(is_refused, "{outcome:?}");
    assert_eq!(marks.count(), 0);
    assert_eq!(service.messages(&browser).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_push_services_do_not_take_is_refused_before_it_is_sent() {
    let service = PushService::start().await;
    let (private, public) = keys();
    let browser = service.subscribe(&public).await;
    let marks = Marks::default();
    let message = push(&browser.to_string(), &"a".repeat(4000));
    let outcome = opened(&private, &HERE).send(&message, &marks).await;
    let told = said(&outcome);
    assert!(told.contains("push services take 3993"), "{told}");
    assert_eq!(marks.count(), 0);
}

#[tokio::test]
async fn what_others_encrypt_and_what_we_do_is_read_alike() {
    let mut command = std::process::Command::new(counterpart::python("python.txt", "python"));
    command
        .arg("tests/counterparts/webpush.py")
        .arg(port::free().to_string());
    let (service, _) = Lines::listening(command).await;
    let browser = service.so_far("listening")[0]["subscription"].to_string();
    service.ask(&json!({ "send": "by others" }));
    let theirs = service.said("sent", 1).await;
    assert_eq!(theirs[0]["status"], 201);
    let message = push(&browser, "Ä card 💳");
    let outcome = opened(&keys().0, &HERE)
        .send(&message, &Marks::default())
        .await;
    assert!(said(&outcome).starts_with("accepted"), "{outcome:?}");
    let taken = service.said("taken", 2).await;
    assert_eq!(taken[0]["text"], "by others");
    let read: Value = serde_json::from_str(taken[1]["text"].as_str().unwrap()).unwrap();
    assert_eq!(read["body"], "Ä card 💳");
    assert_eq!(taken[1]["sub"], "mailto:push@bank.test");
    assert_eq!(taken[1]["urgency"], "normal");
    assert_eq!(taken[1]["topic"].as_str().unwrap().len(), 32);
}
