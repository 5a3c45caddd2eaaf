//! Owns the tests of how much goes through a channel: its pace, its slots, its breaker.

use std::collections::BTreeMap;

use drumbeat::domain::channel::Channel;
use jiff::SignedDuration;
use prometheus_client::registry::Registry;

use super::outbox::{accepted, down};
use super::rig::Rig;
use super::written::{EMAIL, LYON, email, flow, sms};

async fn rig(channel: &str, customers: u32) -> Rig {
    let mail = flow("f", LYON, "", &[email("hello", "after: 1h")]);
    let text = flow("g", LYON, "", &[sms("text", "after: 1h")]);
    let channel = format!("{EMAIL}{channel}\n");
    let files = [
        ("channels/email.yaml", channel.as_str()),
        ("flows/f.yaml", &mail),
        ("flows/g.yaml", &text),
    ];
    let mut rig = Rig::start(&files).await;
    for n in 0..customers {
        rig.customer(&format!("c{n}"), "city=Lyon").await;
    }
    rig.settle().await;
    rig.sleep("1h");
    rig
}

fn count(rig: &Rig) -> BTreeMap<Channel, usize> {
    let mut counts = BTreeMap::new();
    for sent in rig.outbox.take() {
        *counts.entry(sent.channel).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_breaker_opens_probes_and_closes_and_leaves_other_channels_alone() {
    let mut rig = rig("slots: 1", 12).await;
    rig.outbox.always(Channel::Email, down());
    rig.settle().await;
    assert_eq!(
        count(&rig),
        [(Channel::Email, 5), (Channel::Sms, 12)].into()
    );
    rig.clock.tick_machine(SignedDuration::from_secs(4));
    rig.settle().await;
    assert_eq!(count(&rig), BTreeMap::new());
    rig.clock.tick_machine(SignedDuration::from_secs(1));
    rig.settle().await;
    assert_eq!(count(&rig), [(Channel::Email, 1)].into(), "one probe");
    rig.outbox.always(Channel::Email, accepted());
    rig.clock.tick_machine(SignedDuration::from_secs(9));
    rig.settle().await;
    assert_eq!(count(&rig), BTreeMap::new());
    rig.clock.tick_machine(SignedDuration::from_secs(1));
    rig.settle().await;
    rig.advance("1h").await;
    assert_eq!(count(&rig), [(Channel::Email, 12)].into());
}

#[tokio::test]
async fn a_breaker_that_is_open_takes_no_try_and_no_customer_from_the_queue() {
    let mut rig = rig("slots: 1", 8).await;
    rig.outbox.always(Channel::Email, down());
    rig.settle().await;
    rig.clock.tick_machine(SignedDuration::from_secs(1));
    rig.settle().await;
    let tried = "SELECT count(*) FROM dispatches WHERE channel = 1";
    assert_eq!(rig.number(tried).await, 5);
    rig.outbox.always(Channel::Email, accepted());
    rig.clock.tick_machine(SignedDuration::from_secs(60));
    rig.advance("1h").await;
}

#[tokio::test]
async fn everybody_is_written_to_once_however_few_the_slots() {
    let mut rig = rig("slots: 3", 20).await;
    rig.settle().await;
    assert_eq!(
        count(&rig),
        [(Channel::Email, 20), (Channel::Sms, 20)].into()
    );
}

#[tokio::test]
#[should_panic(expected = "messages are left in flight")]
async fn a_test_that_leaves_messages_out_fails() {
    let mut rig = rig("", 1).await;
    rig.take_out().await;
}

#[tokio::test]
async fn the_metrics_say_how_many_messages_are_in_flight() {
    let mut rig = rig("slots: 8", 3).await;
    let mut registry = Registry::default();
    rig.engine().metrics.register(&mut registry);
    let in_flight = |count: usize| format!("dispatches_in_flight{{channel=\"email\"}} {count}\n");
    rig.take_out().await;
    let page = page(&registry);
    assert!(page.contains(&in_flight(3)), "{page}");
    rig.bring_back().await;
    let page = self::page(&registry);
    assert!(page.contains(&in_flight(0)), "{page}");
    rig.settle().await;
}

fn page(registry: &Registry) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    text
}
