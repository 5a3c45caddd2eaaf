//! One message to all devices of a customer: one dispatch, whatever each of them answers.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::device::DeviceAddress;
use drumbeat::domain::dispatch::Fault;
use rstest::rstest;

use super::outbox::{accepted, deferred, refused, uncertain};
use super::rig::Rig;
use super::written::{LYON, flow, push};

const FCM: &str =
    "channel: push\ngateway:\n  fcm: { project: bank, service-account: \"${credential:fcm}\" }\n";

/// Ana with so many devices.
async fn rig(devices: usize) -> Rig {
    let flow = flow("f", LYON, "", &[push("one", "")]);
    let mut rig = Rig::with(&flow).await;
    rig.edit("channels/push.yaml", FCM).await;
    rig.customer("ana", "city=Lyon").await;
    let ana = rig.store.customer_id("ana").await.unwrap().unwrap();
    let by = By::new(Actor::named("app"), Source::Api);
    for number in 0..devices {
        let address = DeviceAddress::FcmToken(format!("token-{number}"));
        let at = rig.now();
        let registered = rig.store.register_device(ana, &address, None, &by, at);
        registered.await.unwrap();
    }
    rig
}

#[tokio::test]
async fn a_customer_without_devices_has_no_address() {
    let mut rig = rig(0).await;
    rig.settle().await;
    let ledger = ["one withheld address_missing", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
    assert_eq!(rig.sent(), Vec::<String>::new());
}

#[tokio::test]
async fn a_dead_device_is_removed_while_the_other_one_gets_the_message() {
    let mut rig = rig(2).await;
    let answers = [refused(Fault::Device), accepted()];
    rig.outbox.answers(Channel::Push, answers);
    rig.settle().await;
    assert_eq!(rig.ledger("ana").await, ["one sent", "f completed"]);
    assert_eq!(rig.number("SELECT count(*) FROM devices").await, 1);
    let lines = rig.history("ana").await;
    let removed: Vec<_> = lines
        .iter()
        .filter(|line| line.kind == "device-removed")
        .collect();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].detail.as_ref().unwrap()["why"], "gone");
    let told = "SELECT count(*) FROM dispatches WHERE state = 1 \
         AND detail LIKE '%gone, 550 no;%accepted, 250 ok;%'";
    assert_eq!(rig.number(told).await, 1);
}

#[tokio::test]
async fn who_has_only_dead_devices_is_refused_and_no_address_is_suppressed() {
    let mut rig = rig(2).await;
    let answers = [refused(Fault::Device), refused(Fault::Device)];
    rig.outbox.answers(Channel::Push, answers);
    rig.settle().await;
    assert_eq!(rig.ledger("ana").await, ["one refused", "f completed"]);
    assert_eq!(rig.number("SELECT count(*) FROM devices").await, 0);
    assert_eq!(rig.number("SELECT count(*) FROM suppressions").await, 0);
}

#[rstest]
#[case(uncertain(), "one uncertain")]
#[case(refused(Fault::Message), "one refused")]
#[tokio::test]
async fn what_no_device_took_ends_as_the_answer_that_leaves_most_open(
    #[case] other: drumbeat::domain::dispatch::Outcome,
    #[case] expected: &str,
) {
    let mut rig = rig(2).await;
    rig.outbox
        .answers(Channel::Push, [refused(Fault::Message), other]);
    rig.settle().await;
    assert_eq!(rig.ledger("ana").await[0], expected);
    assert_eq!(rig.number("SELECT count(*) FROM devices").await, 2);
}

#[tokio::test]
async fn what_no_device_took_yet_is_tried_again_at_those_that_are_left() {
    let mut rig = rig(2).await;
    let answers = [refused(Fault::Device), deferred(None)];
    rig.outbox.answers(Channel::Push, answers);
    rig.settle().await;
    assert_eq!(rig.outbox.take().len(), 2);
    rig.advance("1h").await;
    assert_eq!(rig.outbox.take().len(), 1);
    assert_eq!(rig.ledger("ana").await, ["one sent", "f completed"]);
}
