//! Owns the tests of what a gateway's own requests are answered, and what they tell.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use drumbeat::channels::registry;
use drumbeat::channels::setup::Setup;
use drumbeat::channels::{Ear, SharedGateway, Unheard};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{
    ChannelConfig, Gateway, HttpBody, HttpGateway, HttpReceipts, ReceiptId, ReceiptWords,
    RetryPolicy, Secretive, SmsRules, SuccessRule,
};
use drumbeat::domain::ids::{Bucket, DispatchId, EnrollmentId, InstanceTag, NameNo};
use drumbeat::domain::news::{About, Bounce, Fate, News, Receipt};
use drumbeat::domain::reply_word::ReplyRules;
use drumbeat::domain::tracking::Tracking;
use drumbeat::web::Teller;
use futures_util::future::BoxFuture;
use reqwest::RequestBuilder;
use secrecy::SecretString;

use super::site::{Site, read, sent};

const SECRET: &str = "a-secret-of-some-length";

/// Remembers what it hears, unless it is deaf.
#[derive(Default)]
struct Keen {
    heard: Mutex<Vec<News>>,
    is_deaf: AtomicBool,
}

impl Ear for Keen {
    fn hear(&self, news: Vec<News>) -> BoxFuture<'_, Result<(), Unheard>> {
        Box::pin(async move {
            if self.is_deaf.load(Ordering::SeqCst) {
                return Err(Unheard("the disk is full".to_owned()));
            }
            self.heard.lock().unwrap().extend(news);
            Ok(())
        })
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn receipts(id: ReceiptId) -> HttpReceipts {
    HttpReceipts {
        secret: Secretive(SECRET.to_owned()),
        header: None,
        id,
        each: None,
        status: "stat".to_owned(),
        detail: None,
        words: ReceiptWords {
            accepted: words(&["4", "8"]),
            delivered: words(&["1", "DELIVRD"]),
            failed: words(&["2", "16"]),
            bounced: words(&["dead"]),
            ..ReceiptWords::default()
        },
    }
}

fn gateway(receipts: HttpReceipts) -> SharedGateway {
    let secretive = |text: &str| Secretive(text.to_owned());
    let http = HttpGateway {
        method: "GET".to_owned(),
        url: secretive("http://127.0.0.1:9/"),
        headers: BTreeMap::new(),
        body: HttpBody::Form(BTreeMap::new()),
        success: SuccessRule {
            status: Vec::new(),
            body_contains: None,
        },
        id_pointer: None,
        idempotency_header: None,
        timeout: Delay::seconds(1),
        receipts: Some(Box::new(receipts)),
        inbound: None,
        lookup: None,
    };
    let config = ChannelConfig {
        channel: Channel::Sms,
        gateway: Gateway::Http(http),
        from: None,
        reply_to: None,
        address_field: "phone".to_owned(),
        pace: None,
        retry: RetryPolicy::default(),
        on_uncertain: None,
        tracking: Tracking::default(),
        email: drumbeat::domain::gateway::EmailRules::default(),
        sms: SmsRules::default(),
        replies: ReplyRules::default(),
        slots: 8,
        connections: 2,
    };
    let setup = Setup {
        config: &config,
        workspace: Path::new("/"),
        returns: None,
        reveal: &|text| Ok(SecretString::from(text.0.clone())),
    };
    registry::open(&setup).unwrap()
}

/// A site whose SMS gateway tells by such receipts, and what is heard of it.
async fn telling(receipts: HttpReceipts) -> (Site, Arc<Keen>) {
    let site = Site::start().await;
    let (gateway, keen) = (gateway(receipts), Arc::new(Keen::default()));
    let ear = Arc::clone(&keen);
    let make = move || Teller {
        gateway: Arc::clone(&gateway),
        ear: Arc::clone(&ear) as Arc<dyn Ear>,
        public_url: "https://bank.example".to_owned(),
    };
    *site.running.teller.lock().unwrap() = Some((Channel::Sms, Box::new(make)));
    (site, keen)
}

fn id() -> DispatchId {
    let enrollment = EnrollmentId::new(Bucket(7), 42);
    DispatchId::new(InstanceTag::new(99), enrollment, NameNo(3))
}

fn news(about: About, fate: Fate, detail: &str) -> News {
    News::Receipt(Receipt {
        about,
        fate,
        at: None,
        detail: detail.to_owned(),
    })
}

async fn status(request: RequestBuilder) -> u16 {
    sent(request).await.status().as_u16()
}

impl Keen {
    fn take(&self) -> Vec<News> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

#[tokio::test]
async fn a_callback_in_the_manner_of_kannel_tells_what_became_of_the_message_in_its_address() {
    let (site, keen) = telling(receipts(ReceiptId::Address)).await;
    let id = id();
    for (stat, fate) in [
        ("1", Fate::Delivered),
        ("2", Fate::Failed),
        ("4", Fate::Accepted),
        ("8", Fate::Accepted),
        ("16", Fate::Failed),
    ] {
        let url = format!("/hooks/sms/status/{id}/{SECRET}?stat={stat}");
        assert_eq!(read(site.get(&url)).await, (204, String::new()), "{stat}");
        let told = news(About::Dispatch(id), fate, &format!("stat={stat}"));
        assert_eq!(keen.take(), [told], "{stat}");
    }
    let unknown = format!("/hooks/sms/status/{id}/{SECRET}?stat=32");
    assert_eq!(status(site.get(&unknown)).await, 204);
    assert_eq!(keen.take(), []);
}

#[tokio::test]
async fn a_form_or_a_body_of_json_tells_by_the_gateways_own_id() {
    let theirs = |each: Option<&str>, id: &str, status: &str| HttpReceipts {
        header: Some("X-Token".to_owned()),
        each: each.map(str::to_owned),
        status: status.to_owned(),
        detail: Some("why".to_owned()),
        ..receipts(ReceiptId::Theirs(id.to_owned()))
    };
    let told = |id: &str, fate, why: &str| news(About::Gateway(id.to_owned()), fate, why);
    let hook = "/hooks/sms/status";

    let (site, keen) = telling(theirs(None, "MessageSid", "stat")).await;
    let form = site.post(&format!("{hook}/")).header("x-token", SECRET);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("MessageSid=SM1&stat=delivrd&why=on+the%20phone");
    // What is behind `/hooks/sms/` must name something.
    assert_eq!(status(form).await, 204);
    assert_eq!(keen.take(), [told("SM1", Fate::Delivered, "on the phone")]);

    let (site, keen) = telling(theirs(Some("/results"), "/message/id", "stat")).await;
    let body = r#"{"results":[
        {"message":{"id":17},"stat":"DELIVRD","why":"a"},
        {"message":{"id":"x"},"stat":"dead","why":"b"},
        {"message":{"id":"y"},"stat":"on its way","why":"c"}
    ]}"#;
    let post = site.post(hook).header("x-token", SECRET).body(body);
    assert_eq!(status(post).await, 204);
    let dead = Fate::Bounced(Bounce::Hard);
    let expected = [told("17", Fate::Delivered, "a"), told("x", dead, "b")];
    assert_eq!(keen.take(), expected);
}

#[tokio::test]
async fn a_forged_secret_is_refused_and_nothing_is_heard() {
    let (site, keen) = telling(receipts(ReceiptId::Address)).await;
    let id = id();
    let long = "x".repeat(10_000);
    for path in [
        format!("status/{id}/another-secret-of-length?stat=1"),
        format!("status/{id}/{SECRET}x?stat=1"),
        format!("status/{id}/{}?stat=1", &SECRET[1..]),
        format!("status/{id}/?stat=1"),
        format!("status/{id}?stat=1"),
        format!("status/{long}?stat=1"),
        "status?stat=1".to_owned(),
    ] {
        let got = status(site.get(&format!("/hooks/sms/{path}"))).await;
        assert_eq!(got, 403, "{path}");
    }
    assert_eq!(keen.take(), []);
}

#[tokio::test]
async fn a_secret_in_the_header_counts_only_there() {
    let how = HttpReceipts {
        header: Some("X-Token".to_owned()),
        ..receipts(ReceiptId::Ours("id".to_owned()))
    };
    let (site, keen) = telling(how).await;
    let id = id();
    let url = format!("/hooks/sms/status?stat=1&id={id}");
    assert_eq!(status(site.get(&url)).await, 403);
    let forged = site.get(&url).header("x-token", "another-secret-of-length");
    assert_eq!(status(forged).await, 403);
    let in_address = format!("/hooks/sms/status/{SECRET}?stat=1&id={id}");
    assert_eq!(status(site.get(&in_address)).await, 403);
    assert_eq!(keen.take(), []);
    let right = site.get(&url).header("X-Token", SECRET);
    assert_eq!(status(right).await, 204);
    assert_eq!(keen.take().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_and_what_is_not_there_is_told_apart() {
    let (site, keen) = telling(receipts(ReceiptId::Address)).await;
    let id = id();
    let at = |rest: &str| format!("/hooks/sms/status/{rest}");
    for (url, expected) in [
        (at(&format!("{id}/{SECRET}")), 400),
        (at(&format!("nothing/{SECRET}?stat=1")), 400),
        (at(&format!("{SECRET}?stat=1")), 400),
        (at(&format!("{id}/more/{SECRET}?stat=1")), 404),
        (format!("/hooks/sms/other/{SECRET}?stat=1"), 404),
        (format!("/hooks/push/status/{id}/{SECRET}?stat=1"), 404),
        (format!("/hooks/fax/status/{id}/{SECRET}?stat=1"), 404),
    ] {
        assert_eq!(status(site.get(&url)).await, expected, "{url}");
    }
    let url = at(&format!("{id}/{SECRET}"));
    assert_eq!(status(site.post(&url).body("{")).await, 400);
    let kind = site.post(&url).header("content-type", "application/json");
    assert_eq!(status(kind.body(vec![0xff, 0xfe])).await, 400);
    let huge = site.post(&url).body("x".repeat(65 * 1024));
    assert_eq!(status(huge).await, 413);
    assert_eq!(keen.take(), []);
}

#[tokio::test]
async fn who_is_not_stored_is_asked_to_tell_again() {
    let (site, keen) = telling(receipts(ReceiptId::Address)).await;
    let url = format!("/hooks/sms/status/{}/{SECRET}?stat=1", id());
    keen.is_deaf.store(true, Ordering::SeqCst);
    let answer = sent(site.get(&url)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "30");
    assert_eq!(keen.take(), []);
    keen.is_deaf.store(false, Ordering::SeqCst);
    assert_eq!(status(site.get(&url)).await, 204);
    assert_eq!(keen.take().len(), 1);
}

#[tokio::test]
async fn who_guesses_is_told_to_wait_and_the_gateway_itself_is_not() {
    let (site, keen) = telling(receipts(ReceiptId::Address)).await;
    let id = id();
    for n in 0..25 {
        let url = format!("/hooks/sms/status/{id}/guess-number-{n:010}?stat=1");
        let answer = sent(site.get(&url)).await;
        let expected = if n < 20 { 403 } else { 429 };
        assert_eq!(answer.status(), expected, "{n}");
        assert_eq!(answer.headers().contains_key("retry-after"), n >= 20);
    }
    let url = format!("/hooks/sms/status/{id}/{SECRET}?stat=1");
    assert_eq!(status(site.get(&url)).await, 204);
    assert_eq!(keen.take().len(), 1);
}
