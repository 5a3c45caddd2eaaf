//! Owns what goes to Twilio, and what its answers, breaks and silences come to.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use drumbeat::channels::Gateway as _;
use drumbeat::channels::twilio::Twilio;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{Gateway, TwilioGateway};
use drumbeat::domain::message::{Message, Rendered, RenderedSms};
use rstest::rstest;

use super::{Marks, config, dispatch, message, said, secretive, with_setup};
use crate::rig::http_script::{self, HttpScript};
use crate::rig::{counterpart, port};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(super) const TOKEN: &str = "12345";
pub(super) const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn twilio(base_url: &str) -> TwilioGateway {
    TwilioGateway {
        account_sid: secretive(ACCOUNT),
        auth_token: secretive(TOKEN),
        messaging_service_sid: None,
        base_url: secretive(base_url),
        validity_period: None,
    }
}

pub(super) fn opened(twilio: &TwilioGateway, from: Option<&str>, limit: Duration) -> Twilio {
    let mut config = config(Channel::Sms, Gateway::Twilio(twilio.clone()));
    config.from = from.map(secretive);
    with_setup(&config, Path::new("/"), |setup| {
        Twilio::open_within(setup, twilio, limit).unwrap()
    })
}

fn sms(text: &str) -> Message {
    let text = text.to_owned();
    let mut message = message(4, "+59899123456", Rendered::Sms(RenderedSms { text }));
    let id = message.id;
    message.receipt_url = Some(format!("https://post.test/hooks/sms/status/{id}"));
    message
}

async fn send(base_url: &str, text: &str) -> (Outcome, usize) {
    let marks = Marks::default();
    let gateway = opened(&twilio(base_url), Some("+14155552671"), LIMIT);
    let outcome = gateway.send(&sms(text), &marks).await;
    (outcome, marks.count())
}

fn base(server: &HttpScript) -> String {
    format!("http://127.0.0.1:{}", server.port)
}

#[tokio::test]
async fn a_text_becomes_a_form_of_the_account() {
    let server = HttpScript::start(|_| (201, vec![], r#"{"sid":"SM17","status":"queued"}"#)).await;
    let configured = TwilioGateway {
        messaging_service_sid: Some(secretive("MG0123456789abcdef0123456789abcdef")),
        validity_period: Some(Delay::hours(2)),
        ..twilio(&format!("{}/", base(&server)))
    };
    let gateway = opened(&configured, Some("LAKESIDE"), LIMIT);
    let marks = Marks::default();
    let outcome = gateway.send(&sms("Hi & “Ana”"), &marks).await;
    let Outcome::Accepted { gateway_id, .. } = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((gateway_id.as_deref(), marks.count()), (Some("SM17"), 1));
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].method, "POST");
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    assert_eq!(heard[0].uri.path(), path);
    // `AC…:12345` in base64.
    let login = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjoxMjM0NQ==";
    assert_eq!(heard[0].headers["authorization"], login);
    let id = dispatch(4);
    let expected = format!(
        "To=%2B59899123456&Body=Hi+%26+%E2%80%9CAna%E2%80%9D&From=LAKESIDE\
         &MessagingServiceSid=MG0123456789abcdef0123456789abcdef&ValidityPeriod=7200\
         &StatusCallback=https%3A%2F%2Fpost.test%2Fhooks%2Fsms%2Fstatus%2F{id}"
    );
    assert_eq!(heard[0].body, expected);
}

/// The text of the message says which answer is wanted.
fn scripted(request: &http_script::Request) -> http_script::Reply {
    let wants = |word: &str| request.body.contains(&format!("Body={word}&"));
    let table = [
        (
            "dead",
            400,
            r#"{"code":21211,"message":"Invalid 'To'","status":400}"#,
        ),
        (
            "landline",
            400,
            r#"{"code":21614,"message":"not a mobile","status":400}"#,
        ),
        (
            "stopped",
            400,
            r#"{"code":21610,"message":"unsubscribed recipient","status":400}"#,
        ),
        (
            "content",
            400,
            r#"{"code":21617,"message":"too long","status":400}"#,
        ),
        (
            "login",
            401,
            r#"{"code":20003,"message":"Authenticate","status":401}"#,
        ),
        (
            "fast",
            429,
            r#"{"code":20429,"message":"Too Many Requests","status":429}"#,
        ),
        (
            "broken",
            500,
            r#"{"code":20500,"message":"Internal","status":500}"#,
        ),
        ("down", 503, "<html>"),
        ("moved", 307, ""),
        ("portal", 200, "<html>log in</html>"),
        ("garbage", 400, "\u{0}\u{1}{"),
    ];
    let (_, status, body) =
        table
            .into_iter()
            .find(|(word, ..)| wants(word))
            .unwrap_or(("", 201, r#"{"sid":"SM1"}"#));
    let headers = match status {
        429 => vec![("retry-after", "7")],
        307 => vec![("location", "/elsewhere")],
        _ => vec![],
    };
    (status, headers, body)
}

#[rstest]
#[case("dead", "refused Address | HTTP 400 21211: Invalid 'To'")]
#[case("landline", "refused Address | HTTP 400 21614: not a mobile")]
#[case(
    "stopped",
    "refused Message | HTTP 400 21610: unsubscribed at the provider: unsubscribed recipient"
)]
#[case("content", "refused Message | HTTP 400 21617: too long")]
#[case("login", "deferred Gateway | HTTP 401 20003: Authenticate")]
#[case("fast", "deferred Throttled | HTTP 429 20429: Too Many Requests")]
#[case("broken", "deferred Message | HTTP 500 20500: Internal")]
#[case("down", "deferred Throttled | HTTP 503: <html>")]
#[case("moved", "deferred Gateway | HTTP 307")]
#[case("portal", "uncertain | HTTP 200: <html>log in</html>")]
#[case("garbage", "refused Message | HTTP 400: {")]
#[tokio::test]
async fn each_answer_of_twilio_has_its_outcome(#[case] wanted: &str, #[case] expected: &str) {
    let server = HttpScript::start(scripted).await;
    let (outcome, marks) = send(&base(&server), wanted).await;
    assert_eq!(said(&outcome), expected);
    assert_eq!((marks, server.heard().len()), (1, 1));
    if let Outcome::Deferred { retry_after, .. } = outcome {
        let wait = (wanted == "fast").then_some(Duration::from_secs(7));
        assert_eq!(retry_after, wait);
    }
}

#[tokio::test]
async fn what_breaks_after_the_request_is_uncertain_and_what_never_began_is_not() {
    for says in [&b""[..], b"HTTP/1.1 20", b"\x00\x01 garbage\r\n\r\n"] {
        let server = HttpScript::start_broken(Some(says)).await;
        let (outcome, marks) = send(&base(&server), "Hi").await;
        assert!(said(&outcome).starts_with("uncertain | "), "{outcome:?}");
        assert!(!said(&outcome).contains(ACCOUNT), "{outcome:?}");
        assert_eq!(marks, 1);
    }
    let nobody = format!("http://127.0.0.1:{}", port::free());
    let (outcome, _) = send(&nobody, "Hi").await;
    assert!(
        said(&outcome).starts_with("deferred Gateway | "),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn silence_after_the_request_is_uncertain() {
    let server = HttpScript::start_broken(None).await;
    let limit = Duration::from_millis(500);
    let gateway = opened(&twilio(&base(&server)), Some("LAKESIDE"), limit);
    let outcome = gateway.send(&sms("Hi"), &Marks::default()).await;
    assert!(said(&outcome).starts_with("uncertain | "), "{outcome:?}");
}

/// A mock of Twilio's own description of its API; it ends when this is dropped.
struct Prism(Child);

impl Prism {
    async fn start(port: u16) -> Self {
        let modules = counterpart::node().join("node_modules");
        let api = "@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json";
        let child = Command::new("node")
            .arg(modules.join(".bin/prism"))
            .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(modules.join(api))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prism = Self(child);
        let look = || TcpStream::connect(("127.0.0.1", port)).ok();
        port::eventually("Prism listens", look).await;
        prism
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[tokio::test]
async fn twilios_own_description_of_its_api_takes_what_is_posted() {
    let port = port::free();
    let _prism = Prism::start(port).await;
    let base = format!("http://127.0.0.1:{port}");
    let (outcome, _) = send(&base, "Hi “Ana” & Ола").await;
    assert!(
        said(&outcome).starts_with("accepted | HTTP 201"),
        "{outcome:?}"
    );
    let full = TwilioGateway {
        messaging_service_sid: Some(secretive("MG0123456789abcdef0123456789abcdef")),
        validity_period: Some(Delay::hours(2)),
        ..twilio(&base)
    };
    let outcome = opened(&full, None, LIMIT)
        .send(&sms("Hi"), &Marks::default())
        .await;
    assert!(
        said(&outcome).starts_with("accepted | HTTP 201"),
        "{outcome:?}"
    );
    let wrong = TwilioGateway {
        messaging_service_sid: Some(secretive("no-service")),
        ..twilio(&base)
    };
    let outcome = opened(&wrong, None, LIMIT)
        .send(&sms("Hi"), &Marks::default())
        .await;
    assert!(
        said(&outcome).starts_with("refused Message | HTTP 422"),
        "{outcome:?}"
    );
}

#[test]
fn a_gateway_that_could_never_send_is_not_opened() {
    let error = |twilio: &TwilioGateway| {
        let config = config(Channel::Sms, Gateway::Twilio(twilio.clone()));
        with_setup(&config, Path::new("/"), |setup| {
            Twilio::open(setup, twilio)
                .err()
                .map(|error| error.to_string())
        })
    };
    let bad = TwilioGateway {
        account_sid: secretive("AC/../x"),
        ..twilio("https://api.test")
    };
    let expected = "channel `sms`: `gateway.twilio.account-sid`: an account's SID is `AC` and 32 hexadecimal digits";
    assert_eq!(error(&bad).as_deref(), Some(expected));
    let bad = twilio("ftp://api.test");
    let expected = "channel `sms`: `gateway.twilio.base-url`: it must begin with `https://`";
    assert_eq!(error(&bad).as_deref(), Some(expected));
    assert_eq!(error(&twilio("https://api.test")), None);
}
