//! Owns the tests of what a profile shows of messages: what was received on which channel, and what came of it.

use std::collections::BTreeMap;

use drumbeat::customers::messages::messages;
use drumbeat::customers::overview::overview;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::engine::explain::{CampaignTold, campaign_names, told};

use super::rig::Rig;
use super::walking::GOLD;
use super::written::{LYON, email, flow, push, sms};

/// A flow by e-mail and text, one by push that Ana is not in, and a campaign whose e-mail the first sends.
async fn rig() -> Rig {
    let steps = [
        email("hello", ""),
        email("news", "after: 1d"),
        sms("text", "after: 1d"),
        "id: offer, after: 1d, email: gold/offer".to_owned(),
        email("late", "after: 1d"),
    ];
    let f = flow("f", LYON, "", &steps);
    let g = flow("g", "{ field: city, is: Rome }", "", &[push("ping", "")]);
    let files = [
        ("flows/f.yaml", f.as_str()),
        ("flows/g.yaml", g.as_str()),
        ("flows/gold.yaml", GOLD),
    ];
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("3d").await;
    rig
}

impl Rig {
    /// Tells what Ana did with a message of the flow.
    async fn reacted(&self, kind: Kind, step: &str) {
        let reaction = Interaction {
            channel: Some(Channel::Email),
            flow: Some("f".to_owned()),
            step: Some(step.to_owned()),
            ..Interaction::new(self.id("ana").await, self.now(), kind)
        };
        self.store.record(&[reaction]).await.unwrap();
    }

    /// The messages of a channel to Ana, the newest first: which, and what became of it last.
    async fn shown(&self, channel: Option<Channel>) -> Vec<String> {
        let catalog = self.engine().catalog();
        let all = messages(&self.store, catalog.revision(), "ana", channel).await;
        let line = |one: &drumbeat::customers::messages::MessageFacts| {
            let at = one.last_activity_at.strftime("%m-%d %H:%M");
            format!("{} {} {} {at}", one.channel, one.step, one.last_activity)
        };
        all.unwrap().iter().map(line).collect()
    }
}

#[tokio::test]
async fn what_was_sent_is_shown_by_channel_with_the_last_thing_that_became_of_it() {
    let mut rig = rig().await;
    rig.reacted(Kind::EmailOpened, "news").await;
    rig.advance("1h").await;
    rig.reacted(Kind::EmailOpened, "offer").await;
    rig.reacted(Kind::EmailClicked, "news").await;
    rig.execute(
        "UPDATE dispatches SET state = 6 WHERE step IN \
         (SELECT number FROM names WHERE name LIKE '%hello')",
    )
    .await;
    let mails = [
        "email offer opened 01-08 11:00",
        "email news clicked 01-08 11:00",
        "email hello bounced 01-05 10:00",
    ];
    assert_eq!(rig.shown(Some(Channel::Email)).await, mails);
    let texts = ["sms text sent 01-07 10:00"];
    assert_eq!(rig.shown(Some(Channel::Sms)).await, texts);
    assert!(rig.shown(Some(Channel::Push)).await.is_empty());
    assert_eq!(rig.shown(None).await.len(), 4);
}

#[tokio::test]
async fn activities_include_what_was_received_by_type_and_mails_opened_and_clicked() {
    let mut rig = rig().await;
    rig.reacted(Kind::EmailOpened, "offer").await;
    rig.advance("1h").await;
    rig.reacted(Kind::EmailClicked, "offer").await;
    let catalog = rig.engine().catalog();
    let whole = overview(&rig.store, catalog.revision(), "ana", rig.now(), 100).await;
    let history = whole.unwrap().history;
    let lines = history.iter().filter(|line| line.channel.is_some());
    let lines: Vec<(&str, &str, &str)> = lines
        .map(|line| {
            let campaign = line.campaign.as_deref().or(line.flow.as_deref());
            let step = line.step.as_deref().unwrap_or_default();
            (line.kind.as_str(), campaign.unwrap_or_default(), step)
        })
        .collect();
    let expected = [
        ("email-clicked", "gold", "offer"),
        ("email-opened", "gold", "offer"),
        ("email-sent", "gold", "offer"),
        ("sms-sent", "f", "text"),
        ("email-sent", "f", "news"),
        ("email-sent", "f", "hello"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_profile_shows_which_campaigns_the_customer_receives_on_which_channels() {
    let rig = rig().await;
    let catalog = rig.engine().catalog();
    let revision = catalog.revision();
    let ana = rig.store.customer("ana", &revision.data_model).await;
    let ana = ana.unwrap().unwrap();
    let names = campaign_names(revision);
    let all = told(&rig.store, &catalog, &ana, &names, rig.now()).await;
    let all = all.unwrap();
    let receives = |one: &CampaignTold| {
        let channels = one.channels.iter().copied().collect::<Vec<_>>();
        (one.campaign.clone(), (one.in_it, channels))
    };
    let all: BTreeMap<String, (bool, Vec<Channel>)> = all.iter().map(receives).collect();
    assert_eq!(all["f"], (true, vec![Channel::Email, Channel::Sms]));
    assert_eq!(all["gold"], (true, vec![Channel::Email]));
    assert_eq!(all["g"], (false, vec![Channel::Push]));
}
