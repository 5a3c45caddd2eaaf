//! Owns the tests of the way through a flow, step by step.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Switch;
use drumbeat::domain::message::Rendered;
use drumbeat::domain::subscription::Scope;
use jiff::SignedDuration;

use super::outbox::deferred;
use super::rig::Rig;
use super::written::{LYON, any, email, flow, policy, push, sms};

pub(super) const GOLD: &str = "\
campaign: gold
name: Gold card
category: cards
group: wealth
communications:
  offer:
    email:
      subject: \"Gold for {{ customer.first_name|default('you') }}\"
      text: \"{{ organization.postal_address }} {{ unsubscribe_url }}\"
";

#[tokio::test]
async fn steps_follow_each_other_each_after_its_own_delay() {
    let steps = [
        email("hello", "after: 4d"),
        sms("text", "after: 7d"),
        push("app", "after: 3d 12h"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("60d").await;
    let sent = [
        "01-09 10:00 ana email hello",
        "01-16 10:00 ana sms text",
        "01-19 22:00 ana push app",
    ];
    assert_eq!(rig.sent(), sent);
    let ledger = ["hello sent", "text sent", "app sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_step_never_comes_before_the_one_before_it_is_finished() {
    let steps = [email("hello", ""), sms("text", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    let busy = std::iter::repeat_with(|| deferred(Some(7_200))).take(3);
    rig.outbox.answers(Channel::Email, busy);
    rig.customer("ana", "city=Lyon").await;
    rig.advance("5h").await;
    let early = rig.outbox.take();
    assert!(early.iter().all(|sent| sent.channel == Channel::Email));
    rig.advance("5h").await;
    let late: Vec<_> = rig.outbox.take();
    let channels: Vec<Channel> = late.iter().map(|sent| sent.channel).collect();
    assert_eq!(channels, [Channel::Email, Channel::Sms]);
}

#[tokio::test]
async fn a_delay_counts_from_when_the_message_before_was_accepted() {
    let steps = [email("hello", "after: 4d"), sms("text", "after: 7d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.outbox.answers(Channel::Email, [deferred(Some(3_600))]);
    rig.customer("ana", "city=Lyon").await;
    rig.advance("60d").await;
    let tries = rig.outbox.take();
    let (accepted, text) = (&tries[1], &tries[2]);
    let waited = text.at.duration_since(accepted.at);
    assert_eq!(waited, SignedDuration::from_hours(7 * 24));
    assert!(accepted.at > tries[0].at);
}

#[tokio::test]
async fn a_delay_counts_from_when_the_message_before_was_skipped() {
    let steps = [email("hello", "after: 4d"), sms("text", "after: 7d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    let email = Switch::Channel(Channel::Email);
    rig.switch("ana", email, false).await;
    rig.advance("60d").await;
    assert_eq!(rig.sent(), ["01-16 10:00 ana sms text"]);
    let ledger = ["hello withheld channel_off", "text sent", "f completed"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_step_with_only_a_delay_is_a_waiting_place() {
    let steps = [any("rest", "after: 5d"), sms("text", "after: 1d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("60d").await;
    assert_eq!(rig.sent(), ["01-11 10:00 ana sms text"]);
    assert_eq!(rig.ledger("ana").await, ["text sent", "f completed"]);
}

#[tokio::test]
async fn a_skipped_step_ends_the_run_where_the_flow_says_so() {
    let steps = [email("hello", "on-skip: exit"), sms("text", "")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.set("ana", "email=").await;
    rig.advance("1d").await;
    assert_eq!(rig.sent(), [""; 0]);
    let ledger = ["hello withheld address_missing", "f exited skipped"];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_step_whose_condition_does_not_hold_is_skipped() {
    let steps = [
        email("hello", ""),
        sms("rich", "after: 1d, if: { field: points, at-least: 10 }"),
        sms("clicked", "if: { did: email-clicked, step: hello }"),
        sms("silent", "if: { not: { did: email-clicked, step: hello } }"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon, points=3").await;
    rig.customer("bob", "city=Lyon, points=10").await;
    rig.settle().await;
    rig.clicked("bob", "f", "hello").await;
    rig.advance("2d").await;
    let ana = [
        "hello sent",
        "rich withheld send_condition_false",
        "clicked withheld send_condition_false",
        "silent sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ana);
    let bob = [
        "hello sent",
        "rich sent",
        "clicked sent",
        "silent withheld send_condition_false",
        "f completed",
    ];
    assert_eq!(rig.ledger("bob").await, bob);
}

#[tokio::test]
async fn a_step_reuses_what_another_campaign_says() {
    let text = flow("f", LYON, "", &[any("offer", "email: gold/offer")]);
    let mut rig = Rig::start(&[("flows/gold.yaml", GOLD), ("flows/f.yaml", &text)]).await;
    rig.customer("ana", "city=Lyon, first_name=Ana").await;
    rig.settle().await;
    let tries = rig.outbox.take();
    let Rendered::Email(mail) = &tries[0].message.frozen.rendered else {
        panic!("an e-mail was sent");
    };
    assert_eq!(mail.subject, "Gold for Ana");
}

#[tokio::test]
async fn a_reused_message_stops_with_an_opt_out_of_the_campaign_or_of_the_flow() {
    let text = flow(
        "f",
        LYON,
        "",
        &[any("offer", "after: 1d, email: gold/offer")],
    );
    let mut rig = Rig::start(&[("flows/gold.yaml", GOLD), ("flows/f.yaml", &text)]).await;
    let category = |name: &str| Scope {
        category: Some(name.to_owned()),
        ..Scope::default()
    };
    let campaign = |name: &str| Scope {
        campaign: Some(name.to_owned()),
        ..Scope::default()
    };
    let scopes = [
        (
            "ana",
            Some(campaign("gold")),
            "offer withheld unsubscribed_campaign",
        ),
        (
            "bob",
            Some(campaign("f")),
            "offer withheld unsubscribed_campaign",
        ),
        (
            "cam",
            Some(category("cards")),
            "offer withheld unsubscribed_category",
        ),
        (
            "dan",
            Some(category("news")),
            "offer withheld unsubscribed_category",
        ),
        ("eva", None, "offer sent"),
    ];
    for (customer, scope, _) in &scopes {
        rig.customer(customer, "city=Lyon").await;
        if let Some(scope) = scope {
            rig.unsubscribe(customer, scope).await;
        }
    }
    rig.customer("fay", "city=Lyon").await;
    rig.dismiss("fay", "gold").await;
    rig.advance("2d").await;
    for (customer, _, expected) in &scopes {
        assert_eq!(rig.ledger(customer).await, [*expected, "f completed"]);
    }
    assert_eq!(
        rig.ledger("fay").await,
        ["offer withheld dismissed", "f exited dismissed"]
    );
}

#[tokio::test]
async fn a_reused_message_is_not_sent_outside_the_days_of_its_campaign() {
    let gold = GOLD.replace(
        "group: wealth",
        "group: wealth\nactive: { from: 2026-01-06, until: 2026-01-07 }",
    );
    let steps = [
        any("early", "email: gold/offer"),
        any("in-time", "after: 2d, email: gold/offer"),
        any("over", "after: 1d, email: gold/offer"),
    ];
    let text = flow("f", LYON, "", &steps);
    let mut rig = Rig::start(&[("flows/gold.yaml", &gold), ("flows/f.yaml", &text)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("9d").await;
    let ledger = [
        "early withheld campaign_inactive",
        "in-time sent",
        "over withheld campaign_inactive",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_template_that_fails_or_says_no_keeps_the_message_back_and_the_customer_goes_on() {
    let body = "text: \"{{ organization.postal_address }} {{ unsubscribe_url }} \
        {{ abort('nothing to say') if customer.points == 3 }}\"";
    let steps = [
        any("abort", &format!("email: {{ subject: Hi, {body} }}")),
        any(
            "error",
            "sms: { text: \"{{ 1 // (customer.points - 3) }}\" }",
        ),
        push("app", ""),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon, points=3").await;
    rig.settle().await;
    let ledger = [
        "abort withheld template_abort",
        "error withheld template_error",
        "app sent",
        "f completed",
    ];
    assert_eq!(rig.ledger("ana").await, ledger);
}

#[tokio::test]
async fn a_customer_reads_their_own_language() {
    let subject = "subject: { en: Hello, es: Hola }";
    let body = "text: \"{{ organization.postal_address }} {{ unsubscribe_url }}\"";
    let steps = [any("hello", &format!("email: {{ {subject}, {body} }}"))];
    let rules = policy("languages: [en, es]\nlanguage-field: language");
    let text = flow("f", LYON, "", &steps);
    let mut rig = Rig::start(&[("flows/policy.yaml", &rules), ("flows/f.yaml", &text)]).await;
    rig.customer("ana", "city=Lyon, language=es").await;
    rig.customer("bob", "city=Lyon").await;
    rig.settle().await;
    let mut subjects: Vec<(String, String)> = rig
        .outbox
        .take()
        .into_iter()
        .map(|sent| match sent.message.frozen.rendered {
            Rendered::Email(mail) => (sent.message.frozen.origin.customer, mail.subject),
            other => panic!("{other:?}"),
        })
        .collect();
    subjects.sort();
    let expected = [("ana", "Hola"), ("bob", "Hello")];
    assert_eq!(
        subjects,
        expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
}
