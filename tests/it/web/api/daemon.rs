//! The API of a daemon as people run it: tokens by the command line, the examples of the page, the log.

use std::process::{Command, Stdio};

use reqwest::StatusCode;
use serde_json::Value;

use crate::rig::node::Node;
use crate::rig::port;

const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
"#;
const CHANNEL: &str = r#"channel: email
gateway: { file: { folder: var/messages } }
from: "Lakeside <hello@lakeside.example>"
"#;
const SEGMENT: &str = "segment: in-lyon\nwhere: { field: city, is: Lyon }\n";
const FLOW: &str = r#"flow: welcome
name: Welcome
category: onboarding
group: retail
segment: in-lyon
steps:
  - { id: hello, after: 30d, email: { subject: Hello, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
"#;

pub(super) struct Place {
    pub(super) node: Node,
    pub(super) url: String,
}

impl Place {
    pub(super) async fn start(settings: &str) -> Self {
        Self::logging(settings, "trace").await
    }

    /// One that logs no more than it must.
    pub(super) async fn silent(settings: &str) -> Self {
        Self::logging(settings, "warn").await
    }

    async fn logging(settings: &str, level: &str) -> Self {
        let port = port::free();
        let settings = format!("workspace: test\nlisten: \"127.0.0.1:{port}\"\n{settings}");
        let mut node = Node::with(&[
            ("drumbeat.yaml", &settings),
            ("policy.yaml", POLICY),
            ("email.yaml", CHANNEL),
            ("segment.yaml", SEGMENT),
            ("flow.yaml", FLOW),
        ]);
        node.knows("DRUMBEAT_LOG", level);
        node.start().await;
        port::open(port).await;
        Self {
            node,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// A command to its good end; the facts that it prints.
    pub(super) async fn facts(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--format", "json"]].concat();
        let mut command = self.node.command(&arguments);
        let output = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        let request = reqwest::Client::new().get(format!("{}/api/v1{path}", self.url));
        let response = request.bearer_auth(token).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn a_token_of_the_command_line_is_good_at_once_until_it_is_revoked() {
    let mut place = Place::start("").await;
    let create = [
        "token",
        "create",
        "reader",
        "--scope",
        "customers:read",
        "--expires",
        "90d",
    ];
    let created = place.facts(&create).await;
    let secret = created["secret"].as_str().unwrap().to_owned();
    let (status, page) = place.get("/customers", &secret).await;
    assert_eq!((status.as_u16(), &page["next"]), (200, &Value::Null));
    let (status, refused) = place.get("/flows", &secret).await;
    assert_eq!(status.as_u16(), 403);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("`definitions:read`")
    );
    let listed = place.facts(&["token", "list"]).await;
    assert_eq!(listed["tokens"][0]["scopes"][0], "customers:read");
    assert!(listed["tokens"][0]["last_used_at"].is_string());
    assert!(!listed.to_string().contains(&secret[20..]));
    let revoked = place.facts(&["token", "revoke", "reader"]).await;
    assert_eq!(revoked["changed"], true);
    let (status, problem) = place.get("/customers", &secret).await;
    assert_eq!(
        (status.as_u16(), &problem["type"]),
        (401, &"/docs/api#unauthorized".into())
    );
    assert_eq!(place.node.stop().await, Some(0));
    // However much is logged, no secret is.
    let log = place.node.log();
    assert!(log.len() > 1000, "{log}");
    assert!(!log.contains(&secret[20..]));
}

#[tokio::test]
async fn the_rate_is_a_setting() {
    let mut place = Place::start("api: { rate: 1, burst: 2 }\n").await;
    let created = place
        .facts(&["token", "create", "a", "--scope", "definitions:read"])
        .await;
    let secret = created["secret"].as_str().unwrap();
    let mut refused = false;
    for _ in 0..6 {
        refused |= place.get("/tags", secret).await.0.as_u16() == 429;
    }
    assert!(refused);
    assert_eq!(place.node.stop().await, Some(0));
}

#[tokio::test]
async fn the_status_is_that_of_the_command_line() {
    let mut place = Place::start("").await;
    let created = place
        .facts(&["token", "create", "a", "--scope", "operations:read"])
        .await;
    let secret = created["secret"].as_str().unwrap();
    let (_, mut by_api) = place.get("/status", secret).await;
    let mut by_command = place.facts(&["status"]).await;
    for status in [&mut by_api, &mut by_command] {
        status["now"] = Value::Null;
    }
    assert_eq!(by_api, by_command);
    assert_eq!(place.node.stop().await, Some(0));
}

#[tokio::test]
async fn what_was_told_by_the_api_is_known_to_a_file() {
    let mut place = Place::start("").await;
    let scopes = ["--scope", "interactions:write", "--scope", "customers:read"];
    let create = [&["token", "create", "shop"][..], &scopes].concat();
    let created = place.facts(&create).await;
    let secret = created["secret"].as_str().unwrap().to_owned();
    let told = serde_json::json!({ "interactions": [
        { "id": "1", "kind": "login", "customer": "ana", "create": true },
        { "id": "t1", "kind": "transaction", "customer": "ana", "transaction": { "amount": "1.50" } },
    ] });
    let client = reqwest::Client::new();
    let telling = client.post(format!("{}/api/v1/interactions", place.url));
    let telling = telling
        .bearer_auth(&secret)
        .json(&told)
        .send()
        .await
        .unwrap();
    let answer: Value = telling.json().await.unwrap();
    assert_eq!(answer["recorded"], 2, "{answer}");
    let at = "2026-01-05T10:00:00Z";
    place.node.write(
        "a.csv",
        &format!("id,customer,kind,at\n1,ana,login,{at}\n2,ana,login,{at}\n"),
    );
    let report = place
        .facts(&["import", "a.csv", "--kind", "interactions"])
        .await;
    assert_eq!(
        (&report["created"], &report["unchanged"]),
        (&1.into(), &1.into())
    );
    place.node.write(
        "t.csv",
        &format!("id,customer,at,amount\nt1,ana,{at},1.50\n"),
    );
    let report = place
        .facts(&["import", "t.csv", "--kind", "transactions"])
        .await;
    assert_eq!(
        (&report["created"], &report["unchanged"]),
        (&0.into(), &1.into())
    );
    assert_eq!(place.node.stop().await, Some(0));
}

#[tokio::test]
async fn pages_tell_through_the_daemon_where_its_settings_name_them() {
    let client = reqwest::Client::new();
    let site = "site: { origins: [\"https://www.bank.example\"], identify-secret: \"0123456789abcdef0123456789abcdef\" }\n";
    let mut place = Place::start(site).await;
    let visitor = "v-0123456789abcdef0123456789abcdef";
    let body = format!(
        "{{\"visitor\":\"{visitor}\",\"events\":[{{\"id\":\"1\",\"kind\":\"popup-viewed\",\"popup\":\"a\"}}]}}"
    );
    let telling = client.post(format!("{}/collect", place.url));
    let telling = telling
        .header("Origin", "https://www.bank.example")
        .body(body);
    let answer: Value = telling.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["recorded"], 1, "{answer}");
    let seen = place.facts(&["customer", "show", visitor]).await;
    assert_eq!(seen["identified"], false);
    assert_eq!(seen["environment"], Value::Null);
    let script = client
        .get(format!("{}/drumbeat.js", place.url))
        .send()
        .await
        .unwrap();
    assert_eq!(script.status().as_u16(), 200);
    assert_eq!(place.node.stop().await, Some(0));
}

/// The fenced blocks of the page in one language, in order.
fn blocks(language: &str) -> Vec<String> {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let fence = format!("```{language}\n");
    let after = page.split(&fence).skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

fn run(place: &Place, token: &str, program: &[&str], script: &str) {
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(script)
        .env("DRUMBEAT_URL", &place.url)
        .env("DRUMBEAT_TOKEN", token)
        .output()
        .unwrap_or_else(|error| panic!("install `{}`: {error}", program[0]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_page_run() {
    let mut place = Place::start("").await;
    let created = place
        .facts(&["token", "create", "all", "--scope", "admin"])
        .await;
    let secret = created["secret"].as_str().unwrap();
    let (shell, python) = (blocks("bash"), blocks("python"));
    assert!(shell.len() >= 5 && !python.is_empty());
    for script in shell {
        run(&place, secret, &["bash", "-euo", "pipefail", "-c"], &script);
    }
    for script in python {
        run(&place, secret, &["python3", "-c"], &script);
    }
    let (_, ana) = place.get("/customers/ana", secret).await;
    assert_eq!(ana["fields"]["city"], "Geneva");
    let (_, cid) = place.get("/customers/cid", secret).await;
    assert_eq!(cid["fields"]["city"], "Lyon");
    assert_eq!(place.node.stop().await, Some(0));
}

#[test]
fn every_kind_of_problem_has_its_place_on_the_page() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api/problem.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let kinds = source
        .split("\nkinds! {")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    let slugs: Vec<&str> = kinds
        .lines()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(slugs.len() > 12, "{slugs:?}");
    for slug in slugs {
        assert!(page.contains(&format!("\n### {slug}\n")), "{slug}");
    }
}
