//! Owns what others make of our webhooks: their own libraries verify them, and places that we may not reach are not.

use std::process::Stdio;

use drumbeat::channels::webhook::{Answer, Place, SigningKey};
use drumbeat::clock::{Clock, SystemClock};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::rig::counterpart;
use crate::rig::http_script::{HttpScript, Request};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FORMER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const BODY: &str =
    r#"{"type":"dispatch.accepted","timestamp":"2026-01-05T10:00:00Z","data":{"customer":"Ána"}}"#;

const PYTHON: &str = "\
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
asked = json.load(sys.stdin)
try:
    Webhook(asked['secret']).verify(asked['body'], asked['headers'])
    print('verified')
except WebhookVerificationError as error:
    print(f'refused: {error}')
";
const NODE: &str = "\
const { Webhook } = require('standardwebhooks');
let text = '';
process.stdin.on('data', (part) => { text += part; }).on('end', () => {
  const asked = JSON.parse(text);
  try {
    new Webhook(asked.secret).verify(asked.body, asked.headers);
    console.log('verified');
  } catch (error) { console.log(`refused: ${error.message}`); }
});
";

fn place(url: &str, secrets: &[&str], allowed: &[&str]) -> Place {
    let keys = secrets.iter().map(|secret| {
        let secret = SecretString::from(*secret);
        SigningKey::read(&secret).unwrap()
    });
    let allowed: Vec<_> = allowed.iter().map(|text| text.parse().unwrap()).collect();
    Place::open(url.to_owned(), keys.collect(), &allowed).unwrap()
}

async fn tell(place: &Place) -> Answer {
    let now = SystemClock.machine();
    place
        .tell("dispatch_1f_2_accepted", BODY.to_owned(), now)
        .await
}

fn question(request: &Request, secret: &str) -> Value {
    let header = |name: &str| request.headers[name].to_str().unwrap();
    json!({
        "secret": secret,
        "body": request.body,
        "headers": {
            "webhook-id": header("webhook-id"),
            "webhook-timestamp": header("webhook-timestamp"),
            "webhook-signature": header("webhook-signature"),
        },
    })
}

async fn asked(mut program: Command, question: &Value) -> String {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(question.to_string().as_bytes())
        .await
        .unwrap();
    drop(input);
    let limit = std::time::Duration::from_mins(1);
    let output = tokio::time::timeout(limit, child.wait_with_output());
    let output = output.await.expect("no answer in a minute").unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn python() -> Command {
    let mut program = Command::new(counterpart::python("python.txt", "python"));
    program.args(["-c", PYTHON]);
    program
}

fn node() -> Command {
    let mut program = Command::new("node");
    program.args(["-e", NODE]);
    program.env("NODE_PATH", counterpart::node().join("node_modules"));
    program
}

#[tokio::test]
async fn libraries_of_others_verify_our_signatures_with_either_secret_and_no_other() {
    let script = HttpScript::start(|_| (200, vec![], "")).await;
    let place = place(&script.url(), &[SECRET, FORMER], &["127.0.0.0/8"]);
    assert_eq!(tell(&place).await, Answer::Taken);
    let request = &script.heard()[0];
    assert_eq!(request.body, BODY);
    assert_eq!(request.headers["content-type"], "application/json");
    for secret in [SECRET, FORMER] {
        let question = question(request, secret);
        assert_eq!(asked(python(), &question).await, "verified");
        assert_eq!(asked(node(), &question).await, "verified");
    }
    let mut altered = question(request, SECRET);
    altered["body"] = json!(BODY.replace("Ána", "Eva"));
    for question in [question(request, OTHER), altered] {
        let (python, node) = (
            asked(python(), &question).await,
            asked(node(), &question).await,
        );
        assert!(python.starts_with("refused"), "{python}");
        assert!(node.starts_with("refused"), "{node}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = HttpScript::start(|_| (200, vec![], "")).await;
    let script =
        HttpScript::start(|_| (307, vec![("location", "http://127.0.0.1/send")], "")).await;
    let place = place(&script.url(), &[SECRET], &["127.0.0.0/8"]);
    let answer = tell(&place).await;
    let Answer::Failed { words, .. } = answer else {
        panic!("{answer:?}");
    };
    assert!(words.starts_with("HTTP 307"), "{words}");
    assert_eq!((script.heard().len(), elsewhere.heard().len()), (1, 0));
}

#[tokio::test]
async fn a_place_of_ones_own_house_is_not_told_unless_it_is_allowed() {
    let script = HttpScript::start(|_| (200, vec![], "")).await;
    let port = script.port;
    for (url, allowed) in [
        (format!("http://127.0.0.1:{port}/"), vec!["10.0.0.0/8"]),
        (format!("https://127.0.0.1:{port}/"), vec![]),
        (format!("https://localhost:{port}/"), vec![]),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), vec![]),
    ] {
        let answer = tell(&place(&url, &[SECRET], &allowed)).await;
        let Answer::Failed { words, .. } = answer else {
            panic!("{url}: {answer:?}");
        };
        assert!(words.contains("public address"), "{url}: {words}");
    }
    assert_eq!(script.heard().len(), 0);
}

#[tokio::test]
async fn of_a_long_answer_only_the_beginning_is_read() {
    let script = HttpScript::start(|_| (500, vec![], long())).await;
    let place = place(&script.url(), &[SECRET], &["127.0.0.0/8"]);
    let Answer::Failed { words, .. } = tell(&place).await else {
        panic!("taken");
    };
    assert!(words.starts_with("HTTP 500: no"), "{words}");
    assert!(words.len() <= 400, "{}", words.len());
}

/// Longer than what is read.
fn long() -> &'static str {
    String::leak(format!("no{}", "n".repeat(1 << 20)))
}
