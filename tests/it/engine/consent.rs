//! Owns the tests of what customers gave up: permission, opt-outs, switches, addresses.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Switch};
use drumbeat::domain::dispatch::Fault;
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::domain::value::Value;
use drumbeat::store::NewCustomer;
use rstest::rstest;

use super::outbox::{deferred, refused};
use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, policy, push, sms};

/// Every combination of the four dimensions that covers, or misses, an e-mail of the flow `f`.
fn scopes(campaign: &str, category: &str, group: &str, channel: Channel) -> Vec<Scope> {
    (0..16)
        .map(|bits: u8| Scope {
            campaign: (bits & 1 > 0).then(|| campaign.to_owned()),
            category: (bits & 2 > 0).then(|| category.to_owned()),
            group: (bits & 4 > 0).then(|| group.to_owned()),
            channel: (bits & 8 > 0).then_some(channel),
        })
        .collect()
}

fn reason(scope: &Scope) -> &'static str {
    if scope.campaign.is_some() {
        "hello withheld unsubscribed_campaign"
    } else if scope.category.is_some() {
        "hello withheld unsubscribed_category"
    } else if scope.group.is_some() {
        "hello withheld unsubscribed_group"
    } else if scope.channel.is_some() {
        "hello withheld unsubscribed_channel"
    } else {
        "hello withheld unsubscribed_everything"
    }
}

async fn rig(step: &str) -> Rig {
    Rig::with(&flow("f", LYON, "", &[step.to_owned()])).await
}

#[tokio::test]
async fn an_opt_out_by_any_combination_keeps_back_a_message_that_is_due() {
    let mut rig = rig(&email("hello", "after: 1d")).await;
    let scopes = scopes("f", "news", "retail", Channel::Email);
    for n in 0..scopes.len() {
        rig.customer(&format!("c{n}"), "city=Lyon").await;
    }
    rig.settle().await;
    rig.sleep("1d");
    for (n, scope) in scopes.iter().enumerate() {
        rig.unsubscribe(&format!("c{n}"), scope).await;
    }
    rig.settle().await;
    assert_eq!(rig.sent(), [""; 0]);
    for (n, scope) in scopes.iter().enumerate() {
        let ledger = rig.ledger(&format!("c{n}")).await;
        assert_eq!(ledger, [reason(scope), "f completed"], "{scope:?}");
    }
}

#[tokio::test]
async fn an_opt_out_by_any_combination_prevents_the_next_try() {
    let mut rig = rig(&email("hello", "")).await;
    let scopes = scopes("f", "news", "retail", Channel::Email);
    let busy = scopes.iter().map(|_| deferred(Some(600)));
    rig.outbox.answers(Channel::Email, busy);
    for n in 0..scopes.len() {
        rig.customer(&format!("c{n}"), "city=Lyon").await;
    }
    rig.settle().await;
    assert_eq!(rig.sent().len(), scopes.len());
    for (n, scope) in scopes.iter().enumerate() {
        rig.unsubscribe(&format!("c{n}"), scope).await;
    }
    rig.advance("1d").await;
    assert_eq!(rig.sent(), [""; 0]);
    for (n, scope) in scopes.iter().enumerate() {
        let ledger = rig.ledger(&format!("c{n}")).await;
        assert_eq!(ledger, [reason(scope), "f completed"], "{scope:?}");
    }
}

#[tokio::test]
async fn an_opt_out_of_something_else_keeps_nothing_back() {
    let mut rig = rig(&email("hello", "after: 1d")).await;
    let scopes = scopes("g", "cards", "wealth", Channel::Sms);
    for (n, scope) in scopes.iter().enumerate().skip(1) {
        let customer = format!("c{n}");
        rig.customer(&customer, "city=Lyon").await;
        rig.unsubscribe(&customer, scope).await;
    }
    rig.advance("2d").await;
    assert_eq!(rig.sent().len(), 15);
}

#[tokio::test]
async fn who_resubscribes_gets_the_next_message() {
    let steps = [
        email("one", ""),
        email("two", "after: 1d"),
        email("three", "after: 1d"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let news = Scope {
        category: Some("news".to_owned()),
        ..Scope::default()
    };
    rig.unsubscribe("ana", &news).await;
    rig.advance("1d").await;
    let answer = rig.resubscribe("ana", &news).await;
    assert_eq!(
        (answer.flips, answer.still_blocked_by),
        (vec![news], vec![])
    );
    rig.advance("1d").await;
    let ledger = [
        "one sent",
        "two withheld unsubscribed_category",
        "three sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[rstest]
#[case("opt-in", Consent::OptedIn, true)]
#[case("opt-in", Consent::Subscribed, false)]
#[case("opt-in", Consent::Unsubscribed, false)]
#[case("opt-out", Consent::OptedIn, true)]
#[case("opt-out", Consent::Subscribed, true)]
#[case("opt-out", Consent::Unsubscribed, false)]
#[tokio::test]
async fn a_channel_is_used_with_the_permission_that_the_policy_asks(
    #[case] rule: &str,
    #[case] consent: Consent,
    #[case] sends: bool,
) {
    let rules = policy(&format!(
        "consent: {{ email: opt-out, sms: {rule}, push: opt-out }}"
    ));
    let text = flow("f", LYON, "", &[sms("hello", "after: 1d"), push("app", "")]);
    let files = [
        ("flows/policy.yaml", rules.as_str()),
        ("flows/f.yaml", &text),
    ];
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig.consent("ana", Channel::Sms, consent).await;
    rig.advance("2d").await;
    let expected = if sends {
        "hello sent"
    } else {
        "hello withheld no_consent"
    };
    assert_eq!(
        rig.ledger("ana").await,
        [expected, "app sent", "f completed"]
    );
}

#[rstest]
#[case(Channel::Email, ["mail withheld channel_off", "text sent", "app sent"])]
#[case(Channel::Sms, ["mail sent", "text withheld channel_off", "app sent"])]
#[case(Channel::Push, ["mail sent", "text sent", "app withheld channel_off"])]
#[tokio::test]
async fn nothing_goes_out_on_a_channel_that_is_off_and_the_others_go_on(
    #[case] channel: Channel,
    #[case] expected: [&str; 3],
) {
    let steps = [email("mail", ""), sms("text", ""), push("app", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.switch("ana", Switch::Channel(channel), false).await;
    rig.settle().await;
    assert_eq!(rig.ledger("ana").await[..3], expected);
}

#[tokio::test]
async fn one_switch_turns_everything_off_and_on() {
    let steps = [
        email("mail", ""),
        sms("text", ""),
        push("app", ""),
        email("later", "after: 1d"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.switch("ana", Switch::Outbound, false).await;
    rig.settle().await;
    rig.switch("ana", Switch::Outbound, true).await;
    rig.advance("2d").await;
    let ledger = [
        "mail withheld outbound_off",
        "text withheld outbound_off",
        "app withheld outbound_off",
        "later sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_switch_during_retries_prevents_the_next_try() {
    let mut rig = rig(&email("hello", "")).await;
    rig.outbox.answers(Channel::Email, [deferred(Some(600))]);
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.switch("ana", Switch::Channel(Channel::Email), false)
        .await;
    rig.advance("1d").await;
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.ledger("ana").await[0], "hello withheld channel_off");
}

#[tokio::test]
async fn without_a_good_address_a_message_is_withheld() {
    let steps = [email("mail", ""), sms("text", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.set("ana", "email=, phone=").await;
    let text = |name: &str, text: &str| {
        let value = FieldValue::One(Value::Text(text.to_owned()));
        (name.to_owned(), Some(value))
    };
    let bob = NewCustomer {
        external_id: "bob".to_owned(),
        fields: vec![
            text("city", "Lyon"),
            text("email", "bob at home"),
            text("phone", "call me"),
        ],
    };
    rig.upsert(&[bob]).await;
    rig.settle().await;
    for (customer, why) in [("ana", "address_missing"), ("bob", "address_invalid")] {
        let ledger = rig.ledger(customer).await;
        assert_eq!(
            ledger[..2],
            [
                format!("mail withheld {why}"),
                format!("text withheld {why}")
            ]
        );
    }
}

#[rstest]
#[case("ana@bank.example")]
#[case("Ana@Bank.example")]
#[tokio::test]
async fn an_address_that_a_gateway_refused_is_not_written_to_again(#[case] address: &str) {
    let steps = [email("one", ""), email("two", "after: 1d"), sms("text", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.outbox
        .answers(Channel::Email, [refused(Fault::Address)]);
    rig.customer("ana", &format!("city=Lyon, email={address}"))
        .await;
    rig.advance("2d").await;
    let ledger = [
        "one refused",
        "two withheld address_suppressed",
        "text sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_service_message_asks_no_marketing_permission_but_obeys_switches() {
    let steps = [sms("one", ""), sms("two", "after: 1d")];
    let segment = format!("segment: {{ where: {LYON} }}");
    let text = flow_over("f", &segment, "category: statements", &steps);
    let mut rig = Rig::with(&text).await;
    rig.customer("ana", "city=Lyon").await;
    rig.unsubscribe("ana", &Scope::EVERYTHING).await;
    rig.consent("ana", Channel::Sms, Consent::Unsubscribed)
        .await;
    rig.settle().await;
    rig.switch("ana", Switch::Channel(Channel::Sms), false)
        .await;
    rig.advance("2d").await;
    let ledger = ["one sent", "two withheld channel_off", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}
