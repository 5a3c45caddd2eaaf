//! Owns the tests of what a revision would do: what is told before it is published is what happens then.

use std::collections::BTreeMap;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Switch};
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::domain::value::Value;
use drumbeat::engine::impact::{FlowImpact, Impact};
use drumbeat::store::NewCustomer;
use drumbeat::workspace;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, policy, sms};

impl Rig {
    /// What the files as they are now would do.
    async fn foresee(&self) -> Impact {
        let sources = workspace::load(self.folder.path()).unwrap();
        let revision = workspace::check(&sources).revision.unwrap();
        let current = self.store.current_revision().await.unwrap().unwrap();
        let was = current.revision.clone();
        let impact = Impact::assess(&self.store, &current, &was, revision, self.now());
        impact.await.unwrap()
    }

    async fn foresee_edit(&self, text: &str) -> FlowImpact {
        self.write("flows/f.yaml", text);
        let mut impact = self.foresee().await;
        assert_eq!(impact.flows.len(), 1, "{impact:?}");
        impact.flows.remove(0)
    }

    /// What became of messages since the last look: sent by channel, withheld by reason.
    async fn came(&self, ids: &[String]) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        let (mut sent, mut withheld) = (BTreeMap::new(), BTreeMap::new());
        for id in ids {
            for line in self.history(id).await {
                if line.at < self.now() {
                    continue;
                }
                let Some((channel, what)) = line.kind.split_once('-') else {
                    continue;
                };
                match what {
                    "sent" => *sent.entry(channel.to_owned()).or_default() += 1,
                    "withheld" => {
                        let reason = line.detail.unwrap()["reason"].as_str().unwrap().to_owned();
                        *withheld.entry(reason).or_default() += 1;
                    }
                    _ => {}
                }
            }
        }
        (sent, withheld)
    }
}

fn codes(impact: &Impact) -> Vec<&'static str> {
    impact.dangers.iter().map(|danger| danger.code).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("c{n:05}")).collect()
}

#[tokio::test]
async fn a_shorter_delay_tells_exactly_who_is_written_to() {
    let slow = flow(
        "f",
        LYON,
        "",
        &[email("one", "after: 30d"), sms("two", "after: 1d")],
    );
    let rules = policy("frequency-caps: [ { limit: 1 per 30d, channels: [email, sms] } ]");
    let mut rig = Rig::start(&[("flows/f.yaml", &slow), ("flows/policy.yaml", &rules)]).await;
    let ids = ids(80);
    for (n, id) in ids.iter().enumerate() {
        let more = ["", "timezone=Asia/Tokyo", "email=", "timezone=America/Lima"][n % 4];
        rig.customer(id, &format!("city=Lyon, {more}")).await;
        match n {
            3..9 => rig.switch(id, Switch::Channel(Channel::Email), false).await,
            9..12 => rig.consent(id, Channel::Email, Consent::Unsubscribed).await,
            12..17 => {
                let news = Scope {
                    category: Some("news".to_owned()),
                    ..Scope::default()
                };
                rig.unsubscribe(id, &news).await;
            }
            _ => {}
        }
        rig.advance("30min").await;
    }
    rig.advance("8h").await;
    // Of those whose time comes, the first ones are too late: by more than three days.
    let short = slow.replace("30d", "1d").replacen(
        "category: news",
        "category: news\nmax-lateness: 16h",
        1,
    );
    let impact = rig.foresee_edit(&short).await;
    assert_eq!(impact.sooner, 80);
    let at_once = &impact.at_once;
    assert!(at_once.people > 30 && at_once.people < 80, "{at_once:?}");
    assert!(at_once.withheld.len() > 3, "{at_once:?}");
    let told: u64 = at_once.sent.values().sum::<u64>() + at_once.withheld.values().sum::<u64>();
    assert_eq!((told, at_once.held), (at_once.people, 0));
    assert!(impact.spread.iter().map(|day| day.before).sum::<u64>() == 80);
    rig.sent();
    rig.clock
        .set(rig.now() + jiff::SignedDuration::from_secs(1));
    rig.publish().await;
    let (sent, withheld) = rig.came(&ids).await;
    let expected: BTreeMap<String, u64> = at_once
        .sent
        .iter()
        .map(|(channel, count)| (channel.to_string(), *count))
        .collect();
    assert_eq!(sent, expected);
    let expected: BTreeMap<String, u64> = at_once
        .withheld
        .iter()
        .map(|(why, count)| ((*why).to_owned(), *count))
        .collect();
    assert_eq!(withheld, expected);
}

#[tokio::test]
async fn a_longer_delay_and_a_frozen_one_write_to_nobody() {
    let short = flow("f", LYON, "", &[email("one", "after: 3d")]);
    let mut rig = Rig::with(&short).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("1d").await;
    let later = rig.foresee_edit(&short.replace("3d", "9d")).await;
    assert_eq!((later.later, later.at_once.people), (1, 0));
    let frozen = short
        .replace("3d", "1h")
        .replace("steps:", "on-edit: freeze\nsteps:");
    let frozen = rig.foresee_edit(&frozen).await;
    assert_eq!(
        (frozen.sooner, frozen.later, frozen.at_once.people),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn removed_inserted_and_renamed_steps_tell_whom_they_move_and_who_misses_what() {
    let steps = [
        email("one", ""),
        sms("two", "after: 2d"),
        email("three", "after: 2d"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    for id in ["ana", "bo", "cy"] {
        rig.customer(id, "city=Lyon").await;
    }
    rig.advance("1d").await;
    rig.customer("di", "city=Lyon").await;
    rig.advance("36h").await;
    // Three wait for `three`, Di for `two`.
    let steps = [
        email("one", ""),
        any("rest", "after: 1h"),
        sms("new", "after: 1h"),
        email("four", "after: 2d"),
    ];
    let impact = rig.foresee_edit(&flow("f", LYON, "", &steps)).await;
    let moves: Vec<(String, Option<String>, u64)> = impact
        .moves
        .iter()
        .map(|moved| (moved.from.clone(), moved.to.clone(), moved.people))
        .collect();
    let rest = || Some("rest".to_owned());
    let expected = [
        ("two".to_owned(), rest(), 1),
        ("three".to_owned(), rest(), 3),
    ];
    assert_eq!(moves, expected, "after the last one that they have passed");
    assert_eq!(impact.never, BTreeMap::new());
    // `new` says what three of them were told by `two`.
    assert_eq!(impact.twice, BTreeMap::from([("new".to_owned(), 3)]));

    let steps = [
        email("one", ""),
        email("three", "after: 2d"),
        sms("again", "after: 2d"),
    ];
    let renamed = rig.foresee_edit(&flow("f", LYON, "", &steps)).await;
    assert_eq!(renamed.twice, BTreeMap::from([("again".to_owned(), 3)]));
    assert_eq!(codes(&rig.foresee().await), ["twice"]);
}

#[tokio::test]
async fn another_segment_tells_who_enters_and_who_leaves() {
    let keys = "exit: { on-leaving-segment: true }";
    let steps = [email("one", "after: 9d")];
    let mut rig = Rig::with(&flow("f", LYON, keys, &steps)).await;
    for (id, city) in [
        ("ana", "Lyon"),
        ("bo", "Lyon"),
        ("cy", "Rome"),
        ("di", "Rome"),
        ("eva", "Rome"),
        ("flo", "Nice"),
    ] {
        rig.customer(id, &format!("city={city}")).await;
    }
    rig.settle().await;
    let rome = "{ any: [ { field: city, is: Rome }, { field: city, is: Nice } ] }";
    let impact = rig.foresee_edit(&flow("f", rome, keys, &steps)).await;
    assert_eq!((impact.live, impact.enters), (2, 4));
    assert_eq!(impact.exits, BTreeMap::from([("left_segment", 2)]));
    let whole = rig.foresee().await;
    assert_eq!((whole.segments[0].enter, whole.segments[0].leave), (4, 2));
    rig.publish().await;
    let mut entered = 0;
    for id in ["cy", "di", "eva", "flo"] {
        entered += rig.entered(id).await.len();
    }
    assert_eq!(entered, 4);
    assert_eq!(rig.ledger("ana").await, ["f exited left_segment"]);
    let nothing = rig.foresee().await;
    assert_eq!((nothing.differences.len(), nothing.flows.len()), (0, 0));
}

#[tokio::test]
async fn what_ends_runs_or_strands_people_is_dangerous() {
    let steps = [email("one", "after: 9d")];
    let plain = flow("f", LYON, "", &steps);
    let mut rig = Rig::with(&plain).await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("bo", "city=Lyon").await;
    rig.advance("1d").await;
    rig.did("ana", Kind::Login).await;
    rig.settle().await;
    let stopped = rig
        .foresee_edit(&plain.replace("category:", "status: stopped\ncategory:"))
        .await;
    assert_eq!(stopped.exits, BTreeMap::from([("flow_stopped", 2)]));
    let ending = flow("f", LYON, "exit: { when: { did: login } }", &steps);
    let ending = rig.foresee_edit(&ending).await;
    assert_eq!(ending.exits, BTreeMap::from([("exit_condition", 1)]));
    std::fs::remove_file(rig.folder.path().join("flows/f.yaml")).unwrap();
    let gone = rig.foresee().await;
    assert_eq!(
        (gone.flows[0].stranded, codes(&gone)),
        (2, vec!["stranded"])
    );
}

#[tokio::test]
async fn a_new_flow_and_a_text_that_cannot_be_made_are_told() {
    let mut rig = Rig::start(&[]).await;
    for id in ["ana", "bo"] {
        rig.customer(id, "city=Lyon").await;
    }
    rig.set("bo", "first_name=Bo").await;
    rig.settle().await;
    let text = "sms: { text: \"{% if customer.first_name %}Hi{% else %}{{ customer.points + customer.city }}{% endif %}\" }";
    let impact = rig
        .foresee_edit(&flow("f", LYON, "", &[any("one", text)]))
        .await;
    assert_eq!((impact.live, impact.enters), (0, 2));
    let whole = rig.foresee().await;
    let message = &whole.messages[0];
    assert_eq!(
        (
            message.communication.as_str(),
            message.failing,
            message.looked_at
        ),
        ("f/one", 1, 2)
    );
    assert_eq!(
        (message.customer.as_str(), codes(&whole)),
        ("ana", vec!["template-fails"])
    );
    let skipping = flow(
        "f",
        LYON,
        "entry: { existing-members: skip }",
        &[email("one", "")],
    );
    assert_eq!(rig.foresee_edit(&skipping).await.enters, 0);
}

/// A server takes several times as long.
#[tokio::test]
async fn a_crowd_that_waits_is_written_to_as_it_was_told() {
    let slow = flow("f", LYON, "", &[sms("one", "after: 30d")]);
    let mut rig = Rig::with(&slow).await;
    let is_short = rig.store.is_shared() && !crate::chaos::is_long();
    let many = if is_short { 5_000 } else { 50_000 };
    let ids = ids(many);
    let field =
        |name: &str, text: String| (name.to_owned(), Some(FieldValue::One(Value::Text(text))));
    for (thousand, ids) in ids.chunks(1_000).enumerate() {
        let row = |(n, id): (usize, &String)| NewCustomer {
            external_id: id.clone(),
            fields: vec![
                field("city", "Lyon".to_owned()),
                field("phone", format!("+336{:08}", thousand * 1_000 + n)),
            ],
        };
        let rows: Vec<NewCustomer> = ids.iter().enumerate().map(row).collect();
        rig.upsert(&rows).await;
    }
    for id in ids.iter().step_by(100) {
        rig.switch(id, Switch::Channel(Channel::Sms), false).await;
    }
    rig.advance("2d").await;
    let impact = rig.foresee_edit(&slow.replace("30d", "1d")).await;
    let expected = many as u64;
    assert_eq!((impact.sooner, impact.at_once.people), (expected, expected));
    rig.publish().await;
    let sent = rig.sent().len() as u64;
    assert_eq!(impact.at_once.sent, BTreeMap::from([(Channel::Sms, sent)]));
    let withheld = impact.at_once.withheld["channel_off"];
    assert_eq!(
        (withheld, sent),
        (expected / 100, expected - expected / 100)
    );
}
