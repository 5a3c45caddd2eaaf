//! Owns the tests of steps that wait for something to happen.

use drumbeat::domain::interaction::Kind;

use super::rig::Rig;
use super::written::{LYON, any, email, flow};

async fn rig(otherwise: &str) -> Rig {
    let wait = format!("wait-for: {{ did: login, at-most: 7d{otherwise} }}");
    let steps = [
        any("app", &wait),
        email("thanks", ""),
        email("sorry", "after: 1d"),
    ];
    Rig::with(&flow("f", LYON, "", &steps)).await
}

#[tokio::test]
async fn what_is_waited_for_ends_the_wait_at_once() {
    let mut rig = rig("").await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("3d").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.did("ana", Kind::Login).await;
    rig.advance("0s").await;
    assert_eq!(rig.sent(), ["01-08 10:00 ana email thanks"]);
}

#[tokio::test]
async fn another_thing_that_happens_does_not_end_it() {
    let mut rig = rig("").await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("3d").await;
    rig.did("ana", Kind::Logout).await;
    rig.set("ana", "points=3").await;
    rig.advance("3d").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.advance("1d").await;
    assert_eq!(rig.sent(), ["01-12 10:00 ana email thanks"]);
}

#[tokio::test]
async fn what_happened_before_the_step_began_but_in_the_run_counts() {
    let steps = [
        email("hello", "after: 2d"),
        any("app", "wait-for: { did: login, at-most: 7d }"),
        email("thanks", ""),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    rig.did("ana", Kind::Login).await;
    rig.advance("2d").await;
    let sent = [
        "01-07 10:00 ana email hello",
        "01-07 10:00 ana email thanks",
    ];
    assert_eq!(rig.sent(), sent);
}

#[tokio::test]
async fn a_wait_in_vain_goes_where_the_step_says() {
    for (otherwise, sent, end) in [
        (", otherwise: exit", vec![], "f exited wait_expired"),
        (
            ", otherwise: sorry",
            vec!["01-13 10:00 ana email sorry"],
            "f completed",
        ),
    ] {
        let mut rig = rig(otherwise).await;
        rig.customer("ana", "city=Lyon").await;
        rig.advance("20d").await;
        assert_eq!(rig.sent(), sent);
        assert_eq!(rig.ledger("ana").await.last().unwrap(), end);
    }
}

#[tokio::test]
async fn a_paused_flow_waits_with_those_who_wait() {
    let mut rig = rig("").await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    rig.pause_flow("f").await;
    rig.did("ana", Kind::Login).await;
    rig.advance("1d").await;
    assert_eq!(rig.sent(), [""; 0]);
    rig.resume_flow("f").await;
    rig.advance("1h").await;
    assert_eq!(rig.sent().len(), 1, "what happened during the pause counts");
}
