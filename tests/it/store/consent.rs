//! Consent: every change is one record, one line, one revision more, one mark; a repeat is none.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{Status, Switch};
use drumbeat::domain::ids::{Bucket, CustomerId};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::{Consent, Scope, SubscriptionState};
use drumbeat::store::{Error, HistoryFilter};

use super::rig::{Fresh, now, revision};

fn by() -> By {
    By::new(Actor::customer(), Source::OneClick).noting("d-1")
}

fn category(name: &str) -> Scope {
    Scope {
        category: Some(name.to_owned()),
        ..Scope::default()
    }
}

/// What a change is counted by: revision, lines, marks.
async fn counts(store: &Fresh, id: CustomerId) -> (i64, usize, i64) {
    let customer = store.read("a").await;
    let lines = store
        .history(id, &HistoryFilter::default(), 99)
        .await
        .unwrap();
    (customer.consent_rev, lines.len(), store.marks().await)
}

async fn person(store: &Fresh) -> CustomerId {
    store.published(&revision()).await;
    store.person("a", &[]).await
}

pub(super) async fn a_repeated_unsubscribe_writes_nothing(store: Fresh) {
    let id = person(&store).await;
    let (rev, lines, marks) = counts(&store, id).await;
    let cards = category("cards");
    assert!(store.unsubscribe(id, &cards, &by(), now()).await.unwrap());
    let after = counts(&store, id).await;
    assert_eq!(after, (rev + 1, lines + 1, marks + 1));
    assert!(!store.unsubscribe(id, &cards, &by(), now()).await.unwrap());
    assert_eq!(counts(&store, id).await, after);
    let records = &store.subscriptions_of(&[id]).await.unwrap()[&id];
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0].scope, records[0].at), (&cards, now()));
    assert_eq!(records[0].by, by());
}

pub(super) async fn resubscribing_takes_back_narrower_records_and_names_broader_ones(store: Fresh) {
    let id = person(&store).await;
    let cards = category("cards");
    let cards_by_sms = Scope {
        channel: Some(Channel::Sms),
        ..cards.clone()
    };
    for scope in [
        &Scope::EVERYTHING,
        &cards,
        &cards_by_sms,
        &category("loans"),
    ] {
        store.unsubscribe(id, scope, &by(), now()).await.unwrap();
    }
    let before = counts(&store, id).await;
    let answer = store.resubscribe(id, &cards, &by(), now()).await.unwrap();
    assert_eq!(answer.flips, [cards.clone(), cards_by_sms]);
    assert_eq!(answer.still_blocked_by, [Scope::EVERYTHING]);
    let after = counts(&store, id).await;
    assert_eq!(after, (before.0 + 1, before.1 + 1, before.2 + 1));
    let again = store.resubscribe(id, &cards, &by(), now()).await.unwrap();
    assert!(again.flips.is_empty());
    assert_eq!(counts(&store, id).await, after);
}

pub(super) async fn a_record_taken_back_can_be_given_again(store: Fresh) {
    let id = person(&store).await;
    let cards = category("cards");
    assert!(store.unsubscribe(id, &cards, &by(), now()).await.unwrap());
    store.resubscribe(id, &cards, &by(), now()).await.unwrap();
    assert!(store.unsubscribe(id, &cards, &by(), now()).await.unwrap());
    let records = &store.subscriptions_of(&[id]).await.unwrap()[&id];
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].state, SubscriptionState::Unsubscribed);
}

pub(super) async fn a_switch_moves_the_revision_exactly_once(store: Fresh) {
    let id = person(&store).await;
    for (n, switch) in ["outbound", "email", "sms", "push"].into_iter().enumerate() {
        let switch = Switch::parse(switch).unwrap();
        let before = counts(&store, id).await;
        assert!(
            !store
                .set_switch(id, switch, true, &by(), now())
                .await
                .unwrap()
        );
        assert_eq!(counts(&store, id).await, before);
        assert!(
            store
                .set_switch(id, switch, false, &by(), now())
                .await
                .unwrap()
        );
        assert!(
            !store
                .set_switch(id, switch, false, &by(), now())
                .await
                .unwrap()
        );
        assert_eq!(
            counts(&store, id).await,
            (before.0 + 1, before.1 + 1, before.2 + 1),
            "{n}"
        );
    }
    let switches = store.read("a").await.switches;
    assert!(!(switches.outbound || switches.email || switches.sms || switches.push));
}

pub(super) async fn a_consent_moves_the_revision_exactly_once(store: Fresh) {
    let id = person(&store).await;
    for channel in Channel::ALL {
        let before = counts(&store, id).await;
        assert!(
            store
                .set_consent(id, channel, Consent::OptedIn, &by(), now())
                .await
                .unwrap()
        );
        assert!(
            !store
                .set_consent(id, channel, Consent::OptedIn, &by(), now())
                .await
                .unwrap()
        );
        assert_eq!(
            counts(&store, id).await,
            (before.0 + 1, before.1 + 1, before.2 + 1)
        );
        assert_eq!(
            store.read("a").await.consents.channel(channel),
            Consent::OptedIn
        );
    }
}

pub(super) async fn a_dismissal_ends_the_flow_of_that_name_and_can_be_withdrawn(store: Fresh) {
    let published = store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    for (n, flow) in ["welcome", "gold"].into_iter().enumerate() {
        let flow = published.numbers.number(NameKind::Flow, flow).unwrap().0;
        store.enroll(id, flow, i64::try_from(n).unwrap() + 1).await;
    }
    let before = counts(&store, id).await;
    assert!(store.dismiss(id, "gold", &by(), now()).await.unwrap());
    assert!(!store.dismiss(id, "gold", &by(), now()).await.unwrap());
    assert_eq!(
        store
            .number("SELECT count(*) FROM enrollments WHERE status < 10")
            .await,
        1
    );
    let ended = "SELECT exit_reason FROM enrollments WHERE status = 11 AND due IS NULL";
    assert_eq!(store.number(ended).await, 5);
    // A line for the dismissal and one for the run that ended.
    let after = counts(&store, id).await;
    assert_eq!(after, (before.0 + 1, before.1 + 2, before.2 + 1));
    let dismissals = &store.dismissals_of(&[id]).await.unwrap()[&id];
    assert_eq!(dismissals[0].campaign, "gold");
    assert_eq!(dismissals[0].by, by());
    assert!(
        store
            .withdraw_dismissal(id, "gold", &by(), now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .withdraw_dismissal(id, "gold", &by(), now())
            .await
            .unwrap()
    );
    assert!(store.dismissals_of(&[id]).await.unwrap().is_empty());
    assert_eq!(counts(&store, id).await.0, after.0 + 1);
}

pub(super) async fn an_unknown_customer_is_refused_everywhere(store: Fresh) {
    person(&store).await;
    let id = CustomerId::new(Bucket(1), 77);
    let cards = category("cards");
    let outcomes = [
        store.unsubscribe(id, &cards, &by(), now()).await.err(),
        store.resubscribe(id, &cards, &by(), now()).await.err(),
        store.dismiss(id, "gold", &by(), now()).await.err(),
        store
            .withdraw_dismissal(id, "gold", &by(), now())
            .await
            .err(),
        store
            .set_switch(id, Switch::Outbound, false, &by(), now())
            .await
            .err(),
        store
            .set_consent(id, Channel::Sms, Consent::OptedIn, &by(), now())
            .await
            .err(),
        store
            .set_status(id, Status::Discarded, &by(), now())
            .await
            .err(),
        store.delete_customer(id, &by(), now()).await.err(),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Some(Error::NotFound(_))), "{outcome:?}");
    }
    for table in ["subscriptions", "dismissals", "interactions", "audit"] {
        let count = store.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, 0, "{table}");
    }
}

pub(super) async fn a_suppressed_address_is_found_in_any_spelling(store: Fresh) {
    store
        .suppress(Channel::Email, "Ana@Example.com", "bounced", now())
        .await
        .unwrap();
    store
        .suppress(Channel::Email, "ana@example.com", "again", now())
        .await
        .unwrap();
    let asked = [
        (Channel::Email, "ana@example.com"),
        (Channel::Email, "ANA@EXAMPLE.COM"),
        (Channel::Email, "eva@example.com"),
        (Channel::Sms, "ana@example.com"),
    ];
    let found = store.suppressed(&asked).await.unwrap();
    let expected = asked[..2]
        .iter()
        .map(|(channel, text)| (*channel, (*text).to_owned()));
    assert_eq!(found, expected.collect());
    assert_eq!(store.number("SELECT count(*) FROM suppressions").await, 1);
}
