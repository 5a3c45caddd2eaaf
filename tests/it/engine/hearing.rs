//! Owns the tests of what gateways tell after they took a message, in whatever order it comes.

use drumbeat::channels::Ear as _;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::{DispatchState, Outcome};
use drumbeat::domain::ids::DispatchId;
use drumbeat::domain::news::{About, Bounce, Fate, News, Receipt};
use drumbeat::engine::Listener;
use drumbeat::engine::explain::explain;
use drumbeat::store::{HistoryLine, LedgerFilter};
use rstest::rstest;
use serde_json::json;

use super::outbox::uncertain;
use super::rig::Rig;
use super::written::{LYON, flow, sms};
use crate::rig::port;

pub(super) const HARD: Fate = Fate::Bounced(Bounce::Hard);
pub(super) const SOFT: Fate = Fate::Bounced(Bounce::Soft);

/// A gateway that is told where to tell of each message.
pub(super) const OURS: &str = "\
channel: sms
gateway:
  http:
    url: http://127.0.0.1:9/send
    form: { to: \"{{ message.to }}\", tell: \"{{ receipt_url }}\" }
    receipts: { secret: \"${SMS_SECRET}\", status: stat, delivered: [\"1\"], failed: [\"2\"] }
from: BANK
";

/// A gateway that names messages by its own ids.
pub(super) const THEIRS: &str = "\
channel: sms
gateway:
  http:
    url: http://127.0.0.1:9/send
    form: { to: \"{{ message.to }}\" }
    id-pointer: /id
    receipts: { secret: \"${SMS_SECRET}\", gateway-id: id, status: stat, delivered: [\"1\"] }
from: BANK
";

/// Ana is written to at once, and again every day.
pub(super) async fn rig(channel: &str) -> Rig {
    let mut steps = vec![sms("text", "")];
    steps.extend((1..6).map(|n| sms(&format!("text{n}"), "after: 1d")));
    let flow = flow("f", LYON, "", &steps);
    let files = [
        ("channels/sms.yaml", channel),
        ("flows/f.yaml", flow.as_str()),
    ];
    let rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig
}

/// The gateway takes the message and calls it so.
pub(super) fn called(id: &str) -> Outcome {
    Outcome::Accepted {
        gateway_id: Some(id.to_owned()),
        detail: "HTTP 202".to_owned(),
    }
}

pub(super) fn receipt(about: About, fate: Fate) -> News {
    News::Receipt(Receipt {
        about,
        fate,
        at: None,
        detail: format!("says {}", fate.as_str()),
    })
}

impl Rig {
    pub(super) async fn hear(&self, news: Vec<News>) {
        let listener = Listener::new(self.engine().clone(), Channel::Sms);
        listener.hear(news).await.unwrap();
    }

    pub(super) async fn tell(&self, id: DispatchId, fate: Fate) {
        self.hear(vec![receipt(About::Dispatch(id), fate)]).await;
    }

    pub(super) async fn tell_theirs(&self, id: &str, fate: Fate) {
        let about = About::Gateway(id.to_owned());
        self.hear(vec![receipt(about, fate)]).await;
    }

    /// The dispatches of the messages that were tried since the last look.
    pub(super) fn went_out(&self) -> Vec<DispatchId> {
        let tries = self.outbox.take();
        tries.iter().map(|one| one.message.id).collect()
    }

    /// Sends the first message; its dispatch.
    pub(super) async fn first(&mut self) -> DispatchId {
        self.settle().await;
        self.went_out()[0]
    }

    /// Where the latest dispatch stands.
    pub(super) async fn stands(&self) -> DispatchState {
        let ledger = self.store.ledger(&LedgerFilter::default(), 1).await;
        ledger.unwrap()[0].state
    }

    /// What was heard, oldest first: kind, step and words.
    async fn heard(&self) -> Vec<String> {
        let lines = self.history("ana").await;
        lines.iter().filter_map(heard_line).collect()
    }

    /// What `explain` says of a step of Ana's.
    async fn told_of(&self, step: &str) -> Vec<String> {
        let catalog = self.engine().catalog();
        let revision = catalog.revision();
        let ana = self.store.customer("ana", &revision.data_model).await;
        let (ana, flow) = (ana.unwrap().unwrap(), &revision.flows["f"]);
        let explained = explain(&self.store, &catalog, &ana, flow, self.now()).await;
        let steps = explained.unwrap().steps;
        let told = steps.into_iter().find(|told| told.id == step);
        told.unwrap().why
    }

    /// Whether Ana's number is written to no more.
    pub(super) async fn is_suppressed(&self) -> bool {
        self.number("SELECT count(*) FROM suppressions WHERE bucket >= 0")
            .await
            > 0
    }
}

fn heard_line(line: &HistoryLine) -> Option<String> {
    let kinds = [
        "delivered",
        "bounced",
        "complained",
        "given-up",
        "confirmed",
    ];
    let kind = kinds.contains(&line.kind.as_str()).then_some(&line.kind)?;
    let detail = line.detail.as_ref()?;
    assert_eq!(line.channel, Some(Channel::Sms));
    assert_eq!(line.flow.as_deref(), Some("f"));
    let how = detail["bounce"]
        .as_str()
        .or_else(|| detail["reason"].as_str());
    let step = line.step.as_deref().unwrap_or_default();
    let words = [kind.as_str(), step, how.unwrap_or_default()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    Some(words.join(" "))
}

/// Every order of a few fates.
fn orders(fates: &[Fate]) -> Vec<Vec<Fate>> {
    let [first, rest @ ..] = fates else {
        return vec![Vec::new()];
    };
    let shorter = orders(rest).into_iter();
    let longer = shorter.flat_map(|order| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, *first);
            order
        })
    });
    longer.collect()
}

#[rstest]
#[case(&[Fate::Delivered], DispatchState::Delivered)]
#[case(&[Fate::Accepted, SOFT, Fate::Delivered], DispatchState::Delivered)]
#[case(&[HARD, Fate::Delivered, Fate::Accepted], DispatchState::Bounced)]
#[case(&[Fate::Complained, Fate::Delivered], DispatchState::Delivered)]
#[case(&[Fate::Failed, Fate::Accepted], DispatchState::Refused)]
#[case(&[Fate::Expired, Fate::Accepted], DispatchState::Expired)]
#[tokio::test]
async fn in_every_order_and_told_twice_a_message_comes_to_stand_the_same(
    #[case] fates: &[Fate],
    #[case] stands: DispatchState,
) {
    for order in orders(fates) {
        let mut rig = rig(OURS).await;
        let id = rig.first().await;
        for fate in order.iter().chain(&order) {
            rig.tell(id, *fate).await;
        }
        assert_eq!(rig.stands().await, stands, "{order:?}");
        let mut heard = rig.heard().await;
        heard.sort();
        let mut expected: Vec<String> = fates.iter().filter_map(|fate| told(*fate)).collect();
        expected.sort();
        assert_eq!(heard, expected, "{order:?}");
    }
}

fn told(fate: Fate) -> Option<String> {
    Some(match fate {
        Fate::Accepted => return None,
        Fate::Delivered => "delivered text".to_owned(),
        Fate::Complained => "complained text".to_owned(),
        Fate::Bounced(bounce) => format!("bounced text {}", bounce.as_str()),
        Fate::Expired | Fate::Failed => format!("given-up text {}", fate.as_str()),
    })
}

#[tokio::test]
async fn the_history_shows_what_was_sent_and_what_was_heard_of_it_with_the_gateways_words() {
    let mut rig = rig(OURS).await;
    let id = rig.first().await;
    rig.sleep("5min");
    rig.tell(id, Fate::Delivered).await;
    let lines = rig.history("ana").await;
    let sent = lines.iter().find(|line| line.kind == "sms-sent").unwrap();
    assert_eq!(sent.detail.as_ref().unwrap()["stands"], "delivered");
    let heard = lines.iter().find(|line| line.kind == "delivered").unwrap();
    assert_eq!(heard.at, rig.now());
    let detail = json!({ "dispatch": id.to_string(), "detail": "says delivered" });
    assert_eq!(heard.detail, Some(detail));
    let why = rig.told_of("text").await;
    assert_eq!(
        why.last().unwrap(),
        "delivered 2026-01-05 10:05: says delivered"
    );
}

#[rstest]
#[case(Fate::Accepted, DispatchState::Accepted, &["confirmed text"])]
#[case(Fate::Delivered, DispatchState::Delivered, &["delivered text"])]
#[case(Fate::Failed, DispatchState::Refused, &["given-up text failed"])]
#[tokio::test]
async fn a_late_receipt_settles_what_was_uncertain(
    #[case] fate: Fate,
    #[case] stands: DispatchState,
    #[case] heard: &[&str],
) {
    let mut rig = rig(OURS).await;
    rig.outbox.answers(Channel::Sms, [uncertain()]);
    let id = rig.first().await;
    assert_eq!(rig.stands().await, DispatchState::Uncertain);
    rig.sleep("2h");
    rig.tell(id, fate).await;
    assert_eq!(rig.stands().await, stands);
    assert_eq!(rig.heard().await, heard);
    let kept = "SELECT count(*) FROM frozen_messages WHERE bucket >= 0";
    assert_eq!(rig.number(kept).await, 0);
}

#[tokio::test]
async fn a_receipt_that_names_our_id_may_come_before_the_gateways_answer_is_stored() {
    let mut rig = rig(OURS).await;
    rig.park().await;
    for _ in 0..100 {
        if !rig.enroll().await {
            break;
        }
    }
    rig.take_out().await;
    let gone = || rig.went_out().first().copied();
    let id = port::eventually("the message", gone).await;
    rig.tell(id, Fate::Delivered).await;
    assert_eq!(rig.stands().await, DispatchState::Claimed);
    rig.bring_back().await;
    assert_eq!(rig.stands().await, DispatchState::Delivered);
    assert_eq!(rig.heard().await, ["delivered text"]);
}

#[tokio::test]
async fn a_receipt_by_the_gateways_own_id_finds_its_message() {
    let mut rig = rig(THEIRS).await;
    rig.outbox.answers(Channel::Sms, [called("SM1")]);
    rig.first().await;
    rig.tell_theirs("SM1", Fate::Delivered).await;
    rig.tell_theirs("SM1", Fate::Accepted).await;
    assert_eq!(rig.stands().await, DispatchState::Delivered);
    assert_eq!(rig.heard().await, ["delivered text"]);
}

#[tokio::test]
async fn a_receipt_by_the_gateways_own_id_waits_for_its_answer() {
    let mut rig = rig(THEIRS).await;
    rig.outbox.answers(Channel::Sms, [called("SM1")]);
    for fate in [HARD, Fate::Accepted, HARD] {
        rig.tell_theirs("SM1", fate).await;
    }
    rig.tell_theirs("of others", Fate::Delivered).await;
    let early = "SELECT count(*) FROM early_receipts WHERE bucket >= 0";
    assert_eq!(rig.number(early).await, 3);
    rig.first().await;
    assert_eq!(rig.stands().await, DispatchState::Bounced);
    assert_eq!(rig.heard().await, ["bounced text hard"]);
    assert_eq!(rig.number(early).await, 1);
    assert!(rig.is_suppressed().await);
}

#[tokio::test]
async fn what_waits_in_vain_is_forgotten_after_a_day_and_an_id_after_a_month() {
    let mut rig = rig(THEIRS).await;
    rig.outbox.answers(Channel::Sms, [called("SM1")]);
    rig.first().await;
    rig.tell_theirs("of others", Fate::Delivered).await;
    rig.sleep("1d");
    let left = async |rig: &Rig| {
        rig.store.prune_receipts(rig.now(), 100).await.unwrap();
        let early = "SELECT count(*) FROM early_receipts WHERE bucket >= 0";
        let ids = "SELECT count(*) FROM gateway_ids WHERE bucket >= 0";
        (rig.number(early).await, rig.number(ids).await)
    };
    assert_eq!(left(&rig).await, (1, 2));
    rig.sleep("1min");
    assert_eq!(left(&rig).await, (0, 2));
    rig.sleep("29d");
    assert_eq!(left(&rig).await, (0, 0));
}

#[tokio::test]
async fn ids_are_written_down_only_for_a_gateway_that_names_messages_by_them() {
    let mut rig = rig(OURS).await;
    rig.outbox.answers(Channel::Sms, [called("SM1")]);
    rig.first().await;
    let ids = "SELECT count(*) FROM gateway_ids WHERE bucket >= 0";
    assert_eq!(rig.number(ids).await, 0);
}
