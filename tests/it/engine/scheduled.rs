//! Owns the tests of flows with a schedule: members enter at its instants, and only then.

use drumbeat::engine::Left;

use super::rig::Rig;
use super::written::{LYON, email, flow};

/// The tests begin on a Monday at 10:00.
const DAILY: &str = "schedule: \"0 9 * * *\"";

async fn rig(entry: &str) -> Rig {
    let entry = format!("entry: {{ {entry} }}");
    let mut rig = Rig::with(&flow("f", LYON, &entry, &[email("hello", "")])).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig
}

/// What was sent, each as day, time and customer.
fn sent(rig: &Rig) -> Vec<String> {
    let words = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        words[..3].join(" ")
    };
    rig.sent().into_iter().map(words).collect()
}

#[tokio::test]
async fn members_enter_at_its_instants_alone() {
    let mut rig = rig(DAILY).await;
    rig.advance("20h").await;
    assert_eq!(sent(&rig), [""; 0]);
    rig.customer("bo", "city=Lyon").await;
    rig.customer("cy", "city=Rome").await;
    rig.advance("3h").await;
    let first = ["01-06 09:00 ana", "01-06 09:00 bo"];
    assert_eq!(sent(&rig), first);
    rig.set("cy", "city=Lyon").await;
    rig.advance("1h").await;
    assert_eq!(sent(&rig), [""; 0], "nobody enters by joining");
    rig.advance("23h").await;
    assert_eq!(sent(&rig), ["01-07 09:00 cy"], "once each");
}

#[tokio::test]
async fn reentry_says_who_enters_again_and_a_day_is_a_day() {
    let mut rig = rig("schedule: \"0 9 * * *\", reentry: every 2d").await;
    rig.live("4d", "1h").await;
    assert_eq!(sent(&rig), ["01-06 09:00 ana", "01-08 09:00 ana"]);
}

#[tokio::test]
async fn who_is_no_member_then_does_not_enter() {
    let mut rig = rig(DAILY).await;
    rig.advance("22h").await;
    rig.set("ana", "city=Rome").await;
    rig.advance("1d").await;
    assert_eq!(sent(&rig), [""; 0]);
}

#[tokio::test]
async fn of_instants_that_were_missed_the_last_one_counts() {
    let mut rig = rig("schedule: \"0 9 * * *\", reentry: every 1d").await;
    rig.sleep("71h");
    rig.settle().await;
    assert_eq!(sent(&rig).len(), 1);
    rig.advance("1d").await;
    assert_eq!(sent(&rig).len(), 1);
}

#[tokio::test]
async fn a_schedule_that_is_taken_away_lets_members_in_and_one_that_is_given_does_not() {
    let mut rig = rig(DAILY).await;
    rig.advance("1h").await;
    let plain = flow("f", LYON, "", &[email("hello", "")]);
    rig.edit("flows/f.yaml", &plain).await;
    assert_eq!(sent(&rig).len(), 1);
    let daily = flow(
        "f",
        LYON,
        &format!("entry: {{ {DAILY} }}"),
        &[email("hello", "")],
    );
    rig.edit("flows/f.yaml", &daily).await;
    rig.customer("bo", "city=Lyon").await;
    rig.advance("21h").await;
    assert_eq!(sent(&rig), [""; 0]);
    rig.advance("1h").await;
    assert_eq!(sent(&rig), ["01-06 09:00 bo"]);
}

#[tokio::test]
async fn a_restart_in_the_middle_lets_nobody_in_twice() {
    let mut rig = rig(DAILY).await;
    rig.advance("23h").await;
    assert_eq!(sent(&rig).len(), 1);
    rig.restart(&Left::Unknown).await;
    rig.advance("1h").await;
    assert_eq!(sent(&rig), [""; 0]);
}
