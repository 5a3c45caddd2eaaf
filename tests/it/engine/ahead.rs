//! What is ahead of a customer, and for which campaigns they qualify, as things stand.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::subscription::Consent;
use drumbeat::engine::explain::{
    Ahead, CampaignKind, Certainty, ahead, campaign_names, detail, told,
};
use drumbeat::store::HistoryFilter;

use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

const GOLD: &str = "\
campaign: gold-card
name: Gold card
segment: lyonnais
communications:
  offer: { sms: { text: Gold! } }
---
segment: lyonnais
where: { all: [ { segment: french }, { tag: vip } ] }
---
segment: french
where: { field: city, is: Lyon }
";

fn welcome() -> String {
    let steps = [
        email("hello", "after: 4d"),
        sms("text", "after: 2d"),
        "id: offer, after: 1d, sms: gold-card/offer".to_owned(),
    ];
    flow("f", LYON, "", &steps)
}

async fn rig() -> Rig {
    let mut rig = Rig::start(&[("flows/f.yaml", &welcome()), ("flows/gold.yaml", GOLD)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig
}

async fn of(rig: &Rig, customer: &str) -> Vec<Ahead> {
    let catalog = rig.engine().catalog();
    let model = &catalog.revision().data_model;
    let customer = rig.store.customer(customer, model).await.unwrap().unwrap();
    ahead(&rig.store, &catalog, &customer, rig.now())
        .await
        .unwrap()
}

fn lines(all: &[Ahead]) -> Vec<String> {
    let line = |one: &Ahead| {
        let at = one.at.map(|at| at.strftime("%m-%d %H:%M").to_string());
        let (at, verdict) = (at.unwrap_or_default(), one.verdict.unwrap_or("?"));
        let reason = one.reason.as_deref().unwrap_or("");
        format!("{at} {} {} {verdict} {reason}", one.step, one.state)
            .trim_end()
            .to_owned()
    };
    all.iter().map(line).collect()
}

#[tokio::test]
async fn what_is_ahead_is_told_in_the_order_of_time_with_what_the_gate_would_say() {
    let mut rig = rig().await;
    let ana = rig.store.customer_id("ana").await.unwrap().unwrap();
    let by = By::new(Actor::customer(), Source::Link);
    let refusing = rig
        .store
        .set_consent(ana, Channel::Sms, Consent::Unsubscribed, &by, rig.now());
    refusing.await.unwrap();
    let all = of(&rig, "ana").await;
    assert_eq!(
        lines(&all),
        [
            "01-09 10:00 hello waiting send",
            "01-11 10:00 text to-come withhold no_consent",
            "01-12 10:00 offer to-come withhold no_consent",
        ]
    );
    assert_eq!(all[0].certainty, Certainty::Due);
    assert_eq!(all[1].certainty, Certainty::AtTheEarliest);
    assert_eq!(all[2].campaign.as_deref(), Some("gold-card"));
    assert!(
        all[1].why.iter().any(|why| why.contains("consent")),
        "{:?}",
        all[1].why
    );
    rig.advance("4d").await;
    assert_eq!(lines(&of(&rig, "ana").await).len(), 2);
    rig.advance("30d").await;
    assert!(of(&rig, "ana").await.is_empty());
}

#[tokio::test]
async fn every_campaign_says_whether_a_customer_qualifies_and_by_which_segments() {
    let mut rig = rig().await;
    rig.advance("4d").await;
    let catalog = rig.engine().catalog();
    let revision = catalog.revision();
    let ana = rig
        .store
        .customer("ana", &revision.data_model)
        .await
        .unwrap()
        .unwrap();
    let names = campaign_names(revision);
    assert_eq!(
        names,
        [
            ("f".to_owned(), CampaignKind::Flow),
            ("gold-card".to_owned(), CampaignKind::Campaign)
        ]
    );
    let all = told(&rig.store, &catalog, &ana, &names, rig.now())
        .await
        .unwrap();
    assert_eq!((all[0].qualifies, all[0].in_it), (Some(true), true));
    assert!(all[0].since.is_some());
    assert_eq!((all[1].qualifies, all[1].in_it), (Some(false), true));
    let segments: Vec<(&str, bool)> = all[1]
        .segments
        .iter()
        .map(|one| (one.segment.as_str(), one.met))
        .collect();
    assert_eq!(segments, [("lyonnais", false), ("french", true)]);
    let asked = ("gold-card", CampaignKind::Campaign);
    let gold = detail(&rig.store, &catalog, &ana, asked, rig.now())
        .await
        .unwrap()
        .unwrap();
    let met: Vec<Option<bool>> = gold.conditions.iter().map(|point| point.met).collect();
    assert_eq!(met, [Some(true), Some(false)]);
    assert_eq!(gold.runs.len(), 1);
    let states: Vec<&str> = gold.runs[0].steps.iter().map(|step| step.state).collect();
    assert_eq!(states, ["sent", "waiting", "to-come"]);
    let nothing = ("nothing", CampaignKind::Flow);
    assert!(
        detail(&rig.store, &catalog, &ana, nothing, rig.now())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn coming_into_a_segment_and_leaving_it_stands_in_the_history() {
    let mut rig = rig().await;
    rig.advance("2d").await;
    rig.set("ana", "city=Rome").await;
    rig.settle().await;
    let id = rig.store.customer_id("ana").await.unwrap().unwrap();
    let kinds = ["entered-segment", "left-segment"].map(str::to_owned);
    let filter = HistoryFilter {
        kinds: kinds.to_vec(),
        ..HistoryFilter::default()
    };
    let lines = rig.store.history(id, &filter, 10).await.unwrap();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {}", line.at.strftime("%m-%d %H:%M"), line.kind))
        .collect();
    assert_eq!(
        told,
        ["01-07 10:00 left-segment", "01-05 10:00 entered-segment"]
    );
    assert_eq!(lines[0].detail.as_ref().unwrap()["segment"], "flow:f");
}
