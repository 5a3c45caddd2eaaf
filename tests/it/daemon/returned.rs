//! What comes back by mail, from the message that is sent through a real mail server to the step that is not.

use std::fs;

use serde_json::Value;

use super::process::{Place, Running};
use crate::rig::bounce::feedback;
use crate::rig::port;
use crate::rig::postfix::Postfix;

const TEXT: &str =
    "{ subject: Hello, text: \"{{ unsubscribe_url }} {{ organization.postal_address }}\" }";

fn flow(id: &str, city: &str) -> String {
    format!(
        "flow: {id}\nname: {id}\ncategory: onboarding\ngroup: retail\n\
         segment: {{ where: {{ field: city, is: {city} }} }}\n\
         steps: [ {{ id: hello, email: {TEXT} }} ]\n"
    )
}

/// Who is in Lyon is written to; who moves to Nice would be written to again.
async fn place(postfix: &Postfix, returns: &str, people: &str) -> Place {
    let place = Place::new().await;
    let channel = format!(
        "channel: email\n\
         gateway: {{ smtp: {{ host: 127.0.0.1, port: \"{}\", security: none }} }}\n\
         from: Lakeside <hello@news.test>\n\
         returns: {{ address: bounces@news.test, {returns} }}\n",
        postfix.port
    );
    place.write("email.yaml", &channel);
    fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
    place.write("flows/first.yaml", &flow("first", "Lyon"));
    place.write("flows/second.yaml", &flow("second", "Nice"));
    place.write("customers.csv", &format!("id,email,city\n{people}"));
    place.said(&["import", "customers.csv"]).await;
    place
}

pub(super) async fn dispatches(place: &Place, flow: &str) -> Vec<Value> {
    let ledger = place.facts(&["dispatches", "--flow", flow]).await;
    ledger["dispatches"].as_array().unwrap().clone()
}

/// `STATE` or `STATE REASON` of somebody's message, once it is that.
pub(super) async fn until(
    running: &Running,
    place: &Place,
    flow: &str,
    customer: &str,
    expected: &str,
) {
    let awaited = format!("{expected} for {customer}");
    let look = async |_: &_| {
        let all = dispatches(place, flow).await;
        let one = all.iter().find(|one| one["customer"] == customer)?;
        let state = one["state"].as_str().unwrap();
        let stands = match one["reason"].as_str() {
            Some(reason) => format!("{state} {reason}"),
            None => state.to_owned(),
        };
        (stands == expected).then_some(())
    };
    running.until(&awaited, look).await;
}

async fn moves_to_nice(place: &Place, customers: &[&str]) {
    let mut lines = vec!["id,city".to_owned()];
    lines.extend(customers.iter().map(|id| format!("{id},Nice")));
    place.write("moved.csv", &lines.join("\n"));
    place.said(&["import", "moved.csv"]).await;
}

#[tokio::test]
async fn bounces_and_complaints_that_a_mail_server_brings_withhold_the_next_step() {
    let lmtp = port::free();
    let postfix = Postfix::start_returning(Some(lmtp)).await;
    let people = "ana,nobody@late.test,Lyon\nbo,spam@late.test,Lyon\ncy,cy@ok.test,Lyon\n";
    let place = place(&postfix, &format!("lmtp: \"127.0.0.1:{lmtp}\""), people).await;
    let daemon = place.run().await;

    until(&daemon, &place, "first", "ana", "bounced").await;
    until(&daemon, &place, "first", "bo", "bounced").await;
    let mail = postfix.received("cy").await;
    let sender = mail.split("Return-Path: <").nth(1).unwrap();
    let sender = sender.split('>').next().unwrap();
    assert!(
        sender.starts_with("bounces+") && sender.ends_with("@news.test"),
        "{sender}"
    );
    postfix
        .bring("bounces@news.test", &feedback("abuse", sender))
        .await;
    until(&daemon, &place, "first", "cy", "delivered").await;

    let told = place.said(&["explain", "ana", "first"]).await;
    assert!(
        told.contains("bounced (hard)") && told.contains("5.1.1"),
        "{told}"
    );
    let told = place.said(&["explain", "bo", "first"]).await;
    assert!(
        told.contains("bounced (policy)") && told.contains("5.7.1"),
        "{told}"
    );
    moves_to_nice(&place, &["ana", "bo", "cy"]).await;
    until(
        &daemon,
        &place,
        "second",
        "ana",
        "withheld address_suppressed",
    )
    .await;
    until(
        &daemon,
        &place,
        "second",
        "cy",
        "withheld address_suppressed",
    )
    .await;
    // One that a policy turned away has a good address, and says nothing of the channel.
    until(&daemon, &place, "second", "bo", "bounced").await;
    let told = place.said(&["explain", "ana", "second"]).await;
    assert!(told.contains("withheld: address_suppressed"), "{told}");
    assert!(
        told.contains("suppressed on ") && told.contains("5.1.1"),
        "{told}"
    );
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn bounces_that_a_mail_server_puts_into_a_maildir_withhold_the_next_step() {
    let postfix = Postfix::start_returning(None).await;
    let maildir = format!("maildir: \"{}\"", postfix.maildir().display());
    let place = place(&postfix, &maildir, "ana,nobody@late.test,Lyon\n").await;
    let daemon = place.run().await;
    until(&daemon, &place, "first", "ana", "bounced").await;
    let read = || {
        let mut files = fs::read_dir(postfix.maildir().join("cur")).ok()?.flatten();
        files.find(|file| file.file_name().to_string_lossy().ends_with(":2,S"))
    };
    port::eventually("the bounce in `cur`", read).await;
    moves_to_nice(&place, &["ana"]).await;
    until(
        &daemon,
        &place,
        "second",
        "ana",
        "withheld address_suppressed",
    )
    .await;
    assert_eq!(daemon.stop().await, Some(0));
}
