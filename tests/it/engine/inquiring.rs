//! Owns the tests of asking gateways, and people, what became of a message whose answer was lost.

use drumbeat::channels::Finding;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::DispatchState;
use drumbeat::domain::ids::{DispatchId, NameNo};
use drumbeat::domain::news::Fate;
use drumbeat::engine::Inquirer;
use drumbeat::engine::ledger::{ResolvedFacts, resolve};
use drumbeat::store::Result;
use rstest::rstest;
use serde_json::json;

use super::hearing::{OURS, rig};
use super::outbox::uncertain;
use super::rig::Rig;

/// The first message went, and nobody knows where; the rest of the flow is far.
async fn doubtful(finding: Option<Finding>) -> (Rig, DispatchId, Inquirer) {
    let mut rig = rig(OURS).await;
    rig.outbox.answers(Channel::Sms, [uncertain()]);
    if let Some(finding) = finding {
        rig.outbox.finds(finding);
    }
    let id = rig.first().await;
    assert_eq!(rig.stands().await, DispatchState::Uncertain);
    let inquirer = Inquirer::new(rig.engine().clone());
    (rig, id, inquirer)
}

fn nothing() -> Finding {
    Finding::Nothing("HTTP 500".to_owned())
}

impl Rig {
    async fn say(&self, id: DispatchId, taken: bool, note: Option<&str>) -> Result<ResolvedFacts> {
        let by = By::new(Actor::named("eva"), Source::CommandLine);
        let catalog = self.engine().catalog();
        resolve(&self.store, &catalog, id, (taken, note), (&by, self.now())).await
    }

    async fn listed(&self) -> usize {
        let listed = self.store.uncertain(None, None, 10).await.unwrap().len();
        let rows = "SELECT count(*) FROM uncertain WHERE bucket >= 0";
        assert_eq!(i64::try_from(listed).unwrap(), self.number(rows).await);
        listed
    }
}

#[tokio::test]
async fn a_gateway_is_asked_a_few_times_within_a_day_and_then_no_more() {
    let (rig, id, inquirer) = doubtful(Some(nothing())).await;
    let (mut asked, mut passed) = (Vec::new(), 0);
    // Two days, more and more slowly.
    for (span, seconds, rounds) in [("10s", 10, 60), ("1min", 60, 180), ("1h", 3_600, 45)] {
        for _ in 0..rounds {
            inquirer.run_once().await.unwrap();
            asked.extend(rig.outbox.inquiries().iter().map(|_| passed));
            rig.sleep(span);
            passed += seconds;
        }
    }
    assert_eq!(asked, [10, 60, 300, 1_800, 7_200, 43_800, 87_000]);
    assert_eq!(rig.stands().await, DispatchState::Uncertain);
    assert_eq!(rig.listed().await, 1);
    let restarted = Inquirer::new(rig.engine().clone());
    for _ in 0..3 {
        restarted.run_once().await.unwrap();
    }
    assert_eq!(rig.outbox.inquiries(), [id]);
}

#[rstest]
#[case(Fate::Accepted, DispatchState::Accepted)]
#[case(Fate::Delivered, DispatchState::Delivered)]
#[case(Fate::Failed, DispatchState::Refused)]
#[tokio::test]
async fn what_a_gateway_knows_settles_the_message(
    #[case] fate: Fate,
    #[case] stands: DispatchState,
) {
    let found = Finding::Known(fate, "state=done".to_owned());
    let (rig, id, inquirer) = doubtful(Some(found)).await;
    inquirer.run_once().await.unwrap();
    assert_eq!(rig.outbox.inquiries(), []);
    rig.sleep("10s");
    inquirer.run_once().await.unwrap();
    assert_eq!(rig.outbox.inquiries(), [id]);
    assert_eq!(rig.stands().await, stands);
    assert_eq!(rig.listed().await, 0);
    let lines = rig.history("ana").await;
    let told = lines.last().unwrap().detail.as_ref().unwrap();
    assert_eq!(told["detail"], "state=done");
    rig.sleep("1h");
    inquirer.run_once().await.unwrap();
    assert_eq!(rig.outbox.inquiries(), []);
}

#[tokio::test]
async fn a_message_that_the_gateway_does_not_have_is_given_up_once_it_had_the_time_to_store_it() {
    let missing = Finding::Missing("HTTP 404".to_owned());
    let (rig, _, inquirer) = doubtful(Some(missing)).await;
    for (span, stands) in [
        ("1min", DispatchState::Uncertain),
        ("3min", DispatchState::Uncertain),
        ("1min", DispatchState::Refused),
    ] {
        rig.sleep(span);
        inquirer.run_once().await.unwrap();
        assert_eq!(rig.stands().await, stands, "{span}");
    }
}

#[tokio::test]
async fn a_receipt_that_comes_first_leaves_nothing_to_ask() {
    let (rig, id, inquirer) = doubtful(Some(nothing())).await;
    rig.tell(id, Fate::Delivered).await;
    rig.sleep("1h");
    inquirer.run_once().await.unwrap();
    assert_eq!(rig.outbox.inquiries(), []);
    assert_eq!(rig.listed().await, 0);
}

#[tokio::test]
async fn a_gateway_that_cannot_be_asked_is_not() {
    let (rig, _, inquirer) = doubtful(None).await;
    rig.sleep("1h");
    inquirer.run_once().await.unwrap();
    assert_eq!(rig.listed().await, 1);
}

#[rstest]
#[case(true, DispatchState::Accepted, "confirmed")]
#[case(false, DispatchState::Refused, "given-up")]
#[tokio::test]
async fn a_person_settles_a_message_once_and_it_is_known_who(
    #[case] taken: bool,
    #[case] stands: DispatchState,
    #[case] kind: &str,
) {
    let (rig, id, _) = doubtful(None).await;
    assert_eq!(rig.listed().await, 1);
    let said = rig.say(id, taken, Some("their log")).await.unwrap();
    assert_eq!((said.state, said.changed), (stands.as_str(), true));
    let again = rig.say(id, !taken, None).await.unwrap();
    assert_eq!((again.state, again.changed), (stands.as_str(), false));
    assert_eq!(rig.stands().await, stands);
    assert_eq!(rig.listed().await, 0);
    let lines = rig.history("ana").await;
    let line = lines.iter().find(|line| line.kind == kind).unwrap();
    assert_eq!(line.actor.as_deref(), Some("eva"));
    assert_eq!(line.detail.as_ref().unwrap()["detail"], "their log");
    let audit = rig.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!((&*audit.actor, &*audit.what), ("eva", "uncertain resolved"));
    let detail: serde_json::Value = serde_json::from_str(&audit.detail.unwrap()).unwrap();
    let expected = json!({ "dispatch": id.to_string(), "taken": taken, "note": "their log" });
    assert_eq!(detail, expected);
}

#[tokio::test]
async fn what_a_person_says_of_a_message_that_never_was_is_refused() {
    let (rig, id, _) = doubtful(None).await;
    let stranger = "00000000-0000-8000-8000-000000000000".parse().unwrap();
    let tag = rig.store.instance_tag().await.unwrap();
    let unsent = DispatchId::new(tag, id.enrollment(), NameNo(id.step().0 + 1));
    for unknown in [stranger, unsent] {
        let refused = rig.say(unknown, true, None).await.unwrap_err();
        assert!(
            refused.to_string().contains(&unknown.to_string()),
            "{refused}"
        );
    }
    assert_eq!(rig.listed().await, 1);
}
