//! Owns the tests of segments that ask who is in a flow: every way in and out of one is seen at once.

use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::Scope;
use drumbeat::engine::reconcile;
use rstest::rstest;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, sms};

/// How the run ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Message,
    Waiting,
    Skipped,
    ExitCondition,
    LeftSegment,
    Dismissed,
    Stopped,
}

impl End {
    fn flow(self) -> String {
        let more = match self {
            Self::ExitCondition => "exit: { when: { did: conversion } }",
            Self::LeftSegment => "exit: { on-leaving-segment: true }",
            _ => "",
        };
        let step = match self {
            Self::Message => email("hello", "after: 2d"),
            Self::Skipped => email("hello", "after: 2d, on-skip: exit"),
            _ => any("wait", "after: 2d"),
        };
        flow("f", LYON, more, &[step])
    }

    async fn comes(self, rig: &mut Rig) {
        match self {
            Self::Message | Self::Waiting => rig.advance("2d").await,
            Self::Skipped => {
                rig.unsubscribe("ana", &Scope::default()).await;
                rig.advance("2d").await;
            }
            Self::ExitCondition => rig.did("ana", Kind::Conversion).await,
            Self::LeftSegment => rig.set("ana", "city=Rome").await,
            Self::Dismissed => rig.dismiss("ana", "f").await,
            Self::Stopped => {
                let stopped = flow("f", LYON, "status: stopped", &[any("wait", "after: 2d")]);
                rig.edit("flows/f.yaml", &stopped).await;
            }
        }
    }
}

#[rstest]
#[case(End::Message)]
#[case(End::Waiting)]
#[case(End::Skipped)]
#[case(End::ExitCondition)]
#[case(End::LeftSegment)]
#[case(End::Dismissed)]
#[case(End::Stopped)]
#[tokio::test]
async fn whoever_is_out_of_a_flow_is_so_for_segments_at_once(#[case] end: End) {
    let free = "{ all: [ { field: points, at-least: 1 }, { not: { in-flow: f } } ] }";
    let second = flow("g", free, "", &[sms("text", "after: 30d")]);
    let mut rig = Rig::start(&[("flows/f.yaml", &end.flow()), ("flows/g.yaml", &second)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.set("ana", "points=1").await;
    rig.advance("1h").await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
    end.comes(&mut rig).await;
    rig.settle().await;
    assert_eq!(
        rig.entered("ana").await.len(),
        2,
        "{:?}",
        rig.ledger("ana").await
    );
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
}

#[rstest]
#[case("")]
#[case("entry: { limit: 1 per hour }")]
#[tokio::test]
async fn whoever_enters_a_flow_is_in_it_for_segments_at_once(#[case] more: &str) {
    let first = flow("f", LYON, more, &[any("wait", "after: 30d")]);
    let second = flow("g", "{ in-flow: f }", "", &[sms("text", "after: 30d")]);
    let mut rig = Rig::start(&[("flows/f.yaml", &first), ("flows/g.yaml", &second)]).await;
    rig.customer("eva", "city=Rome").await;
    rig.customer("bob", "city=Lyon").await;
    // Bob is found as the flow is activated, Ana comes to qualify.
    rig.settle().await;
    rig.customer("ana", "city=Lyon").await;
    rig.live("3h", "30min").await;
    for customer in ["ana", "bob"] {
        assert_eq!(rig.entered(customer).await.len(), 2, "{customer}");
    }
    assert_eq!(rig.entered("eva").await.len(), 0);
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_enters_once_more_is_in_the_flow_again_for_segments() {
    let again = "entry: { reentry: every 10d }";
    let first = flow("f", LYON, again, &[any("wait", "after: 1d")]);
    let each_time = "entry: { reentry: every-requalification }\nexit: { on-leaving-segment: true }";
    let second = flow(
        "g",
        "{ in-flow: f }",
        each_time,
        &[any("wait", "after: 30d")],
    );
    let mut rig = Rig::start(&[("flows/f.yaml", &first), ("flows/g.yaml", &second)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("12d").await;
    let mut ended = rig.ledger("ana").await;
    ended.sort();
    let (first, second) = ("f completed", "g exited left_segment");
    assert_eq!(ended, [first, first, second, second]);
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
}

#[tokio::test]
async fn nobody_is_looked_at_again_when_no_segment_asks_who_is_in_a_flow() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[any("wait", "after: 1d")])).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.sleep("2d");
    rig.claim().await;
    assert_eq!(rig.ledger("ana").await, ["f completed"]);
    assert_eq!(rig.number("SELECT count(*) FROM dirty").await, 0);
}
