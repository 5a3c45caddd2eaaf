//! Owns the tests of flows that are stopped: who leaves, and who walks on.

use drumbeat::domain::interaction::Kind;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, sms};

const DRAIN: &str = "status: stopped\nstop: drain";
const LEAVES: &str = "exit: { on-leaving-segment: true }";

fn welcome(more: &str) -> String {
    let steps = [
        email("hello", "after: 1d"),
        any("login", "wait-for: { did: login, at-most: 10d }"),
        sms("text", "after: 1d"),
    ];
    flow("f", LYON, &format!("{LEAVES}\n{more}"), &steps)
}

/// Ana and Bob are in it; the first message went out.
async fn rig(more: &str) -> Rig {
    let mut rig = Rig::with(&welcome("")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("bob", "city=Lyon").await;
    rig.advance("2d").await;
    rig.edit("flows/f.yaml", &welcome(more)).await;
    rig.customer("cy", "city=Lyon").await;
    rig.settle().await;
    rig.sent();
    rig
}

#[tokio::test]
async fn a_stopped_flow_lets_everybody_go_and_nobody_in() {
    let mut rig = rig("status: stopped").await;
    rig.advance("30d").await;
    assert_eq!(rig.sent(), [""; 0]);
    assert_eq!(
        rig.ledger("ana").await,
        ["hello sent", "f exited flow_stopped"]
    );
    assert_eq!(rig.entered("cy").await, [""; 0]);
}

#[tokio::test]
async fn who_is_in_a_flow_that_drains_walks_on_and_nobody_enters() {
    let mut rig = rig(DRAIN).await;
    rig.did("ana", Kind::Login).await;
    rig.advance("30d").await;
    let sent = ["01-08 10:00 ana sms text", "01-17 10:00 bob sms text"];
    assert_eq!(rig.sent(), sent);
    assert_eq!(rig.entered("cy").await, [""; 0]);
    let ledger = ["hello sent", "text sent", "f completed"];
    assert_eq!(rig.ledger("bob").await, ledger);
}

#[tokio::test]
async fn who_leaves_the_segment_of_a_flow_that_drains_exits_at_once() {
    let mut rig = rig(DRAIN).await;
    rig.set("ana", "city=Rome").await;
    rig.settle().await;
    let ledger = ["hello sent", "f exited left_segment"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn an_edit_moves_those_who_walk_on() {
    let mut rig = rig(DRAIN).await;
    let later = welcome(DRAIN).replace("at-most: 10d", "at-most: 20d");
    rig.edit("flows/f.yaml", &later).await;
    rig.advance("30d").await;
    let sent = ["01-27 10:00 ana sms text", "01-27 10:00 bob sms text"];
    assert_eq!(rig.sent(), sent);
}

#[tokio::test]
async fn who_waits_to_be_let_in_leaves_a_flow_that_drains() {
    let limit = "entry: { limit: 1 per day }";
    let mut rig = Rig::with(&welcome(limit)).await;
    for id in ["ana", "bob", "cy"] {
        rig.customer(id, "city=Lyon").await;
    }
    rig.settle().await;
    rig.edit("flows/f.yaml", &welcome(&format!("{limit}\n{DRAIN}")))
        .await;
    rig.advance("30d").await;
    assert!(rig.sent().len() <= 2);
    let live = rig
        .number("SELECT count(*) FROM enrollments WHERE status < 10")
        .await;
    let left = rig
        .number("SELECT count(*) FROM enrollments WHERE exit_reason = 9")
        .await;
    assert_eq!(live, 0);
    assert!(left >= 2, "{left}");
}

#[tokio::test]
async fn whoever_came_while_it_drained_enters_when_it_runs_again() {
    let mut rig = rig(DRAIN).await;
    rig.advance("1d").await;
    rig.edit("flows/f.yaml", &welcome("")).await;
    assert_eq!(rig.entered("cy").await, ["01-08 10:00 f"]);
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
}
