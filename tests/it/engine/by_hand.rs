//! Owns the tests of sending one communication to one customer because somebody says so.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{Status, Switch};
use drumbeat::domain::flow::Reuse;
use drumbeat::domain::subscription::Scope;
use drumbeat::engine::Catalog;
use drumbeat::engine::by_hand::{self, Asked};
use rstest::rstest;

use super::people::by;
use super::rig::Rig;
use super::walking::GOLD;
use super::written::{LYON, email, flow, policy};

const NO_RULES: &str = "";

async fn rig(rules: &str) -> Rig {
    let policy = policy(rules);
    let files = [
        ("flows/policy.yaml", policy.as_str()),
        ("flows/gold.yaml", GOLD),
    ];
    let rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig
}

impl Rig {
    async fn send_by_hand(&self, customer: &str) -> Asked {
        let catalog = self.engine().catalog();
        let model = &catalog.revision().data_model;
        let customer = self.store.customer(customer, model).await.unwrap();
        let offer = Reuse {
            campaign: "gold".to_owned(),
            communication: "offer".to_owned(),
        };
        let catalog: &Catalog = &catalog;
        let at = (&by(), self.now());
        by_hand::send(&self.store, catalog, &customer.unwrap(), &offer, at)
            .await
            .unwrap()
    }

    /// What the history tells of messages and of who asked for them, oldest first.
    async fn told(&self, customer: &str) -> Vec<String> {
        let lines = self.history(customer).await;
        let told = lines.iter().filter_map(|line| {
            let detail = line.detail.as_ref()?;
            let campaign = line.campaign.as_deref()?;
            assert_eq!((&line.flow, &line.step), (&None, &None));
            let communication = detail["communication"].as_str()?;
            let reason = detail["reason"].as_str().unwrap_or_default();
            let who = line.actor.as_deref().unwrap_or_default();
            let line = format!("{} {campaign}/{communication} {reason}{who}", line.kind);
            Some(line.trim_end().to_owned())
        });
        told.collect()
    }
}

#[tokio::test]
async fn a_message_that_somebody_asks_for_goes_out_at_once_and_the_history_says_who_asked() {
    let mut rig = rig(NO_RULES).await;
    let asked = rig.send_by_hand("ana").await;
    assert_eq!(
        (asked.communication.as_str(), asked.channel),
        ("gold/offer", Channel::Email)
    );
    rig.settle().await;
    assert_eq!(rig.sent(), ["01-05 10:00 ana email message"]);
    let told = ["send-asked gold/offer maria", "email-sent gold/offer"];
    assert_eq!(rig.told("ana").await, told);
    assert!(
        rig.entered("ana").await.is_empty(),
        "it is no flow to anybody"
    );
}

#[tokio::test]
async fn whoever_is_sent_a_message_twice_gets_it_twice_each_with_an_id_of_its_own() {
    let mut rig = rig(NO_RULES).await;
    let ids = [
        rig.send_by_hand("ana").await.dispatch,
        rig.send_by_hand("ana").await.dispatch,
    ];
    assert_ne!(ids[0], ids[1]);
    rig.settle().await;
    assert_eq!(rig.sent().len(), 2);
    rig.advance("30d").await;
    assert!(rig.sent().is_empty());
}

#[rstest]
#[case::switch("channel_off")]
#[case::opt_out("unsubscribed_category")]
#[case::dismissal("dismissed")]
#[case::suspension("suspended")]
#[tokio::test]
async fn the_gate_keeps_back_what_it_keeps_back_from_flows(#[case] reason: &str) {
    let mut rig = rig(NO_RULES).await;
    match reason {
        "channel_off" => {
            rig.switch("ana", Switch::Channel(Channel::Email), false)
                .await;
        }
        "unsubscribed_category" => {
            let cards = Scope {
                category: Some("cards".to_owned()),
                ..Scope::EVERYTHING
            };
            rig.unsubscribe("ana", &cards).await;
        }
        "dismissed" => rig.dismiss("ana", "gold").await,
        _ => rig.status("ana", Status::Suspended).await,
    }
    rig.send_by_hand("ana").await;
    rig.settle().await;
    assert!(rig.sent().is_empty());
    let told = rig.told("ana").await;
    assert_eq!(
        told.last().unwrap(),
        &format!("email-withheld gold/offer {reason}")
    );
}

#[tokio::test]
async fn quiet_hours_hold_what_was_asked_for_until_they_are_over() {
    let mut rig = rig("quiet-hours: { email: \"09:00-12:00\" }").await;
    rig.send_by_hand("ana").await;
    rig.settle().await;
    assert!(rig.sent().is_empty());
    rig.advance("3h").await;
    assert_eq!(rig.sent(), ["01-05 12:00 ana email message"]);
}

#[tokio::test]
async fn a_cap_counts_what_was_sent_by_hand() {
    let mut rig = rig("frequency-caps: [ { limit: 1 per 7d, channels: [email] } ]").await;
    rig.send_by_hand("ana").await;
    rig.settle().await;
    rig.advance("1h").await;
    rig.send_by_hand("ana").await;
    rig.settle().await;
    assert_eq!(rig.sent().len(), 1);
    let told = rig.told("ana").await;
    assert_eq!(
        told.last().unwrap(),
        "email-withheld gold/offer frequency_capped"
    );
}

#[tokio::test]
async fn nobody_writes_to_a_visitor_of_whom_nobody_knows_who_they_are() {
    let policy = policy(NO_RULES);
    let flow = flow("f", LYON, "", &[email("hello", "")]);
    let files = [
        ("flows/policy.yaml", policy.as_str()),
        ("flows/gold.yaml", GOLD),
        ("flows/f.yaml", flow.as_str()),
    ];
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig.execute("UPDATE customers SET identified = 0").await;
    rig.send_by_hand("ana").await;
    rig.settle().await;
    assert!(rig.sent().is_empty());
    let told = rig.told("ana").await;
    assert_eq!(told.last().unwrap(), "email-withheld gold/offer anonymous");
    assert_eq!(
        rig.ledger("ana").await,
        ["hello withheld anonymous", "f completed"]
    );
}
