//! Owns the tests of a daemon that dies while messages are out.

use std::collections::HashSet;

use drumbeat::engine::{Left, Rescued};

use super::rig::Rig;
use super::written::{EMAIL, LYON, email, flow, sms};

/// Three customers whose first message was out when the daemon died.
async fn died(channel: &str) -> Rig {
    let steps = [email("hello", ""), sms("text", "after: 1d")];
    let text = flow("f", LYON, "", &steps);
    let channel = format!("{EMAIL}{channel}\n");
    let files = [
        ("channels/email.yaml", channel.as_str()),
        ("flows/f.yaml", &text),
    ];
    let mut rig = Rig::start(&files).await;
    for customer in ["ana", "bob", "cam"] {
        rig.customer(customer, "city=Lyon").await;
    }
    rig.park().await;
    while rig.enroll().await {}
    assert_eq!(rig.claim_and_die().await, 3);
    rig
}

#[tokio::test]
async fn what_was_certainly_not_handed_over_is_sent_after_a_restart() {
    let mut rig = died("").await;
    let first = rig.outbox.take();
    let rescued = rig.restart(&Left::Marked(HashSet::new())).await;
    let expected = Rescued {
        released: 3,
        uncertain: 0,
    };
    assert_eq!(rescued, expected);
    rig.settle().await;
    let again = rig.outbox.take();
    assert_eq!(again.len(), 3);
    for sent in &again {
        let same = |other: &&super::outbox::Try| other.message.id == sent.message.id;
        assert!(
            first.iter().any(|other| same(&other)),
            "the same id as before"
        );
        assert_eq!(sent.message.attempt, 2);
    }
    rig.advance("2d").await;
    assert_eq!(rig.sent().len(), 3);
}

#[tokio::test]
async fn what_may_have_been_handed_over_is_listed_and_never_sent_again() {
    let mut rig = died("on-uncertain: hold").await;
    let tries = rig.outbox.take();
    let ana = tries
        .iter()
        .find(|sent| sent.message.frozen.origin.customer == "ana")
        .unwrap();
    let mark = (ana.message.id.enrollment(), ana.message.id.step(), 1);
    let rescued = rig.restart(&Left::Marked(HashSet::from([mark]))).await;
    let expected = Rescued {
        released: 2,
        uncertain: 1,
    };
    assert_eq!(rescued, expected);
    rig.advance("12h").await;
    assert_eq!(
        rig.sent(),
        [
            "01-05 10:00 bob email hello #2",
            "01-05 10:00 cam email hello #2"
        ]
    );
    rig.advance("2d").await;
    let ledger = ["hello uncertain", "text sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn after_the_machine_went_down_everything_that_was_out_is_uncertain() {
    let mut rig = died("on-uncertain: hold").await;
    rig.sent();
    let rescued = rig.restart(&Left::Unknown).await;
    assert_eq!((rescued.released, rescued.uncertain), (0, 3));
    rig.advance("12h").await;
    assert_eq!(rig.sent(), [""; 0]);
}

#[tokio::test]
async fn where_the_gateway_knows_its_keys_an_uncertain_message_is_sent_again_with_its_key() {
    let mut rig = died("on-uncertain: resend").await;
    let mut first: Vec<_> = rig
        .outbox
        .take()
        .into_iter()
        .map(|sent| sent.message.id)
        .collect();
    rig.restart(&Left::Unknown).await;
    rig.advance("12h").await;
    let mut again: Vec<_> = rig
        .outbox
        .take()
        .into_iter()
        .map(|sent| sent.message.id)
        .collect();
    first.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, first);
}

#[tokio::test]
async fn a_restart_between_two_steps_changes_nothing() {
    let steps = [email("hello", "after: 1d"), sms("text", "after: 7d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("3d").await;
    let rescued = rig.restart(&Left::Unknown).await;
    assert_eq!(rescued, Rescued::default());
    rig.advance("30d").await;
    assert_eq!(
        rig.sent(),
        ["01-06 10:00 ana email hello", "01-13 10:00 ana sms text"]
    );
}

#[tokio::test]
async fn a_restart_in_the_middle_of_enrolling_loses_nobody_and_takes_nobody_twice() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[sms("text", "after: 1d")])).await;
    for n in 0..40 {
        rig.customer(&format!("c{n}"), "city=Lyon").await;
    }
    rig.park().await;
    for _ in 0..40 {
        rig.enroll().await;
        rig.restart(&Left::Unknown).await;
    }
    rig.advance("2d").await;
    assert_eq!(rig.sent().len(), 40);
}
