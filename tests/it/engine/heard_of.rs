//! Owns the tests of what follows from what gateways tell: addresses and channels that rest, replies that are
//! kept.

use drumbeat::channels::Ear as _;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::{DispatchState, Fault};
use drumbeat::domain::news::{About, Bounce, Fate, News, Reply};
use drumbeat::engine::Listener;
use drumbeat::store::HistoryLine;
use rstest::rstest;

use super::hearing::{HARD, OURS, SOFT, THEIRS, called, receipt, rig};
use super::outbox::refused;
use super::people::by;

const POLICY: Fate = Fate::Bounced(Bounce::Policy);

#[rstest]
#[case(HARD)]
#[case(Fate::Complained)]
#[tokio::test]
async fn after_a_hard_bounce_or_a_complaint_the_next_step_is_withheld(#[case] fate: Fate) {
    let mut rig = rig(OURS).await;
    let id = rig.first().await;
    rig.tell(id, fate).await;
    rig.advance("1d").await;
    let ledger = rig.ledger("ana").await;
    assert_eq!(ledger, ["text sent", "text1 withheld address_suppressed"]);
}

#[tokio::test]
async fn a_number_that_was_replaced_since_is_not_suppressed_for_the_old_ones_bounce() {
    let mut rig = rig(OURS).await;
    let id = rig.first().await;
    rig.set("ana", "phone=+33699999999").await;
    rig.tell(id, HARD).await;
    assert!(!rig.is_suppressed().await);
    rig.advance("1d").await;
    assert_eq!(rig.ledger("ana").await, ["text sent", "text1 sent"]);
}

#[tokio::test]
async fn the_fifth_soft_bounce_within_thirty_days_suppresses_the_number() {
    let mut rig = rig(OURS).await;
    for n in 0..5 {
        rig.settle().await;
        let id = rig.went_out()[0];
        assert!(!rig.is_suppressed().await, "after {n} bounces");
        rig.tell(id, SOFT).await;
        rig.tell(id, SOFT).await;
        rig.advance("1d").await;
    }
    assert!(rig.is_suppressed().await);
    let ledger = rig.ledger("ana").await;
    assert_eq!(ledger[5], "text5 withheld address_suppressed");
}

#[tokio::test]
async fn soft_bounces_of_messages_that_arrived_after_all_do_not_count() {
    let mut rig = rig(OURS).await;
    for _ in 0..5 {
        rig.settle().await;
        let id = rig.went_out()[0];
        rig.tell(id, Fate::Delivered).await;
        rig.tell(id, SOFT).await;
        rig.advance("1d").await;
    }
    assert!(!rig.is_suppressed().await);
}

#[rstest]
#[case::heard(true)]
#[case::answered(false)]
#[tokio::test]
async fn a_policy_pauses_the_channel_and_never_suppresses_the_number(#[case] heard: bool) {
    let mut rig = rig(OURS).await;
    if heard {
        let id = rig.first().await;
        rig.tell(id, POLICY).await;
    } else {
        rig.outbox.answers(Channel::Sms, [refused(Fault::Policy)]);
        rig.first().await;
    }
    assert!(!rig.is_suppressed().await);
    let states = rig.store.channel_states().await.unwrap();
    let pause = states[&Channel::Sms].pause.clone().unwrap();
    assert_eq!(pause.by, "drumbeat");
    let why = pause.reason.unwrap();
    let said = if heard { "says bounced" } else { "550 no" };
    assert!(why.contains("policy") && why.ends_with(said), "{why}");
    let audit = rig.store.audit_lines(1).await.unwrap();
    assert_eq!(
        (audit[0].what.as_str(), audit[0].source.as_str()),
        ("pause", "gateway")
    );
    rig.advance("1d").await;
    assert_eq!(rig.went_out(), [], "nothing goes out of a paused channel");
    rig.store
        .resume_channel(Channel::Sms, rig.now())
        .await
        .unwrap();
    rig.settle().await;
    assert_eq!(rig.went_out().len(), 1);
}

#[tokio::test]
async fn a_policy_bounce_told_again_does_not_pause_what_a_person_resumed() {
    let mut rig = rig(OURS).await;
    let id = rig.first().await;
    rig.tell(id, POLICY).await;
    assert!(
        rig.store
            .resume_channel(Channel::Sms, rig.now())
            .await
            .unwrap()
    );
    rig.tell(id, POLICY).await;
    let states = rig.store.channel_states().await.unwrap();
    assert_eq!(states[&Channel::Sms].pause, None);
}

#[tokio::test]
async fn what_another_channels_gateway_tells_of_a_message_is_not_believed() {
    let mut rig = rig(OURS).await;
    let id = rig.first().await;
    let listener = Listener::new(rig.engine().clone(), Channel::Email);
    let news = vec![receipt(About::Dispatch(id), HARD)];
    listener.hear(news).await.unwrap();
    assert_eq!(rig.stands().await, DispatchState::Accepted);
    assert!(!rig.is_suppressed().await);
}

#[tokio::test]
async fn a_deleted_customers_messages_are_forgotten_by_every_id() {
    let mut rig = rig(THEIRS).await;
    rig.outbox.answers(Channel::Sms, [called("SM1")]);
    rig.first().await;
    rig.tell_theirs("SM1", Fate::Accepted).await;
    let (id, now) = (rig.id("ana").await, rig.now());
    rig.store.delete_customer(id, &by(), now).await.unwrap();
    let ids = "SELECT count(*) FROM gateway_ids WHERE bucket >= 0";
    assert_eq!(rig.number(ids).await, 0);
    rig.tell_theirs("SM1", HARD).await;
    assert!(!rig.is_suppressed().await);
}

#[tokio::test]
async fn a_reply_stands_once_in_the_history_of_everybody_with_the_number() {
    let rig = rig(OURS).await;
    rig.customer("bob", "city=Paris").await;
    rig.customer("eva", "city=Paris").await;
    rig.set_all(&["ana", "bob"], "phone=+33612345678").await;
    let reply = News::Reply(Reply {
        from: "+33612345678".to_owned(),
        to: "BANK".to_owned(),
        text: "Thank you!".to_owned(),
        id: "MO1".to_owned(),
    });
    rig.hear(vec![reply.clone(), reply.clone()]).await;
    rig.hear(vec![reply]).await;
    for (customer, times) in [("ana", 1), ("bob", 1), ("eva", 0)] {
        let lines = rig.history(customer).await;
        let replied = lines.iter().filter(|line| line.kind == "replied");
        let replied: Vec<&HistoryLine> = replied.collect();
        assert_eq!(replied.len(), times, "{customer}");
        for line in replied {
            assert_eq!(line.actor.as_deref(), Some("customer"));
            assert_eq!(line.detail.as_ref().unwrap()["text"], "Thank you!");
        }
    }
}
