//! Owns the accounts after a storm: what the ledger says beside what arrived.

use std::collections::{BTreeMap, HashMap};

use drumbeat::domain::ids::{DispatchId, EnrollmentId, InstanceTag, NameNo};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

const ACCEPTED: i64 = 1;
const UNCERTAIN: i64 = 8;

/// A line of the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) enrollment: EnrollmentId,
    pub(super) state: i64,
    /// In microseconds.
    pub(super) first_at: i64,
}

/// By the id that its message carries.
pub(super) type Ledger = BTreeMap<DispatchId, Line>;

/// A mail that arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mail {
    /// When it was written, in whole seconds.
    pub(super) date: i64,
}

/// What the accounts came to.
pub(super) struct Sums {
    pub(super) messages: usize,
    pub(super) received: usize,
    pub(super) uncertain: usize,
}

/// A ledger of enrollment, step, state and the time of the first attempt.
pub(super) fn ledger(
    tag: InstanceTag,
    rows: impl IntoIterator<Item = (i64, i32, i64, i64)>,
) -> Ledger {
    let line = |(enrollment, step, state, first_at)| {
        let enrollment = EnrollmentId(enrollment);
        let id = DispatchId::new(tag, enrollment, NameNo(step));
        let line = Line {
            enrollment,
            state,
            first_at,
        };
        (id, line)
    };
    rows.into_iter().map(line).collect()
}

/// Every copy of each dispatch that arrived, by Message-ID.
pub(super) fn received(mails: &[String]) -> HashMap<DispatchId, Vec<Mail>> {
    let mut received: HashMap<DispatchId, Vec<Mail>> = HashMap::new();
    for mail in mails {
        let header = |name: &str| mail.lines().find_map(|line| line.strip_prefix(name));
        let id = header("Message-ID: <").and_then(|id| id.split('@').next()?.parse().ok());
        let date = rfc2822::parse(header("Date: ").unwrap()).unwrap();
        let date = date.timestamp().as_second();
        let id = id.expect("every mail carries its dispatch id");
        received.entry(id).or_default().push(Mail { date });
    }
    received
}

/// Each line was received exactly once, or is uncertain and was received once or not at all; nothing
/// else was. So many messages may be uncertain at most.
pub(super) fn balance(
    ledger: &Ledger,
    received: &HashMap<DispatchId, Vec<Mail>>,
    most: usize,
) -> Sums {
    let mut uncertain = 0;
    for (id, line) in ledger {
        let copies = received.get(id).map_or(0, Vec::len);
        match line.state {
            ACCEPTED => assert_eq!(copies, 1, "{id} is accepted: {line:?}"),
            UNCERTAIN => {
                uncertain += 1;
                assert!(copies <= 1, "{id} is uncertain and arrived {copies} times");
            }
            other => panic!("{id} ended in state {other}"),
        }
    }
    let unknown = received.keys().filter(|id| !ledger.contains_key(*id));
    assert_eq!(
        unknown.count(),
        0,
        "messages that no line of the ledger knows"
    );
    assert!(uncertain <= most, "{uncertain} uncertain, at most {most}");
    Sums {
        messages: ledger.len(),
        received: received.len(),
        uncertain,
    }
}

/// No step began, and no message was written, before the one before it was over and its delay had
/// passed: it cannot have been over before it began, nor before its own message was written.
pub(super) fn nothing_is_early(
    ledger: &Ledger,
    received: &HashMap<DispatchId, Vec<Mail>>,
    delay: i64,
) {
    let mut walks: BTreeMap<EnrollmentId, Vec<(i64, Option<i64>)>> = BTreeMap::new();
    for (id, line) in ledger {
        let mail = received.get(id).and_then(|mails| mails.first());
        let walk = walks.entry(line.enrollment).or_default();
        walk.push((line.first_at, mail.map(|mail| mail.date)));
    }
    for (enrollment, mut walk) in walks {
        walk.sort_unstable();
        for (before, after) in walk.iter().zip(&walk[1..]) {
            assert!(
                after.0 >= before.0 + delay * 1_000_000,
                "{enrollment:?}: {walk:?}"
            );
            let (Some(earlier), Some(later)) = (before.1, after.1) else {
                continue;
            };
            assert!(later >= earlier + delay, "{enrollment:?}: {walk:?}");
        }
        for (first_at, date) in &walk {
            let first_at = Timestamp::from_microsecond(*first_at).unwrap().as_second();
            assert!(
                date.is_none_or(|date| date >= first_at),
                "{enrollment:?}: {walk:?}"
            );
        }
    }
}
