//! Owns what an HTTP gateway answers when it is asked about a message, and what that comes to.

use std::collections::BTreeMap;

use drumbeat::channels::Finding;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{HttpGateway, HttpLookup, Missing, ReceiptWords};
use drumbeat::domain::news::{Bounce, Fate};

use super::http::{gateway, opened};
use super::{dispatch, secretive};
use crate::rig::http_script::{HttpScript, Reply, Request};

type Answers = fn(&Request) -> Reply;

fn asking(url: &str, missing: Missing) -> HttpGateway {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    HttpGateway {
        lookup: Some(Box::new(HttpLookup {
            url: secretive(&format!("{url}/by-reference?id={{{{ message.id }}}}")),
            headers: BTreeMap::from([("Authorization".to_owned(), secretive("Bearer t0p"))]),
            status: "/messages/0/state".to_owned(),
            detail: Some("/messages/0/why".to_owned()),
            words: ReceiptWords {
                accepted: words(&["queued", "sent"]),
                delivered: words(&["delivered"]),
                bounced: words(&["no-such-number"]),
                failed: words(&["rejected"]),
                ..ReceiptWords::default()
            },
            missing,
        })),
        ..gateway(url)
    }
}

async fn found(url: &str, missing: Missing) -> Finding {
    let gateway = opened(Channel::Sms, asking(url, missing)).unwrap();
    gateway.inquiry().unwrap().ask(dispatch(4)).await
}

fn known(fate: Fate, words: &str) -> Finding {
    Finding::Known(fate, words.to_owned())
}

fn nothing(words: &str) -> Finding {
    Finding::Nothing(words.to_owned())
}

/// What a gateway answers, and what it comes to.
const ANSWERS: [(Answers, fn() -> Finding); 10] = [
    (
        |_| (200, vec![], r#"{"messages":[{"state":"Queued"}]}"#),
        || known(Fate::Accepted, "/messages/0/state=Queued"),
    ),
    (
        |_| {
            (
                200,
                vec![],
                r#"{"messages":[{"state":"delivered","why":"at the phone"}]}"#,
            )
        },
        || known(Fate::Delivered, "at the phone"),
    ),
    (
        |_| {
            (
                206,
                vec![],
                r#"{"messages":[{"state":"no-such-number","why":""}]}"#,
            )
        },
        || {
            known(
                Fate::Bounced(Bounce::Hard),
                "/messages/0/state=no-such-number",
            )
        },
    ),
    (
        |_| (200, vec![], r#"{"messages":[{"state":"pondering"}]}"#),
        || nothing("/messages/0/state=pondering means nothing here"),
    ),
    (
        |_| (200, vec![], r#"{"messages":[]}"#),
        || nothing(r#"`/messages/0/state` is not there: HTTP 200: {"messages":[]}"#),
    ),
    (
        |_| (200, vec![], "<html>"),
        || nothing("the answer is not JSON: HTTP 200: <html>"),
    ),
    (
        |_| (302, vec![("location", "/elsewhere")], ""),
        || nothing("HTTP 302"),
    ),
    (
        |_| (429, vec![], "slow down"),
        || nothing("HTTP 429: slow down"),
    ),
    (
        |_| (404, vec![], "no such"),
        || Finding::Missing("HTTP 404: no such".to_owned()),
    ),
    (
        |_| (410, vec![], ""),
        || Finding::Missing("HTTP 410".to_owned()),
    ),
];

#[tokio::test]
async fn each_answer_is_a_finding_or_says_why_not() {
    for (reply, finding) in ANSWERS {
        let server = HttpScript::start(reply).await;
        assert_eq!(found(&server.url(), Missing::Failed).await, finding());
        let heard = server.heard();
        assert_eq!((heard.len(), heard[0].method.as_str()), (1, "GET"));
        let address = format!("/send/by-reference?id={}", dispatch(4));
        assert_eq!(heard[0].uri.to_string(), address);
        assert_eq!(heard[0].headers["authorization"], "Bearer t0p");
        assert_eq!(heard[0].body, "");
    }
}

#[tokio::test]
async fn a_message_that_is_not_there_proves_nothing_unless_the_channel_says_so() {
    let server = HttpScript::start(|_| (404, vec![], "")).await;
    assert_eq!(
        found(&server.url(), Missing::Nothing).await,
        nothing("HTTP 404")
    );
}

#[tokio::test]
async fn a_gateway_that_breaks_off_or_is_away_says_nothing() {
    let server =
        HttpScript::start_broken(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")).await;
    let broken = found(&server.url(), Missing::Failed).await;
    assert!(
        matches!(&broken, Finding::Nothing(why) if why.contains("connection broke")),
        "{broken:?}"
    );
    let url = server.url();
    drop(server);
    let away = found(&url, Missing::Failed).await;
    assert!(matches!(away, Finding::Nothing(_)), "{away:?}");
}

#[test]
fn a_gateway_without_a_lookup_is_not_asked() {
    let gateway = opened(Channel::Sms, gateway("http://127.0.0.1:9/send")).unwrap();
    assert!(gateway.inquiry().is_none());
}
