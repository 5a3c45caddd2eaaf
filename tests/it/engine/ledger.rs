//! Owns the tests of what is kept: every message and every change, with who made it and how.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Switch;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::{Scope, SubscriptionState};

use super::rig::Rig;
use super::written::{LYON, email, flow, push, sms};

#[tokio::test]
async fn a_customers_history_holds_every_message_and_every_change() {
    let steps = [
        email("hello", ""),
        sms("text", "after: 1h"),
        push("app", "after: 1h"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("150min").await;
    let scope = Scope {
        group: Some("retail".to_owned()),
        ..Scope::default()
    };
    rig.did("ana", Kind::Conversion).await;
    rig.advance("1min").await;
    rig.switch("ana", Switch::Channel(Channel::Sms), false)
        .await;
    rig.advance("1min").await;
    rig.switch("ana", Switch::Channel(Channel::Sms), true).await;
    rig.advance("1min").await;
    rig.unsubscribe("ana", &scope).await;
    rig.advance("1min").await;
    rig.resubscribe("ana", &scope).await;
    rig.advance("1min").await;
    rig.dismiss("ana", "gold").await;
    let lines = rig.history("ana").await;
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    let expected = [
        "entered-flow",
        "entered-segment",
        "email-sent",
        "sms-sent",
        "push-sent",
        "completed-flow",
        "conversion",
        "switched-off",
        "switched-on",
        "unsubscribed",
        "resubscribed",
        "dismissal",
    ];
    assert_eq!(kinds, expected);
    let changes = lines.iter().filter(|line| line.kind.contains("subscribed"));
    for line in changes {
        assert_eq!(line.actor.as_deref(), Some("maria"));
        let detail = line.detail.as_ref().unwrap().to_string();
        assert!(detail.contains("command-line"), "{detail}");
        assert!(detail.contains("asked on the phone"), "{detail}");
    }
}

#[tokio::test]
async fn messages_are_counted_by_channel_with_the_conversions() {
    let steps = [email("hello", ""), sms("text", ""), email("again", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.switch("ana", Switch::Channel(Channel::Sms), false)
        .await;
    rig.settle().await;
    rig.did("ana", Kind::Conversion).await;
    let totals = rig.store.totals(rig.id("ana").await).await.unwrap();
    assert_eq!(totals.channels[&Channel::Email].sent, 2);
    assert_eq!(totals.channels[&Channel::Sms].withheld, 1);
    assert_eq!(totals.conversions, 1);
}

#[tokio::test]
async fn a_resubscription_keeps_the_record_and_changes_its_state() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[sms("text", "")])).await;
    rig.customer("ana", "city=Rome").await;
    rig.settle().await;
    let scope = |category: &str, group: Option<&str>| Scope {
        category: Some(category.to_owned()),
        group: group.map(str::to_owned),
        ..Scope::default()
    };
    let (narrow, broad) = (scope("news", Some("retail")), scope("news", None));
    rig.unsubscribe("ana", &narrow).await;
    rig.unsubscribe("ana", &broad).await;
    let answer = rig.resubscribe("ana", &narrow).await;
    assert_eq!(answer.flips, std::slice::from_ref(&narrow));
    assert_eq!(answer.still_blocked_by, [broad]);
    let id = rig.id("ana").await;
    let records = rig.store.subscriptions_of(&[id]).await.unwrap();
    let state = |scope: &Scope| {
        let record = records[&id].iter().find(|record| record.scope == *scope);
        record.unwrap().state
    };
    assert_eq!(state(&narrow), SubscriptionState::Resubscribed);
}

#[tokio::test]
async fn a_send_is_activity_of_the_customer() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[sms("text", "after: 1d")])).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("2d").await;
    let catalog = rig.engine().catalog();
    let model = &catalog.revision().data_model;
    let ana = rig.store.customer("ana", model).await.unwrap().unwrap();
    let at = ana.last_activity_at.unwrap().to_string();
    assert_eq!(at, "2026-01-06T10:00:00Z");
}

#[tokio::test]
async fn an_upload_is_no_activity() {
    let rig = Rig::with(&flow("f", LYON, "", &[sms("text", "")])).await;
    rig.customer("ana", "city=Rome").await;
    let catalog = rig.engine().catalog();
    let model = &catalog.revision().data_model;
    let ana = rig.store.customer("ana", model).await.unwrap().unwrap();
    assert_eq!(ana.last_activity_at, None);
}
