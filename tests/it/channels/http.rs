//! Owns what goes to an HTTP gateway, and what its answers, breaks and silences come to.

use std::collections::BTreeMap;
use std::path::Path;

use drumbeat::channels::setup::{BadGateway, Setup};
use drumbeat::channels::{SharedGateway, registry};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{Gateway, HttpBody, HttpGateway, SuccessRule};
use drumbeat::domain::message::{Message, Rendered, RenderedPush, RenderedSms};
use drumbeat::settings::Settings;
use serde_json::json;

use super::{Marks, config, dispatch, message, said, secretive, with_setup};
use crate::rig::http_script::HttpScript;

pub(super) fn gateway(url: &str) -> HttpGateway {
    HttpGateway {
        method: "POST".to_owned(),
        url: secretive(url),
        headers: BTreeMap::from([
            ("Authorization".to_owned(), secretive("Bearer t0p")),
            (
                "X-Step".to_owned(),
                secretive("{{ message.flow }}/{{ message.step }}"),
            ),
        ]),
        body: HttpBody::Json(json!({
            "messages": [{"destination": "{{ message.to }}", "text": "{{ message.text }}"}],
            "from": "{{ message.from }}",
            "flash": false,
            "retries": 0,
        })),
        success: SuccessRule {
            status: Vec::new(),
            body_contains: None,
        },
        id_pointer: Some("/messages/0/id".to_owned()),
        idempotency_header: None,
        timeout: Delay::seconds(10),
        receipts: None,
        inbound: None,
        lookup: None,
    }
}

pub(super) fn opened(channel: Channel, http: HttpGateway) -> Result<SharedGateway, BadGateway> {
    let mut config = config(channel, Gateway::Http(http));
    config.from = Some(secretive("LAKESIDE"));
    with_setup(&config, Path::new("/"), registry::open)
}

async fn send(http: HttpGateway, message: &Message) -> (Outcome, usize) {
    let marks = Marks::default();
    let gateway = opened(message.frozen.rendered.channel(), http).unwrap();
    let outcome = gateway.send(message, &marks).await;
    (outcome, marks.count())
}

fn sms(text: &str) -> Message {
    let text = text.to_owned();
    message(4, "+59899123456", Rendered::Sms(RenderedSms { text }))
}

#[tokio::test]
async fn an_sms_becomes_the_configured_request() {
    let server = HttpScript::start(|_| (202, vec![], r#"{"messages":[{"id":"SM17"}]}"#)).await;
    let http = HttpGateway {
        idempotency_header: Some("Idempotency-Key".to_owned()),
        ..gateway(&server.url())
    };
    let text = "Hi \"Ana\",\n{{ 1 + 1 }} & <b>";
    let (outcome, marks) = send(http, &sms(text)).await;
    assert_eq!(marks, 1);
    assert_eq!(
        outcome,
        Outcome::Accepted {
            gateway_id: Some("SM17".to_owned()),
            detail: r#"HTTP 202: {"messages":[{"id":"SM17"}]}"#.to_owned(),
        }
    );
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    let header = |name: &str| heard[0].headers[name].to_str().unwrap().to_owned();
    assert_eq!(heard[0].method, "POST");
    assert_eq!(header("authorization"), "Bearer t0p");
    assert_eq!(header("x-step"), "onboarding/welcome");
    assert_eq!(header("idempotency-key"), dispatch(4).to_string());
    assert_eq!(header("content-type"), "application/json");
    let body: serde_json::Value = serde_json::from_str(&heard[0].body).unwrap();
    let expected = json!({
        "messages": [{"destination": "+59899123456", "text": text}],
        "from": "LAKESIDE",
        "flash": false,
        "retries": 0,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_push_goes_as_a_form_and_its_url_carries_the_recipient() {
    let server = HttpScript::start(|_| (200, vec![], "OK: 9")).await;
    let pairs = [
        ("title", "{{ message.title }}"),
        ("body", "{{ message.body }}"),
        ("link", "{{ message.link }}"),
        ("key", "{{ message.id }}"),
    ];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), secretive(value)));
    let http = HttpGateway {
        method: "PUT".to_owned(),
        body: HttpBody::Form(BTreeMap::from(pairs)),
        ..gateway(&format!(
            "{}?to={{{{ message.to|urlencode }}}}",
            server.url()
        ))
    };
    let push = Rendered::Push(RenderedPush {
        title: "Hi & hello".to_owned(),
        body: "Your card".to_owned(),
        link: None,
    });
    let (outcome, _) = send(http, &message(4, "a+b/c", push)).await;
    assert_eq!(said(&outcome), "accepted | HTTP 200: OK: 9");
    let heard = server.heard();
    assert_eq!(heard[0].method, "PUT");
    assert_eq!(heard[0].uri.query(), Some("to=a%2Bb/c"));
    let expected = format!(
        "body=Your+card&key={}&link=&title=Hi+%26+hello",
        dispatch(4)
    );
    assert_eq!(heard[0].body, expected);
}

#[tokio::test]
async fn a_gateway_that_asks_to_wait_is_understood() {
    let server = HttpScript::start(|_| (429, vec![("retry-after", "120")], "slow down")).await;
    let (outcome, _) = send(gateway(&server.url()), &sms("Hi")).await;
    let Outcome::Deferred { retry_after, .. } = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(retry_after.map(|wait| wait.as_secs()), Some(120));
    assert_eq!(said(&outcome), "deferred Throttled | HTTP 429: slow down");
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let server = HttpScript::start(|_| (307, vec![("location", "/elsewhere")], "")).await;
    let (outcome, _) = send(gateway(&server.url()), &sms("Hi")).await;
    assert!(
        said(&outcome).starts_with("deferred Gateway | HTTP 307"),
        "{outcome:?}"
    );
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_reply_without_the_needed_text_is_a_refusal_in_the_gateways_words() {
    let server = HttpScript::start(|_| (200, vec![], "ERR 12: blocked number")).await;
    let http = HttpGateway {
        success: SuccessRule {
            status: vec![200],
            body_contains: Some("OK".to_owned()),
        },
        ..gateway(&server.url())
    };
    let (outcome, _) = send(http, &sms("Hi")).await;
    assert_eq!(
        said(&outcome),
        "refused Message | HTTP 200: ERR 12: blocked number"
    );
}

#[tokio::test]
async fn a_server_error_is_uncertain_unless_a_key_was_sent() {
    let server = HttpScript::start(|_| (502, vec![], "bad gateway")).await;
    let (outcome, _) = send(gateway(&server.url()), &sms("Hi")).await;
    assert_eq!(said(&outcome), "uncertain | HTTP 502: bad gateway");
    let keyed = HttpGateway {
        idempotency_header: Some("X-Id".to_owned()),
        ..gateway(&server.url())
    };
    let (outcome, _) = send(keyed, &sms("Hi")).await;
    assert_eq!(said(&outcome), "deferred Message | HTTP 502: bad gateway");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_uncertain() {
    for says in [&b""[..], b"HTTP/1.1 20"] {
        let server = HttpScript::start_broken(Some(says)).await;
        let (outcome, marks) = send(gateway(&server.url()), &sms("Hi")).await;
        assert!(said(&outcome).starts_with("uncertain | "), "{outcome:?}");
        assert!(
            !said(&outcome).contains("127.0.0.1"),
            "the URL is shown: {outcome:?}"
        );
        assert_eq!(marks, 1);
    }
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_left_and_uncertain() {
    let server = HttpScript::start_broken(None).await;
    let http = HttpGateway {
        timeout: Delay::seconds(1),
        ..gateway(&server.url())
    };
    let (outcome, _) = send(http, &sms("Hi")).await;
    assert!(said(&outcome).starts_with("uncertain | "), "{outcome:?}");
}

#[tokio::test]
async fn a_gateway_that_is_not_there_took_nothing() {
    let port = crate::rig::port::free();
    let nobody = format!("http://127.0.0.1:{port}/send");
    for url in [nobody.as_str(), "http://nowhere.invalid/send"] {
        let (outcome, _) = send(gateway(url), &sms("Hi")).await;
        assert!(
            said(&outcome).starts_with("deferred Gateway | "),
            "{url}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_took_nothing() {
    let server = HttpScript::start(|_| (200, vec![], "")).await;
    let url = server.url().replace("http:", "https:");
    let (outcome, _) = send(gateway(&url), &sms("Hi")).await;
    assert!(
        said(&outcome).starts_with("deferred Gateway | "),
        "{outcome:?}"
    );
    assert_eq!(server.heard().len(), 0);
}

#[tokio::test]
async fn a_value_that_no_header_may_hold_never_leaves() {
    let server = HttpScript::start(|_| (200, vec![], "")).await;
    let mut http = gateway(&server.url());
    http.headers
        .insert("X-Text".to_owned(), secretive("{{ message.text }}"));
    let (outcome, marks) = send(http, &sms("Hi\r\nX-Admin: yes")).await;
    assert_eq!(
        said(&outcome),
        "refused Message | the value of header `x-text` holds a character no header may"
    );
    assert_eq!((marks, server.heard().len()), (0, 0));
}

#[tokio::test]
async fn a_secret_is_put_in_and_never_taken_for_a_template() {
    let server = HttpScript::start(|_| (200, vec![], "")).await;
    let mut http = gateway(&server.url());
    http.headers
        .insert("Authorization".to_owned(), secretive("Bearer ${TOKEN}"));
    let config = config(Channel::Sms, Gateway::Http(http));
    let variable = ("TOKEN".to_owned(), "a{{b}}".to_owned());
    let settings = Settings::from_variables([variable]);
    let opened = registry::open(&Setup {
        config: &config,
        workspace: Path::new("/"),
        returns: None,
        reveal: &|text| Ok(settings.reveal(text)?),
    });
    let outcome = opened
        .unwrap()
        .send(&sms("${TOKEN}"), &Marks::default())
        .await;
    assert!(said(&outcome).starts_with("accepted | "), "{outcome:?}");
    let heard = server.heard();
    assert_eq!(heard[0].headers["authorization"], "Bearer a{{b}}");
    assert!(
        heard[0].body.contains(r#""text":"${TOKEN}""#),
        "{}",
        heard[0].body
    );
    let unset = registry::open(&Setup {
        config: &config,
        workspace: Path::new("/"),
        returns: None,
        reveal: &|text| Ok(Settings::default().reveal(text)?),
    });
    assert_eq!(
        unset.err().unwrap().to_string(),
        "channel `sms`: `gateway.http.headers: Authorization`: `${TOKEN}` is not set: set the environment variable `TOKEN`"
    );
}

#[test]
fn what_could_never_be_sent_is_refused_when_it_is_opened() {
    let error = |http: HttpGateway| opened(Channel::Sms, http).err().unwrap().to_string();
    assert_eq!(
        error(gateway("gw.test/send")),
        "channel `sms`: `gateway.http.url`: `url` is not a URL: relative URL without a base"
    );
    assert_eq!(
        error(gateway("ftp://gw.test/send")),
        "channel `sms`: `gateway.http.url`: `url` must begin with `https://` or `http://`"
    );
    let mut bad_header = gateway("https://gw.test");
    bad_header.headers.insert("X Y".to_owned(), secretive("z"));
    assert_eq!(
        error(bad_header),
        "channel `sms`: `gateway.http.headers`: `X Y` is not the name of a header"
    );
    let bad_template = HttpGateway {
        body: HttpBody::Json(json!({"to": "{{ message.to"})),
        ..gateway("https://gw.test")
    };
    let said = error(bad_template);
    assert!(
        said.starts_with("channel `sms`: `gateway.http`: `json: to:`: "),
        "{said}"
    );
}
