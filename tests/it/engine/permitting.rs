//! Owns the tests of what customers allow, forbid and allow again: one channel, one kind of campaign.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::subscription::{Consent, Scope};
use rstest::rstest;

use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, policy, push, sms};

fn every_channel() -> [String; 3] {
    [email("mail", ""), sms("text", ""), push("app", "")]
}

#[rstest]
#[case(Channel::Email, "mail")]
#[case(Channel::Sms, "text")]
#[case(Channel::Push, "app")]
#[tokio::test]
async fn marketing_goes_out_only_on_the_channel_that_was_permitted_and_while_it_is(
    #[case] channel: Channel,
    #[case] step: &str,
) {
    let rules = policy("consent: { email: opt-in, sms: opt-in, push: opt-in }");
    let flows = ["a", "b", "c"].map(|id| flow(id, LYON, "", &every_channel()));
    let files = [
        ("flows/policy.yaml", rules.as_str()),
        ("flows/a.yaml", &flows[0]),
    ];
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    assert_eq!(rig.sent(), [""; 0], "before anybody agreed");
    rig.consent("ana", channel, Consent::OptedIn).await;
    rig.edit("flows/b.yaml", &flows[1]).await;
    let line = format!("01-05 10:00 ana {channel} {step}");
    assert_eq!(rig.sent(), [line], "only where she agreed");
    rig.consent("ana", channel, Consent::Unsubscribed).await;
    rig.edit("flows/c.yaml", &flows[2]).await;
    assert_eq!(rig.sent(), [""; 0], "after she took it back");
}

#[tokio::test]
async fn one_kind_of_campaign_is_blocked_for_a_customer_and_the_others_are_not() {
    let over = |id: &str, category: &str| {
        let (segment, steps) = (format!("segment: {{ where: {LYON} }}"), [sms(id, "")]);
        flow_over(id, &segment, &format!("category: {category}"), &steps)
    };
    let (cards, news) = (over("cards-flow", "cards"), over("news-flow", "news"));
    let mut rig = Rig::start(&[("flows/c.yaml", &cards), ("flows/n.yaml", &news)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("bob", "city=Lyon").await;
    let blocked = Scope {
        category: Some("cards".to_owned()),
        ..Scope::default()
    };
    rig.unsubscribe("ana", &blocked).await;
    rig.settle().await;
    let sent = [
        "01-05 10:00 ana sms news-flow",
        "01-05 10:00 bob sms cards-flow",
        "01-05 10:00 bob sms news-flow",
    ];
    assert_eq!(rig.sent(), sent);
}
