//! Owns the tests of entering a flow once more.

use drumbeat::domain::interaction::Kind;

use super::rig::Rig;
use super::written::{LYON, flow, sms};

async fn rig(entry: &str, delay: &str) -> Rig {
    let steps = [sms("hello", &format!("after: {delay}"))];
    let text = flow("f", LYON, entry, &steps);
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig
}

async fn leave_and_return(rig: &mut Rig) {
    rig.set("ana", "city=Rome").await;
    rig.advance("1d").await;
    rig.set("ana", "city=Lyon").await;
    rig.advance("1d").await;
}

#[tokio::test]
async fn a_customer_enters_a_flow_once() {
    let mut rig = rig("", "1h").await;
    rig.advance("1d").await;
    leave_and_return(&mut rig).await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
}

#[tokio::test]
async fn a_customer_enters_at_every_requalification() {
    let mut rig = rig("entry: { reentry: every-requalification }", "1h").await;
    rig.advance("1d").await;
    leave_and_return(&mut rig).await;
    leave_and_return(&mut rig).await;
    let entered = ["01-05 10:00 f", "01-07 10:00 f", "01-09 10:00 f"];
    assert_eq!(rig.entered("ana").await, entered);
    rig.set("ana", "points=3").await;
    rig.settle().await;
    assert_eq!(
        rig.entered("ana").await,
        entered,
        "a change is no requalification"
    );
}

#[tokio::test]
async fn nobody_is_in_a_flow_twice_at_once() {
    let mut rig = rig("entry: { reentry: every-requalification }", "30d").await;
    leave_and_return(&mut rig).await;
    leave_and_return(&mut rig).await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
    rig.advance("60d").await;
    assert_eq!(rig.sent(), ["02-04 10:00 ana sms hello"]);
}

#[tokio::test]
async fn a_member_enters_again_every_ninety_days() {
    let mut rig = rig("entry: { reentry: every 90d }", "1h").await;
    rig.advance("100d").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f", "04-05 10:00 f"]);
}

#[tokio::test]
async fn a_run_that_takes_longer_than_the_span_is_followed_by_the_next() {
    let mut rig = rig("entry: { reentry: every 90d }", "100d").await;
    rig.advance("99d").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
    rig.advance("5d").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f", "04-15 10:00 f"]);
}

#[tokio::test]
async fn who_left_meanwhile_enters_again_when_they_return() {
    let mut rig = rig("entry: { reentry: every 90d }", "1h").await;
    rig.advance("10d").await;
    rig.set("ana", "city=Rome").await;
    rig.advance("100d").await;
    assert_eq!(rig.entered("ana").await.len(), 1);
    rig.set("ana", "city=Lyon").await;
    rig.advance("1d").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f", "04-25 10:00 f"]);
}

#[tokio::test]
async fn a_return_before_the_span_is_over_enters_when_it_is() {
    let mut rig = rig("entry: { reentry: every 90d }", "1h").await;
    rig.advance("10d").await;
    leave_and_return(&mut rig).await;
    assert_eq!(rig.entered("ana").await.len(), 1);
    rig.advance("100d").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f", "04-05 10:00 f"]);
}

#[tokio::test]
async fn who_exited_by_a_condition_enters_again_when_the_span_is_over() {
    let entry = "entry: { reentry: every 90d }\nexit: { when: { did: conversion } }";
    let mut rig = rig(entry, "30d").await;
    rig.advance("10d").await;
    rig.did("ana", Kind::Conversion).await;
    rig.settle().await;
    assert_eq!(rig.ledger("ana").await, ["f exited exit_condition"]);
    rig.advance("100d").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f", "04-05 10:00 f"]);
}
