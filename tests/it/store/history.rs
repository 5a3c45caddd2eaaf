//! Histories: activity, lines, filters, sums.

use std::sync::Arc;

use drumbeat::domain::audit::Source;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::{DispatchState, Settlement};
use drumbeat::domain::gateway::Receipts;
use drumbeat::domain::ids::{Bucket, CustomerId, EnrollmentId, Incarnation, NameNo};
use drumbeat::domain::interaction::{Direction, Interaction, Kind};
use drumbeat::domain::revision::NameKind;
use drumbeat::store::{ChannelTotals, HistoryFilter, Settled, Telling, ToldLines, Work};
use jiff::{SignedDuration, Timestamp};

use super::people::Sent;
use super::rig::{Fresh, now, revision};

fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

fn did(customer: CustomerId, kind: Kind, hours: i64) -> Interaction {
    Interaction {
        campaign: Some("gold".to_owned()),
        ..Interaction::new(customer, hours_ago(hours), kind)
    }
}

pub(super) async fn activity_moves_forward_only(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let instants = async || {
        let column = async |name: &str| {
            let sql = format!("SELECT coalesce((SELECT {name} FROM activity), 0)");
            store.number(&sql).await
        };
        (
            column("last_activity_at").await,
            column("last_engagement_at").await,
            column("last_transaction_at").await,
        )
    };
    assert_eq!(instants().await, (0, 0, 0));
    let marks = store.marks().await;
    store
        .record(&[did(id, Kind::EmailSent, 5), did(id, Kind::Login, 9)])
        .await
        .unwrap();
    let (five, nine) = (hours_ago(5).as_microsecond(), hours_ago(9).as_microsecond());
    assert_eq!(instants().await, (five, nine, 0));
    assert_eq!(store.marks().await, marks + 1);
    store
        .record(&[did(id, Kind::Transaction, 12)])
        .await
        .unwrap();
    let twelve = hours_ago(12).as_microsecond();
    assert_eq!(instants().await, (five, nine, twelve));
    store.record(&[did(id, Kind::Imported, 1)]).await.unwrap();
    assert_eq!(instants().await, (five, nine, twelve));
    assert_eq!(store.read("a").await.last_activity_at, Some(hours_ago(5)));
}

pub(super) async fn who_is_written_to_twice_at_once_is_active_once(store: Fresh) {
    let published = store.published(&revision()).await;
    let customer = store.person("a", &[]).await;
    let flow = |name| published.numbers.number(NameKind::Flow, name).unwrap();
    let step = published.numbers.step("welcome", "hello").unwrap();
    let mut settled = Vec::new();
    for (sequence, flow) in [(1, flow("welcome")), (2, flow("gold"))] {
        let enrollment = store.enroll(customer, flow.0, sequence).await;
        let sent = Sent {
            enrollment,
            step: step.0,
            channel: 1,
            state: 0,
            at: now(),
        };
        store.send(&sent).await;
        settled.push(accepted(EnrollmentId(enrollment), customer, step));
    }
    let work = Work::Settled {
        settled: Arc::new(settled),
        marks: false,
        now: now(),
    };
    store.write_together(&[work]).await.unwrap();
    let count = "SELECT count(*) FROM dispatches WHERE state = 1";
    assert_eq!(store.number(count).await, 2);
    assert_eq!(store.read("a").await.last_activity_at, Some(now()));
}

fn accepted(enrollment: EnrollmentId, customer: CustomerId, step: NameNo) -> Settled {
    Settled {
        enrollment,
        customer,
        step,
        channel: Channel::Email,
        attempt: 1,
        incarnation: Incarnation(1),
        settlement: Settlement {
            state: DispatchState::Accepted,
            detail: String::new(),
            gateway_id: None,
            retry_at: None,
            advances: true,
            suppresses_address: false,
            pauses_channel: false,
        },
        reason: None,
        then: None,
        frozen: None,
        address: String::new(),
        receipts: Receipts::None,
        gone: Vec::new(),
    }
}

async fn a_life(store: &Fresh) -> CustomerId {
    let published = store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let flow = published
        .numbers
        .number(NameKind::Flow, "welcome")
        .unwrap()
        .0;
    let steps = ["hello", "more"].map(|step| published.numbers.step("welcome", step).unwrap().0);
    let enrollment = store.enroll_at(id, flow, 1, hours_ago(50)).await;
    let states = [(DispatchState::Accepted, 40), (DispatchState::Withheld, 20)];
    for (step, (state, hours)) in steps.into_iter().zip(states) {
        let sent = Sent {
            enrollment,
            step,
            channel: Channel::Email.number(),
            state: state.number(),
            at: hours_ago(hours),
        };
        store.send(&sent).await;
    }
    let finished = hours_ago(10).as_microsecond();
    store
        .execute(&format!(
            "UPDATE enrollments SET status = 10, finished_at = {finished}"
        ))
        .await;
    let lines = [
        did(id, Kind::EmailClicked, 30),
        did(id, Kind::Conversion, 5),
    ];
    store.record(&lines).await.unwrap();
    id
}

pub(super) async fn the_history_shows_dispatches_interactions_and_runs_newest_first(store: Fresh) {
    let id = a_life(&store).await;
    let lines = store
        .history(id, &HistoryFilter::default(), 99)
        .await
        .unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    let expected = [
        "conversion",
        "completed-flow",
        "email-withheld",
        "email-clicked",
        "email-sent",
        "entered-flow",
    ];
    assert_eq!(kinds, expected);
    let sent = &lines[4];
    assert_eq!(
        (sent.flow.as_deref(), sent.step.as_deref()),
        (Some("welcome"), Some("hello"))
    );
    assert_eq!(sent.direction, Direction::Outbound);
    let newest = store
        .history(id, &HistoryFilter::default(), 2)
        .await
        .unwrap();
    assert_eq!(newest, lines[..2]);
}

pub(super) async fn a_filter_narrows_the_history(store: Fresh) {
    let id = a_life(&store).await;
    let count = async |filter: HistoryFilter| store.history(id, &filter, 99).await.unwrap().len();
    let with = |narrow: fn(&mut HistoryFilter)| {
        let mut filter = HistoryFilter::default();
        narrow(&mut filter);
        filter
    };
    let narrowed = [
        (with(|f| f.direction = Some(Direction::Inbound)), 2),
        (with(|f| f.channel = Some(Channel::Email)), 2),
        (with(|f| f.channel = Some(Channel::Sms)), 0),
        (with(|f| f.campaign = Some("gold".to_owned())), 2),
        (with(|f| f.campaign = Some("welcome".to_owned())), 4),
        (with(|f| f.flow = Some("welcome".to_owned())), 4),
        (with(|f| f.from = Some(hours_ago(30))), 4),
        (with(|f| f.until = Some(hours_ago(30))), 2),
        (with(|f| f.kinds.push("email-withheld".to_owned())), 1),
    ];
    for (filter, expected) in narrowed {
        assert_eq!(count(filter.clone()).await, expected, "{filter:?}");
    }
}

pub(super) async fn totals_count_what_became_of_messages(store: Fresh) {
    let id = a_life(&store).await;
    let totals = store.totals(id).await.unwrap();
    let email = ChannelTotals {
        sent: 1,
        withheld: 1,
        ..ChannelTotals::default()
    };
    assert_eq!(totals.channels, [(Channel::Email, email)].into());
    assert_eq!(totals.conversions, 1);
}

pub(super) async fn an_interaction_of_an_unknown_customer_is_passed_over(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let nobody = CustomerId::new(Bucket(9), 1_000);
    let lines = [did(nobody, Kind::Login, 1), did(id, Kind::Login, 1)];
    store.record(&lines).await.unwrap();
    assert_eq!(store.number("SELECT count(*) FROM interactions").await, 1);
}

pub(super) async fn a_line_that_is_told_already_is_not_recorded_again(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let converted = did(id, Kind::Conversion, 5);
    let elsewhere = Interaction {
        campaign: None,
        ..converted.clone()
    };
    let lines = [converted.clone(), elsewhere, converted];
    let marks = store.marks().await;
    let told = async |is_trial: bool| {
        let lines = ToldLines {
            did: lines.to_vec(),
            ..ToldLines::default()
        };
        let how = Telling {
            source: Source::Import,
            now: now(),
            is_trial,
        };
        store.import_lines(&lines, how, None).await.unwrap().news
    };
    assert_eq!(told(true).await, 2);
    assert_eq!(store.number("SELECT count(*) FROM interactions").await, 0);
    assert_eq!(store.marks().await, marks, "a trial stores nothing");
    assert_eq!(told(false).await, 2);
    assert_eq!(store.read("a").await.last_activity_at, Some(hours_ago(5)));
    assert_eq!(
        store.marks().await,
        marks + 1,
        "segments and exits look again"
    );
    assert_eq!(told(false).await, 0);
    assert_eq!(store.marks().await, marks + 1);
    assert_eq!(store.number("SELECT count(*) FROM interactions").await, 2);
}

pub(super) async fn of_one_instant_a_run_begins_first_and_ends_last(store: Fresh) {
    let id = a_life(&store).await;
    let at = hours_ago(50).as_microsecond();
    for sql in [
        format!("UPDATE dispatches SET at = {at}"),
        format!("UPDATE enrollments SET finished_at = {at}"),
    ] {
        store.execute(&sql).await;
    }
    let filter = HistoryFilter {
        flow: Some("welcome".to_owned()),
        ..HistoryFilter::default()
    };
    let lines = store.history(id, &filter, 99).await.unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!((kinds[0], kinds[3]), ("completed-flow", "entered-flow"));
}
