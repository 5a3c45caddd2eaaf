//! Owns what a message centre tells: receipts and replies reach the ear, and the centre hears whether they were stored.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use drumbeat::channels::smpp::Smpp;
use drumbeat::channels::{Ear, Gateway as _, Unheard};
use drumbeat::domain::gateway::{MessageIdForm, SmppGateway};
use drumbeat::domain::news::{About, Bounce, Fate, News, Receipt, Reply};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::smpp::{centre, open, send};
use crate::rig::port::eventually;
use crate::rig::smsc::Smsc;

/// Keeps what it hears, or refuses to.
#[derive(Default)]
struct Book {
    news: Mutex<Vec<News>>,
    closed: AtomicBool,
}

impl Ear for Book {
    fn hear(&self, news: Vec<News>) -> BoxFuture<'_, Result<(), Unheard>> {
        Box::pin(async move {
            if self.closed.load(Ordering::SeqCst) {
                return Err(Unheard("the book is closed".to_owned()));
            }
            self.news.lock().unwrap().extend(news);
            Ok(())
        })
    }
}

impl Book {
    async fn receipts(&self, count: usize) -> Vec<Receipt> {
        eventually(&format!("{count} receipts"), || {
            let news = self.news.lock().unwrap();
            let receipts = news.iter().filter_map(|news| match news {
                News::Receipt(receipt) => Some(receipt.clone()),
                News::Reply(_) | News::Passed(_) => None,
            });
            let receipts: Vec<Receipt> = receipts.collect();
            (receipts.len() >= count).then_some(receipts)
        })
        .await
    }

    async fn replies(&self, count: usize) -> Vec<Reply> {
        eventually(&format!("{count} replies"), || {
            let news = self.news.lock().unwrap();
            let replies = news.iter().filter_map(|news| match news {
                News::Reply(reply) => Some(reply.clone()),
                News::Receipt(_) | News::Passed(_) => None,
            });
            let replies: Vec<Reply> = replies.collect();
            (replies.len() >= count).then_some(replies)
        })
        .await
    }
}

/// Listens while something is done.
async fn listening<T>(gateway: &Smpp, book: &Book, done: impl Future<Output = T>) -> T {
    let listening = gateway.listen(book).expect("it listens");
    tokio::select! {
        () = listening => panic!("it listens for ever"),
        done = timeout(Duration::from_mins(2), done) => done.expect("done in time"),
    }
}

fn about(receipt: &Receipt) -> (&About, Fate) {
    (&receipt.about, receipt.fate)
}

#[tokio::test]
async fn a_receipt_tells_what_became_of_the_message() {
    for (receipts, fate) in [
        ("tlv", Fate::Delivered),
        ("text", Fate::Delivered),
        ("undelivered", Fate::Bounced(Bounce::Soft)),
    ] {
        let smsc = Smsc::start(&json!({ "receipts": receipts })).await;
        let gateway = open(&centre(smsc.port));
        let book = Book::default();
        let heard = listening(&gateway, &book, async {
            // The session that listens is bound without a message, and is the one that sends.
            smsc.said("bind", 1).await;
            send(&gateway, "Hi").await;
            let answered = smsc.said("receipt", 1).await;
            assert_eq!(answered[0]["status"], 0);
            book.receipts(1).await
        })
        .await;
        let expected = About::Gateway("m-1".to_owned());
        assert_eq!(about(&heard[0]), (&expected, fate));
        assert!(
            heard[0].detail.starts_with("id:m-1 sub:001 "),
            "{}",
            heard[0].detail
        );
        assert_eq!(smsc.so_far("bind").await.len(), 1);
    }
}

#[tokio::test]
async fn a_receipt_that_is_not_stored_is_asked_for_again() {
    let smsc = Smsc::start(&json!({ "receipts": "tlv" })).await;
    let gateway = open(&centre(smsc.port));
    // Nobody listens.
    send(&gateway, "one").await;
    assert_eq!(smsc.said("receipt", 1).await[0]["status"], 0x64);
    let book = Book::default();
    book.closed.store(true, Ordering::SeqCst);
    listening(&gateway, &book, async {
        send(&gateway, "two").await;
        assert_eq!(smsc.said("receipt", 2).await[1]["status"], 0x64);
        book.closed.store(false, Ordering::SeqCst);
        smsc.ask(&json!({ "deliver": {
            "esm_class": 4, "source_addr": "15550100", "short_message": "id:m-2 stat:DELIVRD",
        }}));
        assert_eq!(smsc.said("delivered", 1).await[0]["status"], 0);
    })
    .await;
    let heard = book.receipts(1).await;
    assert_eq!(heard.len(), 1);
    assert_eq!(
        about(&heard[0]),
        (&About::Gateway("m-2".to_owned()), Fate::Delivered)
    );
}

#[tokio::test]
async fn ids_that_the_centre_writes_in_two_ways_are_one() {
    let smsc = Smsc::start(&json!({ "receipts": "text", "ids": "hex" })).await;
    let gateway = open(&SmppGateway {
        message_id: MessageIdForm::HexInResponse,
        ..centre(smsc.port)
    });
    let book = Book::default();
    listening(&gateway, &book, async {
        let (outcome, _) = send(&gateway, "Hi").await;
        let id = (0xabc00 + 1).to_string();
        assert_eq!(outcome, format!("accepted | submit_sm: ESME_ROK, id {id}"));
        assert_eq!(book.receipts(1).await[0].about, About::Gateway(id));
    })
    .await;
}

#[tokio::test]
async fn a_message_in_parts_is_delivered_with_its_first_and_fails_with_any() {
    for (receipts, expected) in [
        ("tlv", vec![Fate::Delivered]),
        ("undelivered", vec![Fate::Bounced(Bounce::Soft); 3]),
    ] {
        let smsc = Smsc::start(&json!({ "submit": ["slow"], "receipts": receipts })).await;
        let gateway = open(&centre(smsc.port));
        let book = Book::default();
        listening(&gateway, &book, async {
            send(&gateway, &"a".repeat(400)).await;
            smsc.said("receipt", 3).await;
            book.receipts(1).await;
        })
        .await;
        // A receipt that came before all parts were taken named its part; the others name the first.
        let first = About::Gateway("m-1".to_owned());
        let heard = book.receipts(1).await;
        let fates = heard.iter().filter(|receipt| receipt.about == first);
        let fates: Vec<Fate> = fates.map(|receipt| receipt.fate).collect();
        assert!(
            !fates.is_empty() && fates.iter().all(|fate| expected.contains(fate)),
            "{heard:?}"
        );
    }
}

fn deliver(message: &Value, more: &Value) -> Value {
    let mut deliver = json!({
        "source_addr": "15550100", "destination_addr": "777", "short_message": message,
    });
    for (key, value) in more.as_object().unwrap() {
        deliver[key] = value.clone();
    }
    json!({ "deliver": deliver })
}

#[tokio::test]
async fn what_somebody_writes_back_is_heard_whole() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let book = Book::default();
    let parts = |at: u8, text: &str| json!({ "udh": format!("0500032a020{at}"), "message": text });
    let sar =
        |at: u8| json!({ "sar_msg_ref_num": 9, "sar_total_segments": 2, "sar_segment_seqnum": at });
    listening(&gateway, &book, async {
        smsc.said("bind", 1).await;
        // The answer to the bind may still be under way.
        send(&gateway, "Hi").await;
        for told in [
            deliver(&json!("STOP"), &json!({})),
            deliver(&json!("Año €"), &json!({ "data_coding": 0 })),
            deliver(&parts(2, "мир 😀"), &json!({ "data_coding": 8 })),
            deliver(&parts(1, "Привет, "), &json!({ "data_coding": 8 })),
            deliver(&json!("one, "), &sar(1)),
            deliver(&json!("two"), &sar(2)),
        ] {
            smsc.ask(&told);
        }
        let answers = smsc.said("delivered", 6).await;
        assert!(
            answers.iter().all(|answer| answer["status"] == 0),
            "{answers:?}"
        );
    })
    .await;
    let replies = book.replies(4).await;
    let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    assert_eq!(texts, ["STOP", "Año €", "Привет, мир 😀", "one, two"]);
    for reply in &replies {
        assert_eq!(
            (reply.from.as_str(), reply.to.as_str()),
            ("15550100", "777")
        );
    }
    let mut ids: Vec<&str> = replies.iter().map(|reply| reply.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_part_whose_others_never_come_is_told_alone_in_the_end() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let book = Book::default();
    listening(&gateway, &book, async {
        smsc.said("bind", 1).await;
        send(&gateway, "Hi").await;
        let part = json!({ "udh": "0500032a0202", "message": "and STOP" });
        smsc.ask(&deliver(&part, &json!({ "data_coding": 0 })));
        assert_eq!(smsc.said("delivered", 1).await[0]["status"], 0);
        assert_eq!(book.replies(1).await[0].text, "and STOP");
    })
    .await;
}

#[tokio::test]
async fn whoever_listens_is_bound_again_when_the_session_ends() {
    let smsc = Smsc::start(&json!({})).await;
    let gateway = open(&centre(smsc.port));
    let book = Book::default();
    listening(&gateway, &book, async {
        for bound in 1..=3 {
            smsc.said("bind", bound).await;
            smsc.ask(&json!({ "close": true }));
        }
        smsc.said("bind", 4).await;
    })
    .await;
    assert!(gateway.listens_on_every_node());
}

#[tokio::test]
async fn a_centre_on_another_library_is_understood_too() {
    let smsc = Smsc::start_smpp34().await;
    let gateway = open(&centre(smsc.port));
    let book = Book::default();
    listening(&gateway, &book, async {
        let (outcome, _) = send(&gateway, "Hi @ 10 €").await;
        assert_eq!(outcome, "accepted | submit_sm: ESME_ROK, id 1");
        let heard = book.receipts(1).await;
        assert_eq!(
            about(&heard[0]),
            (&About::Gateway("1".to_owned()), Fate::Delivered)
        );
    })
    .await;
    let submit = &smsc.said("submit", 1).await[0];
    let expected = json!(["15550100", 0, 1, "4869200020313020 1b65".replace(' ', "")]);
    let keys = ["to", "esm_class", "registered_delivery", "bytes"];
    let found: Vec<Value> = keys.iter().map(|key| submit[key].clone()).collect();
    assert_eq!(json!(found), expected);
    drop(gateway);
    smsc.said("unbind", 1).await;
}
