//! Owns what a push service's answers, breaks and silences come to, and that they say nothing of other services.

use std::path::Path;
use std::time::Duration;

use drumbeat::channels::Gateway as _;
use drumbeat::channels::push::Webpush;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::gateway::{Gateway, WebpushGateway};
use rstest::rstest;
use serde_json::json;

use super::push_web::{HERE, keys, push};
use super::{Marks, config, said, secretive, with_setup};
use crate::rig::http_script::{HttpScript, Reply, Request};
use crate::rig::port;

fn opened(key: &str) -> Webpush {
    let webpush = WebpushGateway {
        subject: secretive("mailto:push@bank.test"),
        key: secretive(key),
        urgency: None,
        allow_networks: HERE.map(str::to_owned).to_vec(),
    };
    let config = config(Channel::Push, Gateway::Webpush(webpush.clone()));
    let limit = Duration::from_secs(1);
    with_setup(&config, Path::new("/"), |setup| {
        Webpush::open_within(setup, &webpush, limit).unwrap()
    })
}

/// What comes of a message to a browser whose endpoint has this path.
async fn sent(port: u16, path: &str) -> (Outcome, usize) {
    let (private, public) = keys();
    let browser = json!({
        "endpoint": format!("http://127.0.0.1:{port}/{path}"),
        "keys": { "p256dh": public, "auth": "MDEyMzQ1Njc4OWFiY2RlZg" },
    });
    let marks = Marks::default();
    let message = push(&browser.to_string(), "Hi");
    let outcome = opened(&private).send(&message, &marks).await;
    (outcome, marks.count())
}

/// The status that the endpoint names.
fn service(request: &Request) -> Reply {
    let status = request.uri.path().trim_start_matches('/').parse().unwrap();
    (status, vec![("retry-after", "7")], "")
}

#[rstest]
#[case(201, "accepted | HTTP 201")]
#[case(202, "accepted | HTTP 202")]
#[case(307, "refused Message | HTTP 307")]
#[case(400, "refused Message | HTTP 400")]
#[case(403, "refused Message | HTTP 403")]
#[case(404, "refused Device | HTTP 404")]
#[case(410, "refused Device | HTTP 410")]
#[case(413, "refused Message | HTTP 413")]
#[case(429, "deferred Throttled | HTTP 429")]
#[case(500, "uncertain | HTTP 500")]
#[case(503, "deferred Throttled | HTTP 503")]
#[tokio::test]
async fn each_answer_has_its_outcome(#[case] status: u16, #[case] expected: &str) {
    let server = HttpScript::start(service).await;
    let (outcome, marks) = sent(server.port, &status.to_string()).await;
    assert!(said(&outcome).starts_with(expected), "{outcome:?}");
    assert_eq!(marks, 1);
    if let Outcome::Deferred { retry_after, .. } = outcome {
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn what_breaks_or_is_silent_after_the_request_is_uncertain_and_who_is_not_there_took_nothing()
{
    for says in [Some(&b""[..]), Some(b"HTTP/1.1 20"), None] {
        let server = HttpScript::start_broken(says).await;
        let (outcome, marks) = sent(server.port, "1").await;
        assert!(said(&outcome).starts_with("uncertain | "), "{outcome:?}");
        assert_eq!(marks, 1);
    }
    let (outcome, _) = sent(port::free(), "1").await;
    let told = said(&outcome);
    assert!(told.starts_with("deferred Message | "), "{told}");
}
