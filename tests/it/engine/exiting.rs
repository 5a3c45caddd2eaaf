//! Owns the tests of leaving a flow before its end.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Status;
use drumbeat::domain::interaction::Kind;
use rstest::rstest;

use super::outbox::deferred;
use super::people::by;
use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

const CONVERTED: &str = "exit: { when: { did: conversion } }";

async fn rig(more: &str) -> Rig {
    let steps = [email("hello", "after: 1d"), sms("text", "after: 7d")];
    let mut rig = Rig::with(&flow("f", LYON, more, &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("3d").await;
    rig.sent();
    rig
}

#[tokio::test]
async fn an_exit_condition_acts_when_it_is_met_and_not_when_the_wait_ends() {
    let mut rig = rig(CONVERTED).await;
    rig.did("ana", Kind::Conversion).await;
    rig.settle().await;
    assert_eq!(
        rig.ledger("ana").await,
        ["hello sent", "f exited exit_condition"]
    );
    rig.advance("30d").await;
    assert_eq!(rig.sent(), [""; 0]);
}

#[tokio::test]
async fn what_was_done_before_the_run_does_not_end_it() {
    let steps = [email("hello", "after: 1d")];
    let mut rig = Rig::with(&flow("f", LYON, CONVERTED, &steps)).await;
    rig.customer("ana", "city=Rome").await;
    rig.did("ana", Kind::Conversion).await;
    rig.advance("1d").await;
    rig.set("ana", "city=Lyon").await;
    rig.advance("2d").await;
    assert_eq!(rig.ledger("ana").await, ["hello sent", "f completed"]);
}

#[tokio::test]
async fn an_exit_condition_is_asked_again_when_a_message_is_claimed() {
    let mut rig = rig(CONVERTED).await;
    rig.sleep("5d");
    rig.did("ana", Kind::Conversion).await;
    rig.claim().await;
    assert_eq!(rig.sent(), [""; 0]);
    let ledger = [
        "hello sent",
        "text withheld exit_condition",
        "f exited exit_condition",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn an_exit_ends_the_retries_of_a_message() {
    let steps = [email("hello", "")];
    let mut rig = Rig::with(&flow("f", LYON, CONVERTED, &steps)).await;
    rig.outbox.answers(Channel::Email, [deferred(Some(600))]);
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.did("ana", Kind::Conversion).await;
    rig.advance("1d").await;
    assert_eq!(rig.sent(), ["01-05 10:00 ana email hello deferred"]);
    let ledger = ["hello withheld exit_condition", "f exited exit_condition"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn who_leaves_the_segment_stays_in_the_flow() {
    let mut rig = rig("").await;
    rig.set("ana", "city=Rome").await;
    rig.advance("30d").await;
    assert_eq!(rig.sent(), ["01-13 10:00 ana sms text"]);
}

#[tokio::test]
async fn who_leaves_the_segment_exits_at_once_where_the_flow_says_so() {
    let mut rig = rig("exit: { on-leaving-segment: true }").await;
    rig.set("ana", "city=Rome").await;
    rig.settle().await;
    assert_eq!(
        rig.ledger("ana").await,
        ["hello sent", "f exited left_segment"]
    );
}

#[tokio::test]
async fn leaving_the_segment_is_asked_again_when_a_message_is_claimed() {
    let mut rig = rig("exit: { on-leaving-segment: true }").await;
    rig.sleep("5d");
    rig.set("ana", "city=Rome").await;
    rig.claim().await;
    let ledger = [
        "hello sent",
        "text withheld no_longer_in_segment",
        "f exited left_segment",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_dismissal_ends_the_run_and_is_no_opt_out() {
    let mut rig = rig("dismissable: true").await;
    let steps = [sms("other", "after: 7d")];
    rig.edit("flows/g.yaml", &flow("g", LYON, "", &steps)).await;
    rig.dismiss("ana", "f").await;
    rig.advance("30d").await;
    assert_eq!(rig.sent(), ["01-15 10:00 ana sms other"]);
    let ledger = rig.ledger("ana").await;
    assert_eq!(ledger[1], "f exited dismissed");
}

#[rstest]
#[case(Status::Suspended, "suspended")]
#[case(Status::Discarded, "discarded")]
#[tokio::test]
async fn who_may_not_be_written_to_leaves_the_flow(#[case] status: Status, #[case] reason: &str) {
    let mut rig = rig("").await;
    rig.status("ana", status).await;
    rig.advance("30d").await;
    assert_eq!(rig.sent(), [""; 0]);
    let ledger = rig.ledger("ana").await;
    assert_eq!(ledger.last().unwrap(), &format!("f exited {reason}"));
}

#[tokio::test]
async fn who_may_not_be_written_to_does_not_enter() {
    let mut rig = rig("").await;
    rig.customer("bob", "city=Rome").await;
    rig.status("bob", Status::Suspended).await;
    rig.set("bob", "city=Lyon").await;
    rig.advance("1d").await;
    assert_eq!(rig.entered("bob").await, [""; 0]);
    rig.status("bob", Status::Active).await;
    rig.settle().await;
    assert_eq!(rig.entered("bob").await, ["01-09 10:00 f"]);
}

#[tokio::test]
async fn a_deleted_customer_gets_nothing_more() {
    let mut rig = rig("").await;
    let (id, by) = (rig.id("ana").await, by());
    let deleted = rig.store.delete_customer(id, &by, rig.now());
    deleted.await.unwrap();
    rig.advance("30d").await;
    assert_eq!(rig.sent(), [""; 0]);
    let left = "SELECT count(*) FROM enrollments WHERE status < 10";
    assert_eq!(rig.number(left).await, 0);
}

#[tokio::test]
async fn a_message_in_flight_to_a_customer_who_is_deleted_settles_into_nothing() {
    let mut rig = rig("").await;
    rig.sleep("5d");
    rig.take_out().await;
    let (id, by) = (rig.id("ana").await, by());
    let deleted = rig.store.delete_customer(id, &by, rig.now());
    deleted.await.unwrap();
    assert_eq!(rig.bring_back().await, 1);
    rig.settle().await;
    rig.sent();
    let claimed = "SELECT count(*) FROM dispatches WHERE state IN (0, 3)";
    assert_eq!(rig.number(claimed).await, 0);
}

#[tokio::test]
async fn what_comes_back_for_a_run_that_ended_meanwhile_is_kept_and_moves_nobody() {
    let mut rig = rig(CONVERTED).await;
    rig.sleep("5d");
    rig.take_out().await;
    rig.did("ana", Kind::Conversion).await;
    rig.enroll().await;
    assert_eq!(rig.bring_back().await, 1);
    rig.advance("30d").await;
    let ledger = ["hello sent", "f exited exit_condition", "text sent"];
    let mut kept = rig.ledger("ana").await;
    kept.sort();
    let mut expected = ledger.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(kept, expected);
    assert_eq!(rig.sent().len(), 1);
}
