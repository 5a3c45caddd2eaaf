//! Owns the tests of what becomes of a message that was not taken at once.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Fault;
use jiff::SignedDuration;

use super::outbox::{deferred, refused, uncertain};
use super::rig::Rig;
use super::written::{EMAIL, LYON, email, flow, sms};

async fn rig(channel: &str) -> Rig {
    let steps = [email("hello", ""), sms("text", "after: 1d")];
    let text = flow("f", LYON, "", &steps);
    let channel = format!("{EMAIL}{channel}\n");
    let files = [
        ("channels/email.yaml", channel.as_str()),
        ("flows/f.yaml", &text),
    ];
    let rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon, first_name=Ana").await;
    rig
}

#[tokio::test]
async fn every_retry_is_the_same_message_to_the_byte() {
    let mut rig = rig("").await;
    rig.outbox
        .answers(Channel::Email, [deferred(None), deferred(None)]);
    rig.settle().await;
    rig.set("ana", "first_name=Anna, email=anna@bank.example")
        .await;
    rig.advance("1d").await;
    let tries = rig.outbox.take();
    let mails: Vec<_> = tries
        .iter()
        .filter(|sent| sent.channel == Channel::Email)
        .collect();
    assert_eq!(mails.len(), 3);
    for (n, again) in (1..).zip(&mails) {
        assert_eq!(again.message.id, mails[0].message.id);
        assert_eq!(again.message.frozen, mails[0].message.frozen);
        assert_eq!(again.message.attempt, n);
    }
}

#[tokio::test]
async fn a_gateway_is_asked_again_no_earlier_than_it_said() {
    let mut rig = rig("").await;
    rig.outbox.answers(Channel::Email, [deferred(Some(3_600))]);
    rig.advance("12h").await;
    let tries = rig.outbox.take();
    let waited = tries[1].at.duration_since(tries[0].at);
    assert!(waited >= SignedDuration::from_secs(3_600), "{waited}");
    assert!(waited <= SignedDuration::from_secs(3_610), "{waited}");
}

#[tokio::test]
async fn retries_are_spread_below_a_growing_bound() {
    let mut rig = rig("retry: { first: 60s, factor: 2, max: 1h, give-up-after: 72h }").await;
    for n in 0..20 {
        rig.customer(&format!("c{n}"), "city=Lyon").await;
    }
    rig.outbox.always(Channel::Email, deferred(None));
    rig.advance("4min").await;
    let tries = rig.outbox.take();
    let mut waits = Vec::new();
    for first in tries.iter().filter(|sent| sent.message.attempt == 1) {
        let mut at = first.at;
        for (attempt, bound) in [(2, 60), (3, 120)] {
            let same = |sent: &&super::outbox::Try| {
                sent.message.id == first.message.id && sent.message.attempt == attempt
            };
            let next = tries.iter().find(same).unwrap();
            let waited = next.at.duration_since(at);
            assert!(waited >= SignedDuration::from_secs(1), "{waited}");
            assert!(waited <= SignedDuration::from_secs(bound), "{waited}");
            waits.push(waited);
            at = next.at;
        }
    }
    assert_eq!(waits.len(), 42);
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 35, "they are spread: {}", waits.len());
}

#[tokio::test]
async fn a_message_that_is_never_taken_expires_and_the_customer_goes_on() {
    let mut rig = rig("retry: { first: 30s, factor: 2, max: 10min, give-up-after: 2h }").await;
    rig.outbox.always(Channel::Email, deferred(None));
    rig.advance("3d").await;
    let tries = rig.outbox.take();
    let mails: Vec<_> = tries
        .iter()
        .filter(|sent| sent.channel == Channel::Email)
        .collect();
    let spent = mails.last().unwrap().at.duration_since(mails[0].at);
    assert!(spent <= SignedDuration::from_hours(2), "{spent}");
    assert!(mails.len() > 5);
    let ledger = ["hello expired", "text sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
    let frozen = "SELECT count(*) FROM frozen_messages";
    assert_eq!(rig.number(frozen).await, 0);
}

#[tokio::test]
async fn a_refused_message_is_not_tried_again_and_the_customer_goes_on() {
    let mut rig = rig("").await;
    rig.outbox
        .answers(Channel::Email, [refused(Fault::Message)]);
    rig.advance("3d").await;
    let sent = [
        "01-05 10:00 ana email hello refused",
        "01-06 10:00 ana sms text",
    ];
    assert_eq!(rig.sent(), sent);
    let ledger = ["hello refused", "text sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn what_may_have_been_taken_is_listed_and_not_sent_again() {
    let mut rig = rig("on-uncertain: hold").await;
    rig.outbox.answers(Channel::Email, [uncertain()]);
    rig.advance("3d").await;
    let sent = [
        "01-05 10:00 ana email hello uncertain",
        "01-06 10:00 ana sms text",
    ];
    assert_eq!(rig.sent(), sent);
    let ledger = ["hello uncertain", "text sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn where_the_gateway_knows_its_keys_the_same_message_is_sent_again() {
    let mut rig = rig("on-uncertain: resend").await;
    rig.outbox.answers(Channel::Email, [uncertain()]);
    rig.advance("12h").await;
    let tries = rig.outbox.take();
    assert_eq!(tries.len(), 2);
    assert_eq!(tries[0].message.id, tries[1].message.id);
    assert_eq!(tries[0].message.frozen, tries[1].message.frozen);
    assert_eq!(rig.ledger("ana").await, ["hello sent"]);
}

#[tokio::test]
async fn every_try_is_kept() {
    let mut rig = rig("").await;
    rig.outbox
        .answers(Channel::Email, [deferred(None), deferred(None)]);
    rig.advance("12h").await;
    let kept = "SELECT count(*) FROM attempts";
    assert_eq!(rig.number(kept).await, 2);
    let attempt = "SELECT max(attempt) FROM dispatches";
    assert_eq!(rig.number(attempt).await, 3);
}
