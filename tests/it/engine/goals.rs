//! Owns the tests of goals: who reached them, by which entry, and after which message.

use drumbeat::domain::interaction::Kind;
use drumbeat::domain::revision::NameKind;
use drumbeat::store::Reached;

use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

const GOAL: &str = "goal: { when: { did: conversion }, within: 10d }";

impl Rig {
    /// For each entry of the customer into `f`, the first first: when the goal was reached, in days since
    /// the start of the test, and after which step.
    async fn goals(&self, customer: &str) -> Vec<Option<(i64, Option<String>)>> {
        let start: jiff::Timestamp = super::rig::START.parse().unwrap();
        let numbers = self.store.numbers().await.unwrap();
        let flow = numbers.number(NameKind::Flow, "f");
        let runs = self.store.runs(self.id(customer).await, flow.unwrap());
        let told = |reached: Reached| {
            let step = reached.step.map(|step| {
                let name = numbers.name(NameKind::Step, step);
                name.unwrap().to_owned()
            });
            (reached.at.duration_since(start).as_hours() / 24, step)
        };
        let mut runs = runs.await.unwrap();
        runs.reverse();
        runs.into_iter().map(|run| run.goal.map(told)).collect()
    }
}

fn reached(days: i64, step: &str) -> (i64, Option<String>) {
    (days, Some(format!("f/{step}")))
}

async fn rig(more: &str) -> Rig {
    let steps = [email("hello", "after: 1d"), sms("text", "after: 3d")];
    let mut rig = Rig::with(&flow("f", LYON, more, &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig
}

#[tokio::test]
async fn a_goal_is_counted_once_for_the_last_message_before_it() {
    let mut rig = rig(GOAL).await;
    rig.advance("2d").await;
    assert_eq!(rig.goals("ana").await, [None]);
    rig.did("ana", Kind::Conversion).await;
    rig.advance("5d").await;
    rig.did("ana", Kind::Conversion).await;
    rig.settle().await;
    assert_eq!(rig.goals("ana").await, [Some(reached(2, "hello"))]);
    // It does not end the run unless the flow says so.
    assert_eq!(
        rig.ledger("ana").await,
        ["hello sent", "text sent", "f completed"]
    );
    let history: Vec<String> = rig
        .history("ana")
        .await
        .into_iter()
        .map(|l| l.kind)
        .collect();
    assert_eq!(
        history
            .iter()
            .filter(|kind| *kind == "reached-goal")
            .count(),
        1
    );
}

#[tokio::test]
async fn before_the_first_message_no_message_has_it_and_after_the_end_the_last_one() {
    let mut early = rig(GOAL).await;
    early.did("ana", Kind::Conversion).await;
    early.advance("1h").await;
    assert_eq!(
        early.goals("ana").await,
        [None],
        "it was not after the entry"
    );
    early.did("ana", Kind::Conversion).await;
    early.settle().await;
    assert_eq!(early.goals("ana").await, [Some((0, None))]);

    let mut late = rig(GOAL).await;
    late.advance("9d").await;
    assert_eq!(late.ledger("ana").await.last().unwrap(), "f completed");
    late.did("ana", Kind::Conversion).await;
    late.settle().await;
    assert_eq!(late.goals("ana").await, [Some(reached(9, "text"))]);
}

#[tokio::test]
async fn what_comes_after_its_time_is_not_counted() {
    let mut rig = rig(GOAL).await;
    rig.advance("11d").await;
    rig.did("ana", Kind::Conversion).await;
    rig.settle().await;
    assert_eq!(rig.goals("ana").await, [None]);
}

#[tokio::test]
async fn a_goal_that_says_so_ends_the_run_at_once_and_at_the_claim() {
    let ending = "goal: { when: { did: conversion }, exit: true }";
    let mut at_once = rig(ending).await;
    at_once.advance("2d").await;
    at_once.did("ana", Kind::Conversion).await;
    at_once.settle().await;
    assert_eq!(at_once.ledger("ana").await, ["hello sent", "f exited goal"]);
    assert_eq!(at_once.goals("ana").await, [Some(reached(2, "hello"))]);

    let mut claimed = rig(ending).await;
    claimed.advance("2d").await;
    claimed.sent();
    claimed.sleep("5d");
    claimed.did("ana", Kind::Conversion).await;
    claimed.claim().await;
    assert_eq!(claimed.sent(), [""; 0]);
    claimed.settle().await;
    let ledger = ["hello sent", "text withheld goal_reached", "f exited goal"];
    assert_eq!(claimed.ledger("ana").await, ledger);
    assert_eq!(claimed.goals("ana").await, [Some(reached(7, "hello"))]);
}

#[tokio::test]
async fn those_who_are_held_out_reach_it_too() {
    let everybody = format!("{GOAL}\nentry: {{ holdout: 100% }}");
    let mut rig = rig(&everybody).await;
    rig.advance("2d").await;
    rig.did("ana", Kind::Conversion).await;
    rig.settle().await;
    assert_eq!(rig.goals("ana").await, [Some((2, None))]);
}

#[tokio::test]
async fn an_edited_goal_measures_those_who_enter_from_then_on() {
    let mut rig = rig(GOAL).await;
    rig.advance("2d").await;
    let steps = [email("hello", "after: 1d"), sms("text", "after: 3d")];
    let other = "goal: { when: { did: login }, within: 10d }";
    rig.edit("flows/f.yaml", &flow("f", LYON, other, &steps))
        .await;
    rig.customer("bo", "city=Lyon").await;
    rig.advance("1d").await;
    rig.did("ana", Kind::Login).await;
    rig.did("bo", Kind::Login).await;
    rig.settle().await;
    assert_eq!(rig.goals("ana").await, [None]);
    assert_eq!(rig.goals("bo").await, [Some(reached(3, "hello"))]);
}

#[tokio::test]
async fn of_two_entries_the_last_one_reaches_it() {
    let again = format!("{GOAL}\nentry: {{ reentry: every-requalification }}");
    let mut rig = rig(&again).await;
    rig.advance("5d").await;
    rig.set("ana", "city=Rome").await;
    rig.advance("1d").await;
    rig.set("ana", "city=Lyon").await;
    rig.advance("2d").await;
    rig.did("ana", Kind::Conversion).await;
    rig.settle().await;
    assert_eq!(rig.goals("ana").await, [None, Some(reached(8, "hello"))]);
}
