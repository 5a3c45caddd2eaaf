//! Owns the tests of what an operator gives up for a customer, and of what is sent once it is taken back.

use drumbeat::customers::subscriptions;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::subscription::{Scope, SubscriptionState};
use rstest::rstest;

use super::people::by;
use super::rig::Rig;
use super::written::{LYON, email, flow_over, sms};

/// The flow `f` about news for retail customers and `g` about cards for wealthy ones, both by e-mail
/// and text, and again after a day; Ana and Bob are in both.
async fn rig() -> Rig {
    let segment = format!("segment: {{ where: {LYON} }}");
    let flow = |id: &str, category: &str| {
        let steps = [
            email(&format!("{id}-mail"), ""),
            sms(&format!("{id}-text"), ""),
            email(&format!("{id}-later"), "after: 1d"),
        ];
        flow_over(id, &segment, &format!("category: {category}"), &steps)
    };
    let g = flow("g", "cards").replace("group: retail", "group: wealth");
    let rig = Rig::start(&[("flows/f.yaml", &flow("f", "news")), ("flows/g.yaml", &g)]).await;
    for customer in ["ana", "bob"] {
        rig.customer(customer, "city=Lyon").await;
    }
    rig
}

async fn unsubscribe(rig: &Rig, scope: &Scope) {
    let catalog = rig.engine().catalog();
    let (revision, by) = (catalog.revision(), by());
    let done = subscriptions::unsubscribe(&rig.store, revision, "ana", scope, &by, rig.now());
    assert!(done.await.unwrap());
}

async fn resubscribe(rig: &Rig, scope: &Scope) -> Vec<Scope> {
    let catalog = rig.engine().catalog();
    let (revision, by) = (catalog.revision(), by());
    let done = subscriptions::resubscribe(&rig.store, revision, "ana", scope, &by, rig.now());
    done.await.unwrap().flips
}

/// What became of Ana's messages, in the order of the steps' names.
async fn ledger(rig: &Rig) -> Vec<String> {
    let mut ledger = rig.ledger("ana").await;
    ledger.retain(|line| !line.ends_with("completed"));
    ledger.sort();
    ledger
}

/// Whom the step went to.
fn got<'a>(sent: &'a [String], step: &str) -> Vec<&'a str> {
    let lines = sent.iter().filter(|line| line.ends_with(step));
    lines.map(|line| line.split(' ').nth(2).unwrap()).collect()
}

/// Ana is unsubscribed by Maria, who is named; of the four first messages these alone stay back, of
/// Ana alone.
async fn stays_back(scope: Scope, steps: &[&str]) {
    let mut rig = rig().await;
    unsubscribe(&rig, &scope).await;
    rig.settle().await;
    let sent = rig.sent();
    for step in ["f-mail", "f-text", "g-mail", "g-text"] {
        let both: &[&str] = &["ana", "bob"];
        let expected = if steps.contains(&step) {
            &both[1..]
        } else {
            both
        };
        assert_eq!(got(&sent, step), expected, "{step}: {sent:?}");
    }
    let id = rig.id("ana").await;
    let records = rig.store.subscriptions_of(&[id]).await.unwrap().remove(&id);
    let records = records.unwrap();
    assert_eq!((records.len(), &records[0].scope), (1, &scope));
    assert_eq!(records[0].state, SubscriptionState::Unsubscribed);
    assert_eq!(records[0].by.actor.as_str(), "maria");
}

#[tokio::test]
async fn an_operator_unsubscribes_a_customer_from_one_campaign() {
    let campaign = Some("f".to_owned());
    let scope = Scope {
        campaign,
        ..Scope::default()
    };
    stays_back(scope, &["f-mail", "f-text"]).await;
}

#[tokio::test]
async fn an_operator_unsubscribes_a_customer_from_a_category() {
    let category = Some("cards".to_owned());
    let scope = Scope {
        category,
        ..Scope::default()
    };
    stays_back(scope, &["g-mail", "g-text"]).await;
}

#[tokio::test]
async fn an_operator_unsubscribes_a_customer_from_a_group() {
    let group = Some("retail".to_owned());
    let scope = Scope {
        group,
        ..Scope::default()
    };
    stays_back(scope, &["f-mail", "f-text"]).await;
}

#[tokio::test]
async fn an_operator_unsubscribes_a_customer_from_a_channel() {
    let channel = Some(Channel::Sms);
    let scope = Scope {
        channel,
        ..Scope::default()
    };
    stays_back(scope, &["f-text", "g-text"]).await;
}

#[tokio::test]
async fn who_is_resubscribed_by_a_campaign_is_written_to_again_by_that_one_alone() {
    let mut rig = rig().await;
    let of = |id: &str| Scope {
        campaign: Some(id.to_owned()),
        ..Scope::default()
    };
    for id in ["f", "g"] {
        unsubscribe(&rig, &of(id)).await;
    }
    rig.settle().await;
    assert_eq!(resubscribe(&rig, &of("f")).await, [of("f")]);
    rig.advance("1d").await;
    let ledger = ledger(&rig).await;
    assert_eq!(ledger[0], "f-later sent");
    assert_eq!(ledger[3], "g-later withheld unsubscribed_campaign");
}

#[rstest]
#[case::category(true, false)]
#[case::group(false, true)]
#[case::both(true, true)]
#[tokio::test]
async fn who_is_resubscribed_by_category_by_group_or_by_both_is_written_to_again(
    #[case] by_category: bool,
    #[case] by_group: bool,
) {
    let mut rig = rig().await;
    let scope = |category: &str, group: &str| Scope {
        category: by_category.then(|| category.to_owned()),
        group: by_group.then(|| group.to_owned()),
        ..Scope::default()
    };
    unsubscribe(&rig, &scope("news", "retail")).await;
    rig.settle().await;
    let other = resubscribe(&rig, &scope("cards", "wealth")).await;
    assert!(other.is_empty(), "{other:?}");
    let flips = resubscribe(&rig, &scope("news", "retail")).await;
    assert_eq!(flips, [scope("news", "retail")]);
    rig.advance("1d").await;
    let ledger = ledger(&rig).await;
    assert_eq!(ledger[0], "f-later sent");
    assert!(
        ledger[1].starts_with("f-mail withheld unsubscribed_"),
        "{ledger:?}"
    );
}
