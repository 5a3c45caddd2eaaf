//! Conditions about flows: what was sent, and what an enrollment counts from.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::DispatchState;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::ids::{CustomerId, EnrollmentId};
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::segment::{Condition, Did};
use drumbeat::store::Published;
use jiff::SignedDuration;

use super::people::Sent;
use super::rig::{Fresh, frame, now, revision};

fn did(kind: Kind) -> Did {
    Did {
        kind,
        campaign: None,
        flow: None,
        step: None,
        channel: None,
        within_last: None,
        at_least: 1,
    }
}

async fn start(store: &Fresh) -> (Published, CustomerId) {
    let published = store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    (published, id)
}

fn number(published: &Published, flow: &str) -> i32 {
    published.numbers.number(NameKind::Flow, flow).unwrap().0
}

fn with(kind: Kind, narrow: fn(&mut Did)) -> Did {
    let mut did = did(kind);
    narrow(&mut did);
    did
}

fn dispatch(enrollment: i64, step: i32, state: DispatchState) -> Sent {
    Sent {
        enrollment,
        step,
        channel: Channel::Email.number(),
        state: state.number(),
        at: now() - SignedDuration::from_hours(30),
    }
}

pub(super) async fn a_sent_message_is_what_a_gateway_took(store: Fresh) {
    let (published, id) = start(&store).await;
    let enrollment = store.enroll(id, number(&published, "welcome"), 1).await;
    let step = published.numbers.step("welcome", "hello").unwrap().0;
    for state in DispatchState::ALL {
        store.execute("DELETE FROM dispatches").await;
        store.send(&dispatch(enrollment, step, state)).await;
        let taken = matches!(
            state,
            DispatchState::Accepted | DispatchState::Delivered | DispatchState::Bounced
        );
        let sent = Condition::Did(did(Kind::EmailSent));
        let found = store
            .matching(&sent, &frame(&published), &[id])
            .await
            .unwrap();
        assert_eq!(found.contains(&id), taken, "{state:?}");
    }
}

pub(super) async fn a_sent_message_is_asked_for_by_where_it_belongs(store: Fresh) {
    let (published, id) = start(&store).await;
    let enrollment = store.enroll(id, number(&published, "welcome"), 1).await;
    let step = published.numbers.step("welcome", "hello").unwrap().0;
    store
        .send(&dispatch(enrollment, step, DispatchState::Accepted))
        .await;
    let sent = |narrow| with(Kind::EmailSent, narrow);
    for (asked, expected) in [
        (did(Kind::SmsSent), false),
        (sent(|did| did.flow = Some("welcome".into())), true),
        (sent(|did| did.flow = Some("gold".into())), false),
        (sent(|did| did.campaign = Some("welcome".into())), true),
        (sent(|did| did.campaign = Some("gold".into())), false),
        (sent(|did| did.step = Some("hello".into())), true),
        (sent(|did| did.step = Some("more".into())), false),
        (sent(|did| did.channel = Some(Channel::Sms)), false),
        (sent(|did| did.within_last = Some(Delay::hours(31))), true),
        (sent(|did| did.within_last = Some(Delay::hours(30))), false),
        (sent(|did| did.at_least = 2), false),
    ] {
        let condition = Condition::Did(asked);
        let found = store
            .matching(&condition, &frame(&published), &[id])
            .await
            .unwrap();
        assert_eq!(found.contains(&id), expected, "{condition:?}");
    }
}

pub(super) async fn in_an_enrollment_did_counts_from_its_start(store: Fresh) {
    let (published, id) = start(&store).await;
    let hours = |n| now() - SignedDuration::from_hours(n);
    let old = store
        .enroll_at(id, number(&published, "gold"), 1, hours(100))
        .await;
    let young = store
        .enroll_at(id, number(&published, "welcome"), 2, hours(10))
        .await;
    let click = Interaction {
        flow: Some("gold".to_owned()),
        step: Some("offer".to_owned()),
        ..Interaction::new(id, hours(50), Kind::EmailClicked)
    };
    store.record(&[click]).await.unwrap();
    let both = [EnrollmentId(old), EnrollmentId(young)];
    let asked = async |did: Did| -> Vec<i64> {
        let condition = Condition::Did(did);
        let found = store
            .matching_enrollments(&condition, &frame(&published), &both)
            .await;
        let mut found: Vec<i64> = found.unwrap().into_iter().map(|id| id.0).collect();
        found.sort_by_key(|id| *id != old);
        found
    };
    let clicked = |narrow| with(Kind::EmailClicked, narrow);
    assert_eq!(asked(did(Kind::EmailClicked)).await, [old]);
    let lately = clicked(|did| did.within_last = Some(Delay::hours(60)));
    assert_eq!(asked(lately).await, [old, young]);
    // A step alone is this enrollment's: the other flow has none of that name.
    let own = clicked(|did| did.step = Some("offer".into()));
    assert_eq!(asked(own).await, [old]);
    let other = clicked(|did| did.step = Some("hello".into()));
    assert!(asked(other).await.is_empty());
}

pub(super) async fn in_flow_means_a_live_enrollment(store: Fresh) {
    let (published, id) = start(&store).await;
    store.enroll(id, number(&published, "welcome"), 1).await;
    let meets = async |flow: &str| {
        let condition = Condition::InFlow(flow.to_owned());
        store
            .matching(&condition, &frame(&published), &[id])
            .await
            .unwrap()
            .contains(&id)
    };
    assert!(meets("welcome").await);
    assert!(!meets("gold").await);
    assert!(!meets("never-published").await);
    store.execute("UPDATE enrollments SET status = 10").await;
    assert!(!meets("welcome").await);
}
