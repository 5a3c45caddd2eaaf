//! Owns the tests of holdouts, the control group and variants: who gets which, and who gets nothing.

use std::collections::BTreeMap;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, flow_over, policy, sms};

const MANY: usize = 400;

async fn crowd(rig: &mut Rig) {
    let ids: Vec<String> = (0..MANY).map(|n| format!("c{n:03}")).collect();
    for id in &ids {
        rig.customer(id, "city=Lyon").await;
    }
    rig.settle().await;
}

#[tokio::test]
async fn a_holdout_is_never_written_to_and_walks_on() {
    let steps = [email("one", ""), email("two", "after: 1d")];
    let mut rig = Rig::with(&flow("f", LYON, "entry: { holdout: 25% }", &steps)).await;
    crowd(&mut rig).await;
    rig.advance("2d").await;
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for line in rig.sent() {
        let who = line.split(' ').nth(2).unwrap().to_owned();
        *sent.entry(who).or_default() += 1;
    }
    let held = MANY - sent.len();
    assert!((70..130).contains(&held), "{held} of {MANY}");
    assert!(
        sent.values().all(|count| *count == 2),
        "sticky over the steps"
    );
    let mut out = (0..MANY).map(|n| format!("c{n:03}"));
    let out = out.find(|id| !sent.contains_key(id)).unwrap();
    let ledger = [
        "one withheld holdout",
        "two withheld holdout",
        "f completed",
    ];
    assert_eq!(rig.ledger(&out).await, ledger);
}

#[tokio::test]
async fn the_control_group_gets_service_alone() {
    let marketing = flow("f", LYON, "", &[email("offer", "")]);
    let segment = format!("segment: {{ where: {LYON} }}");
    let service = flow_over("s", &segment, "category: statements", &[sms("note", "")]);
    let rules = policy("control-group: 25%");
    let files = [
        ("flows/policy.yaml", rules.as_str()),
        ("flows/f.yaml", &marketing),
        ("flows/s.yaml", &service),
    ];
    let mut rig = Rig::start(&files).await;
    crowd(&mut rig).await;
    let sent = rig.sent();
    let count = |step: &str| sent.iter().filter(|line| line.ends_with(step)).count();
    assert_eq!(count("note"), MANY);
    assert!(
        (270..330).contains(&count("offer")),
        "{} of {MANY}",
        count("offer")
    );
}

#[tokio::test]
async fn variants_are_shared_out_as_they_are_written() {
    let step = "sms: { text: A, variants: { a: {}, b: { text: B, share: 25% }, c: { text: C } } }";
    let mut rig = Rig::with(&flow("f", LYON, "", &[any("hello", step)])).await;
    crowd(&mut rig).await;
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    for tried in rig.outbox.take() {
        let drumbeat::domain::message::Rendered::Sms(sms) = tried.message.frozen.rendered else {
            panic!("not a text message");
        };
        *texts.entry(sms.text).or_default() += 1;
    }
    let of = |text: &str| texts.get(text).copied().unwrap_or_default();
    assert_eq!(of("A") + of("B") + of("C"), MANY);
    assert!((70..130).contains(&of("B")), "{texts:?}");
    assert!((115..185).contains(&of("A")), "{texts:?}");
}
