//! Owns the tests of segments as flows see them: what time alone, other segments, sends and chance change.

use std::time::Duration;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::Consent;
use drumbeat::engine::Beat;
use rstest::rstest;

use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, sms};

fn over(condition: &str, more: &str) -> String {
    flow("f", condition, more, &[sms("text", "after: 1d")])
}

#[tokio::test]
async fn a_date_that_grows_old_enrolls_by_the_passing_of_time_alone() {
    let mut rig = Rig::with(&over("{ field: joined_on, older-than: 30d }", "")).await;
    rig.customer("ana", "joined_on=2025-12-10").await;
    rig.customer("bob", "joined_on=2025-12-31").await;
    rig.settle().await;
    rig.live("10d", "2h").await;
    assert_eq!(rig.entered("ana").await, ["01-10 00:00 f"]);
    assert_eq!(rig.entered("bob").await, [""; 0]);
}

#[tokio::test]
async fn an_instant_that_grows_old_enrolls_at_that_instant() {
    let mut rig = Rig::with(&over("{ created: { older-than: 3d } }", "")).await;
    rig.settle().await;
    rig.advance("37min").await;
    rig.customer("ana", "city=Rome").await;
    rig.settle().await;
    rig.live("5d", "1h").await;
    assert_eq!(rig.entered("ana").await, ["01-08 10:37 f"]);
}

#[tokio::test]
async fn the_engine_sleeps_until_time_moves_somebody() {
    let mut rig = Rig::with(&over("{ created: { older-than: 20s } }", "")).await;
    rig.settle().await;
    let long = Beat::Within(Duration::from_mins(1));
    assert_eq!(rig.enroller_waits().await, long, "there is nobody");
    rig.customer("ana", "city=Rome").await;
    rig.settle().await;
    rig.sleep("15s");
    rig.customer("bob", "city=Rome").await;
    rig.settle().await;
    let rest = Beat::Within(Duration::from_secs(5));
    assert_eq!(rig.enroller_waits().await, rest, "for Ana, not for Bob");
    rig.sleep("5s");
    rig.settle().await;
    assert_eq!(rig.entered("ana").await.len(), 1);
    let rest = Beat::Within(Duration::from_secs(15));
    assert_eq!(rig.enroller_waits().await, rest, "for Bob");
    rig.sleep("15s");
    rig.settle().await;
    assert_eq!(rig.entered("bob").await.len(), 1);
    assert_eq!(rig.enroller_waits().await, long, "all are old");
}

#[tokio::test]
async fn a_day_that_begins_is_waited_for_and_concerns_only_whom_it_moves() {
    let text = over("{ field: joined_on, older-than: 30d }", "");
    let mut rig = Rig::start_at("2026-01-05T23:59:50Z", &[("flows/f.yaml", &text)]).await;
    rig.customer("ana", "joined_on=2025-12-06").await;
    rig.customer("bob", "joined_on=2025-12-07").await;
    rig.settle().await;
    let rest = Beat::Within(Duration::from_secs(10));
    assert_eq!(rig.enroller_waits().await, rest);
    rig.sleep("10s");
    let (pass, _) = rig.enroll_once().await;
    assert_eq!((pass.customers, pass.joined), (1, 1));
    assert_eq!(rig.entered("ana").await, ["01-06 00:00 f"]);
}

#[tokio::test]
async fn who_is_no_longer_new_leaves_by_the_passing_of_time_alone() {
    let new = "{ created: { within-last: 3d } }";
    let leaving = "exit: { on-leaving-segment: true }";
    let text = flow("f", new, leaving, &[sms("text", "after: 30d")]);
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "city=Rome").await;
    rig.settle().await;
    rig.live("4d", "6h").await;
    assert_eq!(rig.ledger("ana").await, ["f exited left_segment"]);
}

#[tokio::test]
async fn birthdays_come_every_year() {
    let birthday = "{ field: born_on, anniversary: today }";
    let text = over(birthday, "entry: { reentry: every-requalification }");
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "born_on=1990-01-08").await;
    rig.customer("leo", "born_on=1992-02-29").await;
    rig.settle().await;
    rig.live("5d", "12h").await;
    assert_eq!(rig.entered("ana").await, ["01-08 10:00 f"]);
    rig.advance("49d").await;
    rig.live("4d", "12h").await;
    assert_eq!(rig.entered("leo").await.len(), 1, "on the 28th of February");
    rig.advance("305d").await;
    rig.live("5d", "12h").await;
    assert_eq!(rig.entered("ana").await.len(), 2);
}

#[tokio::test]
async fn a_share_of_everybody_is_the_same_people_on_every_pass() {
    let half = "{ all: [ { field: city, is: Lyon }, { random: 50% } ] }";
    let text = flow(
        "f",
        half,
        "exit: { on-leaving-segment: true }",
        &[sms("text", "after: 9d")],
    );
    let mut rig = Rig::with(&text).await;
    let ids: Vec<String> = (0..200).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    rig.set_all(&ids, "city=Lyon, phone=+33612345678").await;
    rig.settle().await;
    let entered = "SELECT count(*) FROM enrollments";
    let first = rig.number(entered).await;
    assert!((70..=130).contains(&first), "{first}");
    for points in 1..=3 {
        rig.set_all(&ids, &format!("points={points}")).await;
        rig.advance("1d").await;
    }
    assert_eq!(rig.number(entered).await, first);
    let live = "SELECT count(*) FROM enrollments WHERE status < 10";
    assert_eq!(rig.number(live).await, first);
}

#[tokio::test]
async fn a_segment_of_segments_follows_its_parts() {
    let parts = "segment: lyon\nwhere: { field: city, is: Lyon }\n---\n\
        segment: rich\nwhere: { field: points, at-least: 100 }\n---\n\
        segment: both\nwhere: { all: [ { segment: lyon }, { segment: rich } ] }\n";
    let text = flow_over("f", "segment: both", "category: news", &[sms("text", "")]);
    let mut rig = Rig::start(&[("flows/s.yaml", parts), ("flows/f.yaml", &text)]).await;
    rig.customer("ana", "city=Lyon, points=3").await;
    rig.customer("bob", "city=Lyon, points=50").await;
    rig.settle().await;
    rig.set("ana", "points=100").await;
    rig.settle().await;
    assert_eq!(rig.entered("ana").await.len(), 1);
    assert_eq!(rig.entered("bob").await.len(), 0);
    let lower = parts.replace("at-least: 100", "at-least: 50");
    rig.edit("flows/s.yaml", &lower).await;
    assert_eq!(rig.entered("bob").await.len(), 1, "a part was edited");
}

#[tokio::test]
async fn a_condition_that_changes_while_a_flow_catches_up_leaves_nobody_out() {
    let mut rig = Rig::with(&over("{ field: city, is: Lyon }", "")).await;
    let ids: Vec<String> = (0..300).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (lyon, rome) = ids.split_at(150);
    rig.set_all(lyon, "city=Lyon, phone=+33612345678").await;
    rig.set_all(rome, "city=Rome, phone=+33612345678").await;
    rig.park().await;
    // One stride is examined, then caught up with.
    rig.enroll().await;
    rig.enroll().await;
    let entered = "SELECT count(*) FROM enrollments";
    let first = rig.number(entered).await;
    assert!((1..150).contains(&first), "{first}");
    let rome = over("{ field: city, is: Rome }", "");
    rig.edit("flows/f.yaml", &rome).await;
    assert_eq!(rig.number(entered).await, first + 150);
}

#[tokio::test]
async fn what_a_customer_did_enrolls_when_it_was_done_often_enough() {
    let mut rig = Rig::with(&over("{ did: login, at-least: 2 }", "")).await;
    rig.customer("ana", "city=Rome").await;
    rig.did("ana", Kind::Login).await;
    rig.advance("1h").await;
    assert_eq!(rig.entered("ana").await, [""; 0]);
    rig.did("ana", Kind::Login).await;
    rig.settle().await;
    assert_eq!(rig.entered("ana").await, ["01-05 11:00 f"]);
}

#[tokio::test]
async fn what_was_done_long_ago_counts_no_more() {
    let recent = "{ did: login, within-last: 2d }";
    let leaving = "exit: { on-leaving-segment: true }";
    let text = flow("f", recent, leaving, &[sms("text", "after: 30d")]);
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "city=Rome").await;
    rig.did("ana", Kind::Login).await;
    rig.settle().await;
    assert_eq!(rig.entered("ana").await.len(), 1);
    rig.live("3d", "6h").await;
    assert_eq!(rig.ledger("ana").await, ["f exited left_segment"]);
}

#[tokio::test]
async fn a_message_of_one_flow_enrolls_into_the_next() {
    let first = flow("f", LYON, "", &[email("hello", "after: 1d")]);
    let second = flow(
        "g",
        "{ did: email-sent, flow: f }",
        "",
        &[sms("text", "after: 1d")],
    );
    let mut rig = Rig::start(&[("flows/f.yaml", &first), ("flows/g.yaml", &second)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("5d").await;
    let sent = ["01-06 10:00 ana email hello", "01-07 10:00 ana sms text"];
    assert_eq!(rig.sent(), sent);
}

#[tokio::test]
async fn being_in_one_flow_can_keep_out_of_another() {
    let first = flow("f", LYON, "", &[email("hello", "after: 10d")]);
    let free = "{ all: [ { field: city, is: Lyon }, { not: { in-flow: f } } ] }";
    let second = flow("g", free, "", &[sms("text", "after: 1d")]);
    let mut rig = Rig::with(&first).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.edit("flows/g.yaml", &second).await;
    rig.live("14d", "1d").await;
    let sent = ["01-15 10:00 ana email hello", "01-16 10:00 ana sms text"];
    assert_eq!(rig.sent(), sent);
}

#[rstest]
#[case(Channel::Email)]
#[case(Channel::Sms)]
#[case(Channel::Push)]
#[tokio::test]
async fn permission_for_a_channel_can_be_asked_by_a_segment(#[case] channel: Channel) {
    let asked = format!("{{ consent: {{ {channel}: opted-in }} }}");
    let mut rig = Rig::with(&over(&asked, "")).await;
    for customer in ["ana", "bob", "eva"] {
        rig.customer(customer, "city=Rome").await;
    }
    for other in Channel::ALL.into_iter().filter(|other| *other != channel) {
        rig.consent("bob", other, Consent::OptedIn).await;
    }
    rig.consent("eva", channel, Consent::Unsubscribed).await;
    rig.settle().await;
    assert_eq!(rig.entered("ana").await, [""; 0]);
    rig.consent("ana", channel, Consent::OptedIn).await;
    rig.settle().await;
    assert_eq!(rig.entered("ana").await, ["01-05 10:00 f"]);
    assert_eq!(rig.entered("bob").await, [""; 0]);
    assert_eq!(rig.entered("eva").await, [""; 0]);
}
