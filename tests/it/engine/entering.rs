//! Owns the tests of who enters a flow, and when.

use rstest::rstest;

use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, sms};

fn welcome(more: &str) -> String {
    flow("f", LYON, more, &[email("hello", "after: 4d")])
}

#[tokio::test]
async fn members_that_a_flow_finds_start_when_it_is_activated() {
    let mut rig = Rig::with(&welcome("status: draft")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("bob", "city=Rome").await;
    rig.settle().await;
    rig.advance("10d").await;
    assert_eq!(rig.entered("ana").await, [""; 0]);
    rig.edit("flows/f.yaml", &welcome("")).await;
    assert_eq!(rig.entered("ana").await, ["01-15 10:00 f"]);
    rig.advance("30d").await;
    assert_eq!(rig.sent(), ["01-19 10:00 ana email hello"]);
    assert_eq!(rig.entered("bob").await, [""; 0]);
}

#[tokio::test]
async fn who_comes_to_qualify_later_enters_in_the_same_pass_and_waits_from_then_on() {
    let mut rig = Rig::with(&welcome("")).await;
    rig.settle().await;
    rig.advance("2d").await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("bob", "city=Rome").await;
    assert!(rig.enroll().await);
    assert_eq!(rig.entered("ana").await, ["01-07 10:00 f"]);
    rig.advance("1d").await;
    rig.set("bob", "city=Lyon").await;
    rig.enroll().await;
    rig.advance("30d").await;
    assert_eq!(
        rig.sent(),
        ["01-11 10:00 ana email hello", "01-12 10:00 bob email hello"]
    );
}

#[rstest]
#[case("draft")]
#[case("stopped")]
#[case("paused")]
#[tokio::test]
async fn a_flow_that_is_not_active_enrolls_nobody(#[case] status: &str) {
    let mut rig = Rig::with(&welcome(&format!("status: {status}"))).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.customer("bob", "city=Lyon").await;
    rig.advance("60d").await;
    assert_eq!(rig.sent(), [""; 0]);
    assert_eq!(rig.entered("ana").await, [""; 0]);
    assert_eq!(rig.entered("bob").await, [""; 0]);
}

#[tokio::test]
async fn who_qualified_while_a_flow_was_not_active_enters_when_it_becomes_so() {
    let mut rig = Rig::with(&welcome("status: paused")).await;
    rig.settle().await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("20d").await;
    rig.edit("flows/f.yaml", &welcome("")).await;
    rig.advance("20d").await;
    assert_eq!(rig.sent(), ["01-29 10:00 ana email hello"]);
}

#[tokio::test]
async fn a_stopped_flow_ends_its_runs_and_sends_nothing_more() {
    let mut rig = Rig::with(&welcome("")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    rig.edit("flows/f.yaml", &welcome("status: stopped")).await;
    rig.advance("30d").await;
    assert_eq!(rig.sent(), [""; 0]);
    assert_eq!(rig.ledger("ana").await, ["f exited flow_stopped"]);
}

const SEGMENT: &str = "segment: lyon\nwhere: { field: city, is: Lyon }\n";

/// Two flows over one segment, the second of which comes three days later.
async fn second_flow(existing: &str) -> Vec<String> {
    let over = |id: &str, more: &str, step: &str| {
        flow_over(id, "segment: lyon", more, &[sms(step, "after: 4d")])
    };
    let first = over("a", "", "one");
    let files = [
        ("flows/lyon.yaml", SEGMENT),
        ("flows/a.yaml", first.as_str()),
    ];
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("3d").await;
    let second = over(
        "b",
        &format!("entry: {{ existing-members: {existing} }}"),
        "two",
    );
    rig.edit("flows/b.yaml", &second).await;
    rig.advance("1d").await;
    rig.customer("bob", "city=Lyon").await;
    rig.advance("30d").await;
    let sent = rig.sent();
    sent.into_iter()
        .filter(|line| line.ends_with("two"))
        .collect()
}

#[rstest]
#[case("from-activation", &["01-12 10:00 ana sms two", "01-13 10:00 bob sms two"])]
#[case("from-joining", &["01-09 10:00 ana sms two", "01-13 10:00 bob sms two"])]
#[case("skip", &["01-13 10:00 bob sms two"])]
#[tokio::test]
async fn existing_members_start_as_the_flow_says(#[case] existing: &str, #[case] sent: &[&str]) {
    assert_eq!(second_flow(existing).await, sent);
}

#[tokio::test]
async fn an_entry_limit_lets_members_in_evenly() {
    let steps = [sms("hello", "after: 1d")];
    let text = flow("f", LYON, "entry: { limit: 24 per day }", &steps);
    let mut rig = Rig::with(&text).await;
    for n in 0..8 {
        rig.customer(&format!("c{n}"), "city=Lyon").await;
    }
    rig.settle().await;
    rig.live("4h", "30min").await;
    rig.advance("1d").await;
    let times: Vec<String> = rig
        .sent()
        .iter()
        .map(|line| line[..11].to_owned())
        .collect();
    let hourly = ["01-06 11:00", "01-06 12:00", "01-06 13:00", "01-06 14:00"];
    assert_eq!(times, hourly);
    rig.live("2d", "1h").await;
    assert_eq!(rig.sent().len(), 4);
}

#[tokio::test]
async fn who_leaves_while_waiting_to_be_let_in_is_not_let_in() {
    let steps = [sms("hello", "")];
    let text = flow("f", LYON, "entry: { limit: 1 per day }", &steps);
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.set("ana", "city=Rome").await;
    rig.live("3d", "6h").await;
    assert_eq!(rig.sent(), [""; 0]);
    assert_eq!(rig.ledger("ana").await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_asked_of_the_customer_before_a_flow_writes() {
    let steps = [email("hello", ""), sms("text", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let sent = ["01-05 10:00 ana email hello", "01-05 10:00 ana sms text"];
    assert_eq!(rig.sent(), sent);
}
