//! Owns the tests of steps that go out on the first of several channels that may be used.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Switch;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, policy};

const STEP: &str = "first-of: [ { sms: { text: Hello } }, { push: { title: Hello, body: Look } }, \
     { email: { subject: Hello, text: \"{{ organization.postal_address }} {{ unsubscribe_url }}\" } } ]";

async fn rig(rules: &str, keys: &str) -> Rig {
    let keys = format!("{keys}{STEP}");
    let text = flow(
        "f",
        LYON,
        "",
        &[any("hello", &keys), email("then", "after: 1d")],
    );
    let rules = policy(rules);
    Rig::start(&[("flows/policy.yaml", &rules), ("flows/f.yaml", &text)]).await
}

#[tokio::test]
async fn the_first_channel_that_may_be_used_is() {
    let mut rig = rig("consent: { push: opt-in }", "").await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("bob", "city=Lyon").await;
    rig.switch("bob", Switch::Channel(Channel::Sms), false)
        .await;
    rig.customer("cem", "city=Lyon").await;
    rig.set("cem", "phone=").await;
    rig.advance("2d").await;
    let sent = [
        "01-05 10:00 ana sms hello",
        "01-05 10:00 bob email hello",
        "01-05 10:00 cem email hello",
        "01-06 10:00 ana email then",
        "01-06 10:00 bob email then",
        "01-06 10:00 cem email then",
    ];
    assert_eq!(rig.sent(), sent);
    let ledger = ["hello sent", "then sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn nobody_who_bars_every_channel_is_written_to_and_the_run_goes_on() {
    let mut rig = rig("", "").await;
    rig.customer("ana", "city=Lyon").await;
    rig.switch("ana", Switch::Outbound, false).await;
    rig.advance("2d").await;
    assert_eq!(rig.sent(), [""; 0]);
    let ledger = [
        "hello withheld outbound_off",
        "then withheld outbound_off",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn quiet_hours_hold_the_first_choice_and_never_choose_the_next() {
    let mut rig = rig("quiet-hours: { sms: \"09:00-12:00\" }", "").await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    assert_eq!(rig.sent(), ["01-05 12:00 ana sms hello"]);
}

#[tokio::test]
async fn a_choice_that_is_barred_while_it_is_held_is_made_again() {
    let mut rig = rig("quiet-hours: { sms: \"09:00-12:00\" }", "").await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.switch("ana", Switch::Channel(Channel::Sms), false)
        .await;
    rig.advance("1d").await;
    assert_eq!(rig.sent(), ["01-05 12:00 ana push hello"]);
}

#[tokio::test]
async fn a_step_that_comes_to_have_a_choice_takes_those_who_wait_along() {
    let before = flow("f", LYON, "", &[email("hello", "after: 2d")]);
    let mut rig = Rig::with(&before).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    let keys = format!("after: 2d, {STEP}");
    rig.edit("flows/f.yaml", &flow("f", LYON, "", &[any("hello", &keys)]))
        .await;
    rig.advance("2d").await;
    assert_eq!(rig.sent(), ["01-07 10:00 ana sms hello"]);
}
