//! Owns the judgement of a drain: whether it kept the order of due times, and the pace.

use std::collections::VecDeque;

use drumbeat::domain::ids::{EnrollmentId, STRIPE};
use drumbeat::engine::CLAIMERS;

use crate::gateway::HandedOver;
use crate::measures::{Measures, add, number};
use crate::place::Place;

/// Two claimers take as many as this at a time.
const CLAIMED_AT_ONCE: u64 = 2 * 512;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// Judges what was handed over, in the order in which it was; the pace from the instant `from` on.
pub(crate) fn judge(
    taken: &[HandedOver],
    place: &Place,
    from: i64,
    due: &dyn Fn(i64) -> i64,
    measures: &mut Measures,
) {
    let first_tries: Vec<i64> = taken
        .iter()
        .filter(|one| one.attempt == 1)
        .map(|one| due(one.enrollment))
        .collect();
    let retried = taken.len() - first_tries.len();
    add(measures, "retried", number(retried as u64));
    let mut enrollments: Vec<i64> = taken.iter().map(|one| one.enrollment).collect();
    enrollments.sort_unstable();
    enrollments.dedup();
    let doubled = taken.len() - enrollments.len();
    add(measures, "doubled", number(doubled as u64));
    displacements(&first_tries, measures);
    let apart = claimers_apart(taken, due);
    add(measures, "claimers_apart_s", apart);
    overtaking(&first_tries, measures);
    pace(taken, place, from, measures);
}

/// How many places each message went out before or after its own.
fn displacements(dues: &[i64], measures: &mut Measures) {
    let mut in_order: Vec<(i64, usize)> = dues.iter().copied().zip(0..).collect();
    in_order.sort_unstable();
    let mut displaced: Vec<u64> = in_order
        .iter()
        .enumerate()
        .map(|(rank, (_, place))| rank.abs_diff(*place) as u64)
        .collect();
    displaced.sort_unstable();
    let Some(most) = displaced.last() else { return };
    let far = displaced.iter().filter(|by| **by > CLAIMED_AT_ONCE).count();
    let p50 = displaced[displaced.len() / 2];
    add(measures, "displaced_p50", number(p50));
    add(measures, "displaced_max", number(*most));
    add(measures, "displaced_far", number(far as u64));
}

/// By how many seconds of due time a message was overtaken.
fn overtaking(dues: &[i64], measures: &mut Measures) {
    let (mut latest, mut most) = (i64::MIN, 0);
    for due in dues {
        latest = latest.max(*due);
        most = most.max(latest - due);
    }
    add(measures, "overtaken_s", number(most.unsigned_abs()) / 1e6);
}

/// The most seconds of due time that one claimer was ahead of another, as long as both had work.
fn claimers_apart(taken: &[HandedOver], due: &dyn Fn(i64) -> i64) -> f64 {
    let share = |one: &HandedOver| EnrollmentId(one.enrollment).bucket().0 / STRIPE % CLAIMERS;
    let mut left = [0_u64; CLAIMERS as usize];
    for one in taken {
        left[usize::from(share(one))] += 1;
    }
    let (mut latest, mut most) = ([i64::MIN; CLAIMERS as usize], 0);
    for one in taken.iter().filter(|one| one.attempt == 1) {
        let share = usize::from(share(one));
        latest[share] = latest[share].max(due(one.enrollment));
        left[share] -= 1;
        let all_begun = latest.iter().all(|due| *due > i64::MIN);
        if all_begun && left.iter().all(|left| *left > 0) {
            let (first, last) = (latest.iter().max(), latest.iter().min());
            most = most.max(first.unwrap_or(&0) - last.unwrap_or(&0));
        }
    }
    number(most.unsigned_abs()) / 1e6
}

fn pace(taken: &[HandedOver], place: &Place, from: i64, measures: &mut Measures) {
    let mut times: Vec<i64> = taken.iter().map(|one| one.micros).collect();
    times.sort_unstable();
    let pace = f64::from(place.pace);
    let within = |span| number(most_within(&times, span) as u64);
    for (name, span) in [
        ("tenth", SECOND / 10),
        ("second", SECOND),
        ("minute", MINUTE),
    ] {
        let whole = times
            .last()
            .zip(times.first())
            .map(|(last, first)| last - first);
        if whole.is_some_and(|whole| whole >= span) {
            let most = pace * number(span.unsigned_abs()) / 1e6;
            add(measures, &format!("{name}_over_pace"), within(span) / most);
        }
    }
    let drained: Vec<i64> = times.into_iter().filter(|at| *at >= from).collect();
    let Some(last) = drained.last() else { return };
    let seconds = number((last - from).unsigned_abs()) / 1e6;
    let wanted = number(drained.len() as u64) / pace;
    add(measures, "drain_s", seconds);
    add(measures, "drain_over_wanted", seconds / wanted);
}

/// The most of these times that lie within any span so long.
fn most_within(times: &[i64], span: i64) -> usize {
    let (mut within, mut most) = (VecDeque::new(), 0);
    for at in times {
        within.push_back(*at);
        while within.front().is_some_and(|first| at - first >= span) {
            within.pop_front();
        }
        most = most.max(within.len());
    }
    most
}
