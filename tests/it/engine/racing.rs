//! Owns the tests of what changes while a pass decides: the next pass sees it, and nothing is sent.

use std::sync::Arc;

use drumbeat::domain::channel::{Channel, Lane};
use drumbeat::domain::customer::{Status, Switch};
use drumbeat::domain::ids::Stripes;
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::store::{Decided, Decision, Work};
use rstest::rstest;

use super::rig::Rig;
use super::walking::GOLD;
use super::written::{LYON, any, flow};

/// The claim of a pass that has looked and has not written yet.
async fn looked(rig: &Rig) -> Decided {
    let email = Lane::Channel(Channel::Email);
    let dues = rig.store.due(&Stripes::all(), email, rig.now(), 10).await;
    let due = dues.unwrap().remove(0);
    let catalog = rig.engine().catalog();
    let model = &catalog.revision().data_model;
    let customer = rig.store.customer("ana", model).await.unwrap().unwrap();
    Decided {
        enrollment: due.enrollment,
        customer: due.customer,
        step: due.step,
        due: due.due,
        consent_rev: customer.consent_rev,
        suppression_rev: rig.store.suppression_rev().await.unwrap(),
        decision: Decision::Claim {
            channel: Channel::Email,
            address: customer.text("email").unwrap().to_owned(),
            attempt: 1,
            first_at: rig.now(),
            variant: None,
        },
    }
}

async fn change(rig: &Rig, what: &str) {
    let category = Scope {
        category: Some("cards".to_owned()),
        ..Scope::default()
    };
    let refused = Consent::Unsubscribed;
    match what {
        "opt-out" => rig.unsubscribe("ana", &category).await,
        "refusal" => rig.consent("ana", Channel::Email, refused).await,
        "channel" => {
            let email = Switch::Channel(Channel::Email);
            rig.switch("ana", email, false).await;
        }
        "everything" => rig.switch("ana", Switch::Outbound, false).await,
        "suspension" => rig.status("ana", Status::Suspended).await,
        "dismissal" => rig.dismiss("ana", "gold").await,
        "suppression" => {
            let address = "ana@bank.example";
            let done = rig
                .store
                .suppress(Channel::Email, address, "bounced", rig.now());
            done.await.unwrap();
        }
        other => panic!("no change {other}"),
    }
}

#[rstest]
#[case("opt-out", &["offer withheld unsubscribed_category", "f completed"])]
#[case("refusal", &["offer withheld no_consent", "f completed"])]
#[case("channel", &["offer withheld channel_off", "f completed"])]
#[case("everything", &["offer withheld outbound_off", "f completed"])]
#[case("suspension", &["f exited suspended"])]
#[case("dismissal", &["offer withheld dismissed", "f exited dismissed"])]
#[case("suppression", &["offer withheld address_suppressed", "f completed"])]
#[tokio::test]
async fn a_change_between_looking_and_claiming_is_obeyed(
    #[case] what: &str,
    #[case] ledger: &[&str],
) {
    let steps = [any("offer", "after: 1d, email: gold/offer")];
    let text = flow("f", LYON, "", &steps);
    let mut rig = Rig::start(&[("flows/gold.yaml", GOLD), ("flows/f.yaml", &text)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.sleep("1d");
    let seen = [looked(&rig).await];
    change(&rig, what).await;
    let lease = rig.engine().lease(rig.now());
    let work = Work::Decided {
        decided: Arc::new(seen.to_vec()),
        lease,
        marks: false,
        now: rig.now(),
    };
    let taken = rig.store.write_together(&[work]).await.unwrap();
    assert_eq!(taken, [vec![]]);
    rig.settle().await;
    assert_eq!(rig.sent(), [""; 0]);
    assert_eq!(rig.ledger("ana").await, ledger);
}
