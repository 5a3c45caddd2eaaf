//! Owns what goes to a Firebase that Google's own client accepts: fields by Google's description of the API.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use drumbeat::channels::Gateway as _;
use drumbeat::channels::push::Fcm;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::gateway::{FcmGateway, Gateway};
use drumbeat::domain::message::{Message, Rendered, RenderedPush};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::{Marks, config, dispatch, message, said, secretive, with_setup};
use crate::rig::postfix::openssl;
use crate::rig::wire::Wire;
use crate::rig::{counterpart, port};

/// `tests/counterparts/fcm.py`, and the account that it trusts.
struct Firebase {
    port: u16,
    folder: TempDir,
    _child: Child,
}

impl Firebase {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, port) = (folder.path(), port::free());
        openssl(
            root,
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
        );
        openssl(root, "pkey -in key.pem -pubout -out public.pem");
        let account = json!({
            "type": "service_account",
            "client_email": "sender@bank.test",
            "private_key_id": "k1",
            "private_key": std::fs::read_to_string(root.join("key.pem")).unwrap(),
            "token_uri": format!("http://127.0.0.1:{port}/token"),
        });
        std::fs::write(root.join("account.json"), account.to_string()).unwrap();
        let child = python("fcm.py")
            .arg(port.to_string())
            .arg(root.join("public.pem"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        port::open(port).await;
        Self {
            port,
            folder,
            _child: child,
        }
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn config(&self, base: &str) -> FcmGateway {
        let account = std::fs::read_to_string(self.folder.path().join("account.json")).unwrap();
        FcmGateway {
            project: secretive("bank"),
            service_account: secretive(&account),
            base_url: Some(secretive(base)),
        }
    }

    fn opened(&self) -> Fcm {
        opened(&self.config(&self.base()))
    }

    async fn heard(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("{}/heard", self.base())).await;
        answer.unwrap().json().await.unwrap()
    }
}

fn python(script: &str) -> Command {
    let mut command = Command::new(counterpart::python("python.txt", "python"));
    command
        .arg(format!("tests/counterparts/{script}"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .kill_on_drop(true);
    command
}

fn opened(fcm: &FcmGateway) -> Fcm {
    let config = config(Channel::Push, Gateway::Fcm(fcm.clone()));
    let limit = Duration::from_secs(2);
    with_setup(&config, Path::new("/"), |setup| {
        Fcm::open_within(setup, fcm, limit).unwrap()
    })
}

fn push(to: &str) -> Message {
    let push = RenderedPush {
        title: "Hi".to_owned(),
        body: "Your card".to_owned(),
        link: Some("https://bank.test/card".to_owned()),
    };
    message(4, to, Rendered::Push(push))
}

#[tokio::test]
async fn googles_own_client_accepts_the_firebase_that_is_played() {
    let firebase = Firebase::start().await;
    let account = firebase.folder.path().join("account.json");
    let mut client = python("fcm_client.py");
    let answer = client.arg(firebase.base()).arg(account).output().await;
    let answer = answer.unwrap();
    let words = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{words}");
    let told = String::from_utf8(answer.stdout).unwrap();
    let told: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let found: Vec<Value> = told
        .iter()
        .map(|one| {
            let code = one["details"][0]["errorCode"].clone();
            json!([one["sent"], one["status"], code, one["wait"]])
        })
        .collect();
    let expected = json!([
        ["token", 200, null, null],
        ["fid", 200, null, null],
        ["gone", 404, "UNREGISTERED", null],
        ["none", 400, "INVALID_ARGUMENT", null],
        ["other", 403, "SENDER_ID_MISMATCH", null],
        ["busy", 429, "QUOTA_EXCEEDED", "60"],
        ["down", 503, "UNAVAILABLE", "10"],
        ["unknown field", 400, "INVALID_ARGUMENT", null],
        ["no target", 400, "INVALID_ARGUMENT", null],
    ]);
    assert_eq!(Value::Array(found), expected);
}

#[tokio::test]
async fn a_push_has_fields_of_the_description_alone_and_one_token_serves_all() {
    let firebase = Firebase::start().await;
    let gateway = firebase.opened();
    for to in ["a-phone", "a-tablet"] {
        let outcome = gateway.send(&push(to), &Marks::default()).await;
        let Outcome::Accepted { gateway_id, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(gateway_id.unwrap().starts_with("projects/bank/messages/"));
    }
    let heard = firebase.heard().await;
    assert_eq!(heard[0], json!({ "granted": "sender@bank.test" }));
    assert_eq!(heard.len(), 3);
    let taken = &heard[2]["message"];
    assert_eq!(taken["token"], "a-tablet");
    let id = dispatch(4).to_string();
    assert_eq!(taken["android"]["collapseKey"], json!(id));
    let data = json!({ "dispatch": id, "link": "https://bank.test/card" });
    assert_eq!(taken["data"], data);
}

#[rstest]
#[case("gone", "refused Device | HTTP 404: ")]
#[case("none", "refused Device | HTTP 400: ")]
#[case("other", "refused Message | HTTP 403: ")]
#[case("busy", "deferred Throttled | HTTP 429: ")]
#[case("down", "deferred Throttled | HTTP 503: ")]
#[tokio::test]
async fn each_answer_has_its_outcome(#[case] token: &str, #[case] expected: &str) {
    let firebase = Firebase::start().await;
    let outcome = firebase
        .opened()
        .send(&push(token), &Marks::default())
        .await;
    assert!(said(&outcome).starts_with(expected), "{outcome:?}");
}

/// Takes a request, and closes without a word.
async fn breaks() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 16 * 1024];
        assert!(caller.read(&mut bytes).await.unwrap() > 0);
    });
    format!("http://127.0.0.1:{port}")
}

#[tokio::test]
async fn who_says_nothing_may_have_taken_it_and_who_is_not_there_has_not() {
    let firebase = Firebase::start().await;
    let wire = Wire::before(&firebase.base()).await;
    wire.cut();
    let nobody = format!("http://127.0.0.1:{}", port::free());
    for (base, expected) in [
        (wire.url.clone(), "uncertain"),
        (breaks().await, "uncertain"),
        (nobody, "deferred Gateway"),
    ] {
        let gateway = opened(&firebase.config(&base));
        let outcome = gateway.send(&push("a-phone"), &Marks::default()).await;
        assert!(said(&outcome).starts_with(expected), "{outcome:?}");
    }
}
