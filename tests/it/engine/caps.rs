//! Owns the tests of frequency caps.

use drumbeat::domain::channel::Channel;

use super::outbox::deferred;
use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, policy, push, sms};

async fn rig(cap: &str, flows: &[(&str, &str)]) -> Rig {
    let rules = policy(&format!("frequency-caps: [ {cap} ]"));
    let mut files = vec![("flows/policy.yaml", rules.as_str())];
    files.extend(flows);
    let rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig
}

#[tokio::test]
async fn over_a_cap_a_message_is_withheld_and_the_customer_goes_on() {
    let steps = [
        email("one", ""),
        sms("two", "after: 1d"),
        push("three", "after: 7d"),
    ];
    let text = flow("f", LYON, "", &steps);
    let cap = "{ limit: 1 per 7d, channels: [email, sms, push] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &text)]).await;
    rig.advance("30d").await;
    let ledger = [
        "one sent",
        "two withheld frequency_capped",
        "three sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_cap_counts_only_its_own_channels() {
    let steps = [email("one", ""), sms("two", ""), sms("three", "")];
    let text = flow("f", LYON, "", &steps);
    let mut rig = rig(
        "{ limit: 1 per 7d, channels: [sms] }",
        &[("flows/f.yaml", &text)],
    )
    .await;
    rig.settle().await;
    let ledger = [
        "one sent",
        "two sent",
        "three withheld frequency_capped",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_cap_with_a_time_to_retry_holds_the_message_until_there_is_room() {
    let steps = [email("one", ""), sms("two", "after: 12h")];
    let text = flow("f", LYON, "", &steps);
    let cap = "{ limit: 1 per 1d, channels: [email, sms], retry-for: 24h }";
    let mut rig = rig(cap, &[("flows/f.yaml", &text)]).await;
    rig.advance("9d").await;
    let sent = ["01-05 10:00 ana email one", "01-06 10:00 ana sms two"];
    assert_eq!(rig.sent(), sent);
}

#[tokio::test]
async fn a_cap_that_stays_full_for_the_time_to_retry_withholds() {
    let steps = [email("one", ""), sms("two", "after: 12h")];
    let text = flow("f", LYON, "", &steps);
    let cap = "{ limit: 1 per 7d, channels: [email, sms], retry-for: 24h }";
    let mut rig = rig(cap, &[("flows/f.yaml", &text)]).await;
    rig.advance("36h").await;
    let ledger = ["one sent", "two withheld frequency_capped", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn two_flows_at_the_same_moment_share_a_cap() {
    let one = flow("f", LYON, "", &[email("one", "after: 1d")]);
    let two = flow("g", LYON, "", &[email("two", "after: 1d")]);
    let cap = "{ limit: 1 per 7d, channels: [email] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &one), ("flows/g.yaml", &two)]).await;
    rig.advance("2d").await;
    assert_eq!(rig.sent().len(), 1);
    let mut ledger = rig.ledger("ana").await;
    ledger.retain(|line| !line.ends_with("completed"));
    let withheld = ledger
        .iter()
        .filter(|line| line.contains("frequency_capped"));
    assert_eq!((ledger.len(), withheld.count()), (2, 1));
}

#[tokio::test]
async fn two_channels_at_the_same_moment_share_a_cap() {
    let one = flow("f", LYON, "", &[email("one", "after: 1d")]);
    let two = flow("g", LYON, "", &[sms("two", "after: 1d")]);
    let cap = "{ limit: 1 per 7d, channels: [email, sms] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &one), ("flows/g.yaml", &two)]).await;
    rig.advance("2d").await;
    assert_eq!(rig.sent(), ["01-06 10:00 ana email one"]);
}

#[tokio::test]
async fn a_message_does_not_stand_in_the_way_of_its_own_retry() {
    let text = flow("f", LYON, "", &[email("one", "")]);
    let cap = "{ limit: 1 per 7d, channels: [email] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &text)]).await;
    rig.outbox.answers(Channel::Email, [deferred(None)]);
    rig.advance("1d").await;
    assert_eq!(rig.ledger("ana").await, ["one sent", "f completed"]);
}

#[tokio::test]
async fn a_message_being_retried_counts_for_others() {
    let one = flow("f", LYON, "", &[email("one", "")]);
    let two = flow("g", LYON, "", &[email("two", "after: 1h")]);
    let cap = "{ limit: 1 per 7d, channels: [email] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &one), ("flows/g.yaml", &two)]).await;
    rig.outbox.answers(Channel::Email, [deferred(Some(7_200))]);
    rig.advance("1d").await;
    let ledger = rig.ledger("ana").await;
    assert!(ledger.contains(&"one sent".to_owned()), "{ledger:?}");
    assert!(
        ledger.contains(&"two withheld frequency_capped".to_owned()),
        "{ledger:?}"
    );
}

#[tokio::test]
async fn a_withheld_message_does_not_fill_a_cap() {
    let steps = [
        email("one", "if: { field: points, at-least: 10 }"),
        email("two", "after: 1d"),
    ];
    let text = flow("f", LYON, "", &steps);
    let cap = "{ limit: 1 per 7d, channels: [email] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &text)]).await;
    rig.advance("2d").await;
    assert_eq!(rig.sent(), ["01-06 10:00 ana email two"]);
}

#[tokio::test]
async fn a_service_message_asks_no_cap() {
    let steps = [sms("one", ""), sms("two", ""), sms("three", "")];
    let segment = format!("segment: {{ where: {LYON} }}");
    let text = flow_over("f", &segment, "category: statements", &steps);
    let cap = "{ limit: 1 per 7d, channels: [sms] }";
    let mut rig = rig(cap, &[("flows/f.yaml", &text)]).await;
    rig.settle().await;
    assert_eq!(rig.sent().len(), 3);
}
