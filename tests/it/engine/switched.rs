//! Owns the tests of turning a channel off and on for one customer.

use drumbeat::customers::subscriptions;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Switch;

use super::people::by;
use super::rig::Rig;
use super::written::{LYON, email, flow, push, sms};

/// Two steps on the channel, a day apart; Ana and Bob are in it.
async fn rig(channel: Channel) -> Rig {
    let step = |id: &str, keys: &str| match channel {
        Channel::Email => email(id, keys),
        Channel::Sms => sms(id, keys),
        Channel::Push => push(id, keys),
    };
    let steps = [step("one", ""), step("two", "after: 1d")];
    let rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    for customer in ["ana", "bob"] {
        rig.customer(customer, "city=Lyon").await;
    }
    rig
}

async fn turn(rig: &Rig, channel: Channel, on: bool) {
    let (switch, by) = (Switch::Channel(channel), by());
    let turned = subscriptions::set_switch(&rig.store, "ana", switch, on, &by, rig.now());
    assert!(turned.await.unwrap());
}

/// Off: the first step goes to Bob alone. On again: the second goes to both.
async fn goes_off_and_on_for_one(channel: Channel) {
    let mut rig = rig(channel).await;
    turn(&rig, channel, false).await;
    rig.settle().await;
    assert_eq!(rig.sent(), [format!("01-05 10:00 bob {channel} one")]);
    turn(&rig, channel, true).await;
    rig.advance("1d").await;
    let both = ["ana", "bob"].map(|who| format!("01-06 10:00 {who} {channel} two"));
    assert_eq!(rig.sent(), both);
    let ledger = ["one withheld channel_off", "two sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
    let history = rig.history("ana").await;
    let turns = history
        .iter()
        .filter(|line| line.kind.starts_with("switched"));
    let turns: Vec<_> = turns
        .map(|line| (line.kind.as_str(), line.channel, line.actor.as_deref()))
        .collect();
    let (channel, maria) = (Some(channel), Some("maria"));
    let expected = [
        ("switched-off", channel, maria),
        ("switched-on", channel, maria),
    ];
    assert_eq!(turns, expected);
}

#[tokio::test]
async fn sending_by_e_mail_is_turned_off_and_on_for_one_customer() {
    goes_off_and_on_for_one(Channel::Email).await;
}

#[tokio::test]
async fn sending_by_text_message_is_turned_off_and_on_for_one_customer() {
    goes_off_and_on_for_one(Channel::Sms).await;
}

#[tokio::test]
async fn sending_by_push_is_turned_off_and_on_for_one_customer() {
    goes_off_and_on_for_one(Channel::Push).await;
}
