//! Owns whether what came of a test is what it expects.

use jiff::Timestamp;

use super::timeline::{Came, Line};
use crate::domain::scenario::{Expected, Outcome};

/// An expectation beside what came of it, or something that nobody expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub expected: Option<Expected>,
    pub came: Option<Line>,
    /// Both are there and agree, or it need not be expected.
    pub is_right: bool,
}

/// A test's outcome, row by row in the order of what is expected; then what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub rows: Vec<Row>,
}

impl Verdict {
    pub fn is_right(&self) -> bool {
        self.rows.iter().all(|row| row.is_right)
    }
}

/// Each line answers one expectation at most. A message that nobody expected is wrong; what was
/// withheld, and how a run ended, need not be expected.
pub fn judge(expected: &[Expected], timeline: &[Line]) -> Verdict {
    let mut left: Vec<&Line> = timeline.iter().collect();
    let mut rows: Vec<Row> = Vec::new();
    for one in expected {
        let place = left.iter().position(|line| meets(one, line));
        let came = place.map(|place| left.remove(place).clone());
        rows.push(Row {
            is_right: came.is_some(),
            expected: Some(one.clone()),
            came,
        });
    }
    for row in rows.iter_mut().filter(|row| !row.is_right) {
        let Some(expected) = &row.expected else {
            continue;
        };
        let near = left.iter().position(|line| is_near(expected, line));
        row.came = near.map(|place| left.remove(place).clone());
    }
    rows.extend(left.into_iter().map(|line| Row {
        expected: None,
        came: Some(line.clone()),
        is_right: !matches!(line.came, Came::Sent { .. }),
    }));
    Verdict { rows }
}

fn meets(expected: &Expected, line: &Line) -> bool {
    let in_time = |at: Timestamp| {
        expected
            .at
            .is_none_or(|(from, until)| from <= at && at < until)
    };
    expected.customer == line.customer
        && expected.flow.as_ref().is_none_or(|flow| *flow == line.flow)
        && expected.step.asks_for(line.step.as_ref())
        && in_time(line.at)
        && came_so(&expected.what, &line.came)
}

fn came_so(expected: &Outcome, came: &Came) -> bool {
    match (expected, came) {
        (
            Outcome::Sent {
                channel,
                communication,
                subject_contains,
                text_contains,
            },
            Came::Sent {
                channel: on,
                communication: of,
                subject,
                text,
            },
        ) => {
            let holds = |part: &Option<String>, whole: &str| {
                part.as_ref()
                    .is_none_or(|part| whole.contains(part.as_str()))
            };
            channel.is_none_or(|channel| channel == *on)
                && communication.asks_for(Some(of))
                && holds(subject_contains, subject)
                && holds(text_contains, text)
        }
        (Outcome::Withheld(expected), Came::Withheld { reason, .. }) => expected == reason,
        (Outcome::Exited(expected), Came::Exited(reason)) => expected == reason,
        (Outcome::Goal, Came::Goal) | (Outcome::Completed, Came::Completed) => true,
        _ => false,
    }
}

/// What came in its place: of the same customer, at the same step or by the same communication.
fn is_near(expected: &Expected, line: &Line) -> bool {
    if expected.customer != line.customer {
        return false;
    }
    let same_step = expected.step.is_some() && expected.step == line.step;
    let same_communication = match (&expected.what, &line.came) {
        (
            Outcome::Sent {
                communication: Some(expected),
                ..
            },
            Came::Sent { communication, .. },
        ) => expected == communication,
        (Outcome::Goal, Came::Goal)
        | (Outcome::Completed | Outcome::Exited(_), Came::Completed | Came::Exited(_)) => true,
        _ => false,
    };
    same_step || same_communication
}

trait NoneOr<T> {
    /// Whether nothing is asked, or exactly this is.
    fn asks_for(&self, found: Option<&T>) -> bool;
}

impl<T: PartialEq> NoneOr<T> for Option<T> {
    fn asks_for(&self, found: Option<&T>) -> bool {
        self.as_ref().is_none_or(|asked| Some(asked) == found)
    }
}
