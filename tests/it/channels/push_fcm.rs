//! Owns what goes to Firebase, and what its answers come to.

use std::path::Path;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use drumbeat::channels::{SharedGateway, registry};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::{DeferCause, Fault, Outcome};
use drumbeat::domain::gateway::{FcmGateway, Gateway};
use drumbeat::domain::message::{Message, Rendered, RenderedPush};
use serde_json::{Value, json};

use super::{Marks, config, dispatch, message, secretive, with_setup};
use crate::rig::http_script::{HttpScript, Reply, Request};

const GRANTED: Reply = (
    200,
    vec![],
    r#"{"access_token":"t0k","expires_in":3600,"token_type":"Bearer"}"#,
);
const GONE: &str = r#"{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":
    "type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}"#;

fn firebase(request: &Request) -> Reply {
    let (path, body) = (request.uri.path(), request.body.as_str());
    match path {
        "/token" => GRANTED,
        _ if body.contains("dead") => (404, vec![], GONE),
        _ if body.contains("stale") => (401, vec![], "{}"),
        _ if body.contains("busy") => (429, vec![("retry-after", "3")], "{}"),
        _ => (200, vec![], r#"{"name":"projects/bank/messages/1"}"#),
    }
}

fn pem() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let text = BASE64_STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn opened(port: u16) -> SharedGateway {
    let base = format!("http://127.0.0.1:{port}");
    let account = json!({
        "type": "service_account",
        "client_email": "sender@bank.test",
        "private_key_id": "k1",
        "private_key": pem(),
        "token_uri": format!("{base}/token"),
    });
    let fcm = FcmGateway {
        project: secretive("bank"),
        service_account: secretive(&account.to_string()),
        base_url: Some(secretive(&base)),
    };
    let config = config(Channel::Push, Gateway::Fcm(fcm));
    with_setup(&config, Path::new("/"), registry::open).unwrap()
}

fn push(to: &str) -> Message {
    let push = RenderedPush {
        title: "Hi & hello".to_owned(),
        body: "Your card".to_owned(),
        link: Some("https://bank.test/card".to_owned()),
    };
    message(4, to, Rendered::Push(push))
}

async fn send(gateway: &SharedGateway, to: &str) -> Outcome {
    gateway.send(&push(to), &Marks::default()).await
}

#[tokio::test]
async fn a_push_becomes_a_request_with_a_token_that_is_asked_for_once() {
    let server = HttpScript::start(firebase).await;
    let gateway = opened(server.port);
    for _ in 0..2 {
        let outcome = send(&gateway, "device-token").await;
        let Outcome::Accepted { gateway_id, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(gateway_id.as_deref(), Some("projects/bank/messages/1"));
    }
    let heard = server.heard();
    let paths: Vec<&str> = heard.iter().map(|request| request.uri.path()).collect();
    let path = "/v1/projects/bank/messages:send";
    assert_eq!(paths, ["/token", path, path]);
    assert_eq!(heard[1].headers["authorization"], "Bearer t0k");
    let said: Value = serde_json::from_str(&heard[1].body).unwrap();
    let (said, id) = (&said["message"], dispatch(4).to_string());
    assert_eq!(said["token"], "device-token");
    let notification = json!({ "title": "Hi & hello", "body": "Your card" });
    assert_eq!(said["notification"], notification);
    let data = json!({ "dispatch": id, "link": "https://bank.test/card" });
    assert_eq!(said["data"], data);
    assert_eq!(said["android"]["collapseKey"], json!(id));
    // The message is older than any channel would try it for.
    assert_eq!(said["android"]["ttl"], "0s");
}

#[tokio::test]
async fn the_assertion_names_the_account_and_what_it_asks_for() {
    let server = HttpScript::start(firebase).await;
    send(&opened(server.port), "device-token").await;
    let body = server.heard()[0].body.clone();
    assert!(body.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&"));
    let assertion = body.split("assertion=").nth(1).unwrap();
    let parts: Vec<Value> = assertion.split('.').take(2).map(read).collect();
    assert_eq!(
        parts[0],
        json!({ "typ": "JWT", "alg": "RS256", "kid": "k1" })
    );
    assert_eq!(parts[1]["iss"], "sender@bank.test");
    assert_eq!(parts[1]["aud"], "https://oauth2.googleapis.com/token");
    let scope = "https://www.googleapis.com/auth/firebase.messaging";
    assert_eq!(parts[1]["scope"], scope);
}

fn read(part: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_device_that_firebase_does_not_know_is_gone() {
    let server = HttpScript::start(firebase).await;
    let outcome = send(&opened(server.port), "dead").await;
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
async fn a_token_that_was_refused_is_asked_for_anew() {
    let server = HttpScript::start(firebase).await;
    let gateway = opened(server.port);
    let outcome = send(&gateway, "stale").await;
    let is_away = matches!(
        outcome,
        Outcome::Deferred {
            cause: DeferCause::Gateway,
            ..
        }
    );
    assert!(is_away, "{outcome:?}");
    send(&gateway, "device-token").await;
    let heard = server.heard();
    let asked = heard
        .iter()
        .filter(|one| one.uri.path() == "/token")
        .count();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn a_busy_firebase_is_left_alone_for_ten_seconds_at_least() {
    let server = HttpScript::start(firebase).await;
    let outcome = send(&opened(server.port), "busy").await;
    let Outcome::Deferred {
        retry_after,
        cause: DeferCause::Throttled,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(retry_after.unwrap().as_secs(), 10);
}

#[tokio::test]
async fn without_an_access_token_nothing_is_handed_over() {
    let server = HttpScript::start(|_| (400, vec![], r#"{"error":"invalid_grant"}"#)).await;
    let marks = Marks::default();
    let outcome = opened(server.port)
        .send(&push("device-token"), &marks)
        .await;
    let is_away = matches!(
        outcome,
        Outcome::Deferred {
            cause: DeferCause::Gateway,
            ..
        }
    );
    assert!(is_away, "{outcome:?}");
    assert_eq!(marks.count(), 0);
}
