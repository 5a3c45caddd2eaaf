//! Owns the test of what there was between a campaign and a customer before.

use drumbeat::customers::histories::Narrowed;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Switch;
use drumbeat::domain::enrollment::EnrollmentStatus;
use drumbeat::domain::interaction::Kind;
use drumbeat::engine::explain::{CampaignDetail, CampaignKind, detail};

use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

const KEYS: &str = "entry: { reentry: every-requalification }\nexit: { on-leaving-segment: true }";

async fn picked(rig: &Rig, flow: &str) -> CampaignDetail {
    let catalog = rig.engine().catalog();
    let model = &catalog.revision().data_model;
    let ana = rig.store.customer("ana", model).await.unwrap().unwrap();
    let asked = (flow, CampaignKind::Flow);
    let detail = detail(&rig.store, &catalog, &ana, asked, rig.now()).await;
    detail.unwrap().unwrap()
}

/// The kinds of the lines that belong to the campaign, oldest first.
async fn before(rig: &Rig, campaign: &str) -> Vec<String> {
    let catalog = rig.engine().catalog();
    let narrowed = Narrowed {
        campaign: Some(campaign.to_owned()),
        ..Narrowed::default()
    };
    let filter = narrowed.filter(catalog.revision()).unwrap();
    let id = rig.id("ana").await;
    let lines = rig.store.history(id, &filter, 100).await.unwrap();
    lines.into_iter().rev().map(|line| line.kind).collect()
}

#[tokio::test]
async fn a_campaign_shows_what_there_was_before_and_which_steps_were_done_each_time() {
    let steps = [
        email("hello", ""),
        sms("text", "after: 2d"),
        email("bye", "after: 2d"),
    ];
    let other = flow("g", LYON, "", &[email("news", "after: 30d")]);
    let f = flow("f", LYON, KEYS, &steps);
    let mut rig = Rig::start(&[("flows/f.yaml", &f), ("flows/g.yaml", &other)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.switch("ana", Switch::Channel(Channel::Sms), false)
        .await;
    rig.advance("3d").await;
    rig.clicked("ana", "f", "hello").await;
    rig.did("ana", Kind::Login).await;
    rig.set("ana", "city=Rome").await;
    rig.advance("1d").await;
    rig.switch("ana", Switch::Channel(Channel::Sms), true).await;
    rig.set("ana", "city=Lyon").await;
    rig.advance("3d").await;
    let told = picked(&rig, "f").await;
    let runs: Vec<_> = told
        .runs
        .iter()
        .map(|run| {
            let steps = run.steps.iter().map(|step| (step.id.as_str(), step.state));
            (run.entry, run.status, steps.collect::<Vec<_>>())
        })
        .collect();
    let second = vec![("hello", "sent"), ("text", "sent"), ("bye", "waiting")];
    let first = vec![
        ("hello", "sent"),
        ("text", "withheld"),
        ("bye", "not-reached"),
    ];
    let expected = [
        (2, EnrollmentStatus::Waiting, second),
        (1, EnrollmentStatus::Exited, first),
    ];
    assert_eq!(runs, expected);
    let before = before(&rig, "f").await;
    for kind in [
        "email-sent",
        "sms-withheld",
        "sms-sent",
        "email-clicked",
        "exited-flow",
    ] {
        assert!(
            before.iter().any(|known| known == kind),
            "{kind}: {before:?}"
        );
    }
    assert!(!before.iter().any(|known| known == "login"), "{before:?}");
    let of_other = self::before(&rig, "g").await;
    assert_eq!(of_other, ["entered-flow"]);
}
