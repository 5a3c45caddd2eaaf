//! Owns the tests of approval: what would newly let in too many is not in force before somebody agrees.

use drumbeat::definitions::change::{Change, Editor, Terms, What};
use drumbeat::definitions::publishing::{self, Outcome};
use drumbeat::definitions::refusal::Refusal;
use drumbeat::domain::approval::Awaiting;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::definition::DefinitionKind;
use drumbeat::domain::ids::RevisionNo;
use drumbeat::store::{NewRevision, Published};
use drumbeat::workspace;
use rstest::rstest;
use serde_json::json;

use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, policy};

const ROME: &str = "{ field: city, is: Rome }";

impl Rig {
    /// Publishes the files as they are, the way the daemon does.
    async fn put(&self) -> Outcome {
        let sources = workspace::load(self.folder.path()).unwrap();
        let sources = sources.with(&self.store.definitions().await.unwrap());
        let revision = workspace::check(&sources).revision.unwrap();
        let files = sources.files();
        let files = files.map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()));
        let new = NewRevision {
            revision: &revision,
            hash: sources.hash(),
            commit: None,
            sources: files.collect(),
            at: self.now(),
        };
        let (store, after) = (&self.store, self.current().await.number);
        let put = publishing::publish(store, &*self.clock, Some(after), new);
        put.await.unwrap()
    }

    async fn current(&self) -> Published {
        self.store.current_revision().await.unwrap().unwrap()
    }

    async fn held(&self) -> Awaiting {
        match self.put().await {
            Outcome::Awaiting(awaiting) => awaiting,
            Outcome::InForce(done) => panic!("revision {} is in force", done.published.number.0),
        }
    }

    async fn in_force(&self) -> Published {
        match self.put().await {
            Outcome::InForce(done) => done.published,
            Outcome::Awaiting(awaiting) => panic!("{awaiting:?}"),
        }
    }

    async fn approve(&self, revision: RevisionNo) -> Option<Awaiting> {
        let by = By::new(Actor::named("mara"), Source::CommandLine);
        let approved = self.store.approve(revision, &by, self.now(), self.now());
        approved.await.unwrap()
    }
}

fn approval(above: u64) -> String {
    policy(&format!("approval: {{ above: {above} }}"))
}

/// Ten customers in Lyon, who are in the flow `f`, and ten in Rome; more than five need approval.
async fn rig() -> Rig {
    let lyon = flow("f", LYON, "", &[email("one", "after: 30d")]);
    let files = [
        ("flows/f.yaml", lyon.as_str()),
        ("flows/policy.yaml", &approval(5)),
    ];
    let mut rig = Rig::start(&files).await;
    for n in 0..10 {
        rig.customer(&format!("l{n}"), "city=Lyon").await;
        rig.customer(&format!("r{n}"), "city=Rome").await;
    }
    rig.settle().await;
    rig
}

fn in_rome(more: &str) -> String {
    flow("g", ROME, more, &[email("one", "")])
}

#[tokio::test]
async fn what_lets_in_too_many_is_in_force_when_somebody_agrees() {
    let rig = rig().await;
    let first = rig.current().await.number;
    rig.write("flows/g.yaml", &in_rome(""));
    let held = rig.held().await;
    assert_eq!(held.revision.0, first.0 + 1);
    assert_eq!((held.reach.customers(), held.reach.above), (10, 5));
    assert_eq!(held.reach.enters["g"], 10);
    assert_eq!(rig.current().await.number, first);
    // Read again it is the same one.
    assert_eq!(rig.held().await, held);
    assert_eq!(rig.approve(RevisionNo(held.revision.0 + 1)).await, None);
    assert_eq!(rig.held().await, held);
    let approved = rig.approve(held.revision).await.unwrap().approved.unwrap();
    assert_eq!(approved.by, Actor::named("mara"));
    let published = rig.in_force().await;
    assert_eq!(published.number, held.revision);
    assert_eq!(published.approved, Some(approved));
    assert_eq!(rig.current().await, published);
    assert_eq!(rig.store.awaiting().await.unwrap(), None);
    let line = rig.store.audit_lines(1).await.unwrap().remove(0);
    let told = (
        line.actor.as_str(),
        line.what.as_str(),
        line.detail.unwrap(),
    );
    let detail = format!("revision {}, 10 customers newly", held.revision.0);
    assert_eq!(told, ("mara", "revision approved", detail));
}

#[tokio::test]
async fn what_was_agreed_to_is_that_and_nothing_else() {
    let rig = rig().await;
    rig.write("flows/g.yaml", &in_rome(""));
    let first = rig.held().await;
    rig.write("flows/g.yaml", &in_rome("max-lateness: 1d"));
    let second = rig.held().await;
    assert_eq!(second.revision.0, first.revision.0 + 1);
    assert_eq!(rig.approve(first.revision).await, None);
    rig.approve(second.revision).await.unwrap();
    rig.write("flows/g.yaml", &in_rome("max-lateness: 2d"));
    let third = rig.held().await;
    assert_eq!(
        (third.revision.0, third.approved),
        (second.revision.0 + 1, None)
    );
    // Files that need nobody are in force, under a number that nobody was shown.
    rig.write("flows/g.yaml", &in_rome("status: draft"));
    let published = rig.in_force().await;
    assert_eq!(
        (published.number.0, published.approved),
        (third.revision.0 + 1, None)
    );
    assert_eq!(rig.store.awaiting().await.unwrap(), None);
}

#[tokio::test]
async fn files_that_are_changed_back_wait_for_nobody() {
    let rig = rig().await;
    let before = rig.in_force().await;
    rig.write("flows/g.yaml", &in_rome(""));
    rig.held().await;
    std::fs::remove_file(rig.folder.path().join("flows/g.yaml")).unwrap();
    assert_eq!(rig.in_force().await, before);
    assert_eq!(rig.store.awaiting().await.unwrap(), None);
}

#[rstest]
#[case::another_segment("flows/f.yaml", flow("f", ROME, "", &[email("one", "after: 30d")]), 10)]
#[case::every_member_at_instants("flows/g.yaml", in_rome("entry: { schedule: \"0 9 1 * *\" }"), 10)]
#[case::a_field_without_values_yet("flows/g.yaml", flow("g", "{ field: shoe, missing: true }", "", &[email("one", "")]), 20)]
#[tokio::test]
async fn whoever_may_enter_counts(#[case] path: &str, #[case] text: String, #[case] expected: u64) {
    let rig = rig().await;
    rig.write(
        "flows/more.yaml",
        "customers: { fields: { shoe: { type: integer } } }",
    );
    rig.write(path, &text);
    assert_eq!(rig.held().await.reach.customers(), expected);
}

#[rstest]
#[case::few_enough("flows/policy.yaml", approval(10))]
#[case::existing_members_are_left_out("flows/g.yaml", in_rome("entry: { existing-members: skip }"))]
#[case::nobody_enters_a_draft("flows/g.yaml", in_rome("status: draft"))]
#[case::nobody_enters_what_is_paused_from_the_start("flows/g.yaml", in_rome("status: paused"))]
#[case::the_same_people("flows/f.yaml", flow("f", LYON, "", &[email("one", "")]))]
#[tokio::test]
async fn what_lets_in_nobody_new_waits_for_nobody(#[case] path: &str, #[case] text: String) {
    let rig = rig().await;
    rig.write(path, &text);
    rig.in_force().await;
}

#[tokio::test]
async fn a_paused_flow_with_another_segment_waits() {
    let mut rig = rig().await;
    let paused = |condition| {
        flow(
            "f",
            condition,
            "status: paused",
            &[email("one", "after: 30d")],
        )
    };
    rig.edit("flows/f.yaml", &paused(LYON)).await;
    rig.write("flows/f.yaml", &paused(ROME));
    assert_eq!(rig.held().await.reach.customers(), 10);
}

#[tokio::test]
async fn no_change_can_take_its_own_leave() {
    let rig = rig().await;
    rig.write("flows/policy.yaml", &policy(""));
    rig.write("flows/g.yaml", &in_rome(""));
    assert_eq!(rig.held().await.reach.above, 5);
    rig.write("flows/policy.yaml", &approval(100));
    assert_eq!(rig.held().await.reach.above, 5);
    rig.write("flows/policy.yaml", &approval(3));
    assert_eq!(rig.held().await.reach.above, 3);
}

#[tokio::test]
async fn a_segment_of_the_store_is_not_changed_past_it() {
    let mut rig = rig().await;
    let by = By::new(Actor::named("mara"), Source::CommandLine);
    let clock = rig.clock.clone();
    let store = rig.store.clone();
    let editor = Editor {
        store: &store,
        clock: &*clock,
        by: &by,
    };
    let change = |what| Change {
        kind: DefinitionKind::Segment,
        name: "chosen".to_owned(),
        what,
    };
    let body = |city: &str| {
        let body = json!({ "where": { "field": "city", "is": city } });
        body.as_object().unwrap().clone()
    };
    let terms = Terms::default();
    editor
        .change(&change(What::Add(body("Oslo"))), &terms)
        .await
        .unwrap();
    rig.write(
        "flows/g.yaml",
        &flow_over(
            "g",
            "segment: chosen",
            "category: news",
            &[email("one", "")],
        ),
    );
    rig.in_force().await;
    rig.settle().await;
    let refused = editor
        .change(&change(What::Edit(body("Rome"))), &terms)
        .await;
    let Err(Refusal::Reaches(reach)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((reach.customers(), reach.above), (10, 5));
    editor
        .change(&change(What::Edit(body("Bonn"))), &terms)
        .await
        .unwrap();
}
