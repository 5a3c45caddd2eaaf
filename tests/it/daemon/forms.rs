//! The form that the unsubscribe link of a message leads to: filled in by hand, and obeyed.

use reqwest::Client;
use serde_json::json;

use super::gateways::parts_of;
use super::gateways::{Gateways, link};
use super::links::{FLOWS, record, records, wait};
use super::process::Place;

/// What is in the form of a page.
fn form(page: &str) -> Option<&str> {
    let form = page.split_once("<form method=\"post\"")?.1;
    Some(form.split_once("</form>")?.0)
}

/// Opens the form that a link leads to, and presses its button.
async fn fill_in(link: &str) {
    let browser = Client::builder().no_proxy().build().unwrap();
    let page = browser.get(link).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(form(&page).unwrap().contains("<button"), "{page}");
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let sent = browser.post(link).header(kind.0, kind.1).send().await;
    let page = sent.unwrap().text().await.unwrap();
    assert!(page.contains("You are unsubscribed"), "{page}");
}

#[tokio::test]
async fn a_form_behind_a_link_in_an_e_mail_unsubscribes_the_customer() {
    let place = Place::new().await;
    let gateways = Gateways::beside(&place, &FLOWS[..1]).await;
    let daemon = place.run().await;
    gateways.take(3, 0).await;
    let page = format!("http://127.0.0.1:{}/u/", place.port);
    let link = link(parts_of(&gateways.mails(), "ana").1, &page);
    assert_eq!(records(&place, "ana").await, json!([]));
    fill_in(&link).await;
    let of_ana = [record("mails", "link", "e-mail")];
    assert_eq!(records(&place, "ana").await, json!(of_ana));
    assert_eq!(records(&place, "ben").await, json!([]));
    wait(&place, daemon).await;
    let again = |id: &str| {
        let to = format!("To: {id}@example.com");
        let mails = gateways.mails().into_iter();
        let to = mails.filter(|mail| mail.contains(&to));
        to.filter(|mail| mail.contains("Subject: Again")).count()
    };
    assert_eq!((again("ana"), again("ben")), (0, 1));
}

#[tokio::test]
async fn a_form_behind_a_link_in_a_text_message_unsubscribes_the_customer() {
    let place = Place::new().await;
    let gateways = Gateways::beside(&place, &FLOWS[1..]).await;
    let daemon = place.run().await;
    gateways.take(0, 3).await;
    let page = format!("http://127.0.0.1:{}/u/", place.port);
    let texts = gateways.texts();
    let text = texts.iter().find(|text| text["to"] == "+59899100001");
    let link = link(text.unwrap()["text"].as_str().unwrap(), &page);
    fill_in(&link).await;
    let of_ana = [record("texts", "link", "text message")];
    assert_eq!(records(&place, "ana").await, json!(of_ana));
    assert_eq!(records(&place, "ben").await, json!([]));
    wait(&place, daemon).await;
    let second = gateways.texts().into_iter();
    let second = second.filter(|text| text["text"] == "Have you seen your card?");
    let mut to: Vec<String> = second.map(|text| text["to"].to_string()).collect();
    to.sort();
    assert_eq!(to, ["\"+59899100002\"", "\"+59899100003\""]);
}
