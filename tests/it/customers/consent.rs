//! What customers give up and take back: each change with its actor, its way and its time.

use drumbeat::customers::error::Error;
use drumbeat::customers::overview::{Overview, overview};
use drumbeat::customers::{profiles, subscriptions};
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{Switch, Switches};
use drumbeat::domain::subscription::{Consent, Scope, SubscriptionState};
use jiff::SignedDuration;
use rstest::rstest;

use super::bank::{Bank, bank, by_mara, noon};

async fn bank_with_ana() -> Bank {
    let bank = bank().await;
    bank.import("id,email\nana,ana@example.com\n").await;
    bank
}

async fn show(bank: &Bank) -> Overview {
    overview(&bank.store, &bank.revision, "ana", noon(), 100)
        .await
        .unwrap()
}

async fn unsubscribe(bank: &Bank, scope: &Scope, by: &By) -> Result<bool, Error> {
    subscriptions::unsubscribe(&bank.store, &bank.revision, "ana", scope, by, noon()).await
}

fn category() -> Scope {
    Scope {
        category: Some("credit-cards".to_owned()),
        ..Scope::default()
    }
}

#[rstest]
#[case(Scope { campaign: Some("gold-card".to_owned()), ..Scope::default() })]
#[case(category())]
#[case(Scope { group: Some("retail-banking".to_owned()), ..Scope::default() })]
#[case(Scope { channel: Some(Channel::Sms), ..Scope::default() })]
#[case(Scope { channel: Some(Channel::Email), ..category() })]
#[case(Scope::EVERYTHING)]
#[tokio::test]
async fn an_unsubscription_is_recorded_with_who_how_and_when(#[case] scope: Scope) {
    let bank = bank_with_ana().await;
    let by = By::new(Actor::customer(), Source::Link).noting("the link in gold-card/offer");
    assert!(unsubscribe(&bank, &scope, &by).await.unwrap());
    let shown = show(&bank).await;
    let record = &shown.subscriptions[0];
    assert_eq!(record.scope, scope);
    assert_eq!(record.state, SubscriptionState::Unsubscribed);
    assert_eq!((&record.by, record.at), (&by, noon()));
    let line = &shown.history[0];
    assert_eq!(line.kind, "unsubscribed");
    assert_eq!(line.actor.as_deref(), Some("customer"));
    assert!(!unsubscribe(&bank, &scope, &by).await.unwrap());
    assert_eq!(show(&bank).await.history.len(), shown.history.len());
}

#[tokio::test]
async fn resubscribing_turns_narrower_records_and_names_the_broader_that_still_block() {
    let bank = bank_with_ana().await;
    let by_sms = Scope {
        channel: Some(Channel::Sms),
        ..category()
    };
    for scope in [Scope::EVERYTHING, category(), by_sms.clone()] {
        unsubscribe(&bank, &scope, &by_mara()).await.unwrap();
    }
    let (store, revision) = (&bank.store, &bank.revision);
    let plan = subscriptions::plan_resubscription(store, revision, "ana", &category())
        .await
        .unwrap();
    let later = noon() + SignedDuration::from_hours(1);
    let by = By::new(Actor::named("omar"), Source::CommandLine);
    let done = subscriptions::resubscribe(store, revision, "ana", &category(), &by, later)
        .await
        .unwrap();
    assert_eq!(done, plan);
    assert_eq!(done.flips, [category(), by_sms]);
    assert_eq!(done.still_blocked_by, [Scope::EVERYTHING]);
    let shown = show(&bank).await;
    let states: Vec<(bool, &str)> = shown
        .subscriptions
        .iter()
        .map(|r| {
            (
                r.state == SubscriptionState::Resubscribed,
                r.by.actor.as_str(),
            )
        })
        .collect();
    assert_eq!(states, [(false, "mara"), (true, "omar"), (true, "omar")]);
}

#[tokio::test]
async fn names_that_the_workspace_does_not_know_are_refused_with_the_nearest() {
    let bank = bank_with_ana().await;
    let wrong = Scope {
        campaign: Some("gold-crad".to_owned()),
        ..Scope::default()
    };
    let error = unsubscribe(&bank, &wrong, &by_mara()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown campaign `gold-crad`: did you mean `gold-card`?"
    );
    for scope in [
        Scope {
            category: Some("x".to_owned()),
            ..Scope::default()
        },
        Scope {
            group: Some("x".to_owned()),
            ..Scope::default()
        },
    ] {
        let error = unsubscribe(&bank, &scope, &by_mara()).await.unwrap_err();
        assert!(matches!(error, Error::UnknownName(_)), "{error}");
    }
    assert!(show(&bank).await.subscriptions.is_empty());
}

#[tokio::test]
async fn the_master_switch_and_the_channels_show_at_once() {
    let bank = bank_with_ana().await;
    let turn = async |switch, on| {
        let by = by_mara();
        subscriptions::set_switch(&bank.store, "ana", switch, on, &by, noon())
            .await
            .unwrap()
    };
    assert!(turn(Switch::Channel(Channel::Sms), false).await);
    assert!(!turn(Switch::Channel(Channel::Sms), false).await);
    let expected = Switches {
        sms: false,
        ..Switches::default()
    };
    assert_eq!(show(&bank).await.customer.switches, expected);
    assert!(turn(Switch::Outbound, false).await);
    assert!(turn(Switch::Channel(Channel::Sms), true).await);
    let shown = show(&bank).await;
    let expected = Switches {
        outbound: false,
        ..Switches::default()
    };
    assert_eq!(shown.customer.switches, expected);
    let kinds: Vec<&str> = shown
        .history
        .iter()
        .map(|line| line.kind.as_str())
        .collect();
    let count = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!((count("switched-off"), count("switched-on")), (2, 1));
}

#[tokio::test]
async fn a_dismissal_is_an_event_of_its_own_and_no_unsubscription() {
    let bank = bank_with_ana().await;
    let (store, revision) = (&bank.store, &bank.revision);
    let dismiss = async || {
        subscriptions::dismiss(store, revision, "ana", "gold-card", &by_mara(), noon()).await
    };
    assert!(dismiss().await.unwrap());
    assert!(!dismiss().await.unwrap());
    let shown = show(&bank).await;
    assert!(shown.subscriptions.is_empty());
    assert_eq!(shown.dismissals[0].campaign, "gold-card");
    assert_eq!(shown.history[0].kind, "dismissal");
    let by = by_mara();
    assert!(
        subscriptions::withdraw_dismissal(store, revision, "ana", "gold-card", &by, noon())
            .await
            .unwrap()
    );
    let shown = show(&bank).await;
    assert!(shown.dismissals.is_empty());
    assert!(
        shown
            .history
            .iter()
            .any(|line| line.kind == "dismissal-withdrawn")
    );
}

#[tokio::test]
async fn consent_is_kept_for_each_channel() {
    let bank = bank_with_ana().await;
    for (channel, consent) in [
        (Channel::Sms, Consent::OptedIn),
        (Channel::Email, Consent::Unsubscribed),
    ] {
        let by = by_mara();
        let set = subscriptions::set_consent(&bank.store, "ana", channel, consent, &by, noon());
        assert!(set.await.unwrap());
    }
    let shown = show(&bank).await;
    let consents = Channel::ALL.map(|channel| shown.customer.consents.channel(channel));
    let expected = [Consent::Unsubscribed, Consent::OptedIn, Consent::Subscribed];
    assert_eq!(consents, expected);
    assert_eq!(shown.history[0].kind, "consent-changed");
    assert_eq!(shown.history[0].actor.as_deref(), Some("mara"));
}

#[tokio::test]
async fn everything_that_the_gate_asks_about_moves_the_customers_revision() {
    let bank = bank_with_ana().await;
    let before = bank.customer("ana").await.consent_rev;
    unsubscribe(&bank, &category(), &by_mara()).await.unwrap();
    assert!(bank.customer("ana").await.consent_rev > before);
    let by = by_mara();
    let moved = bank.customer("ana").await.consent_rev;
    let city = [("city".to_owned(), "Lyon".to_owned())];
    profiles::set_fields(&bank.store, &bank.revision, "ana", &city, &by, noon())
        .await
        .unwrap();
    assert_eq!(bank.customer("ana").await.consent_rev, moved);
}

#[tokio::test]
async fn nobody_is_changed_who_is_not_there() {
    let bank = bank_with_ana().await;
    let by = by_mara();
    let switch = Switch::Outbound;
    let error = subscriptions::set_switch(&bank.store, "eve", switch, false, &by, noon()).await;
    assert_eq!(error.unwrap_err().to_string(), "there is no customer `eve`");
}
