//! Owns the proof that membership and enrollment never part: any changes, any order of passes, any deaths.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use drumbeat::engine::Left;
use proptest::prelude::*;

use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

const PEOPLE: usize = 5;

#[derive(Debug, Clone)]
enum Op {
    Lives(usize, bool),
    Touched(usize),
    Pass(u8),
    Enroll,
    Park,
    Claim,
    Dies,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..PEOPLE, any::<bool>()).prop_map(|(who, lyon)| Op::Lives(who, lyon)),
        1 => (0..PEOPLE).prop_map(Op::Touched),
        3 => (1..50_u8).prop_map(Op::Pass),
        6 => Just(Op::Enroll),
        1 => Just(Op::Park),
        4 => Just(Op::Claim),
        2 => Just(Op::Dies),
    ]
}

/// What anybody would work out with pen and paper.
#[derive(Default)]
struct Oracle {
    in_lyon: BTreeSet<usize>,
    members: BTreeSet<usize>,
    entries: BTreeMap<usize, usize>,
}

impl Oracle {
    fn looked_at(&mut self) {
        for who in self.in_lyon.difference(&self.members) {
            *self.entries.entry(*who).or_default() += 1;
        }
        self.members = self.in_lyon.clone();
    }
}

fn name(who: usize) -> String {
    format!("c{who}")
}

async fn run(ops: &[Op]) {
    let steps = [email("hello", "after: 1d"), sms("text", "after: 1000d")];
    let keys = "entry: { reentry: every-requalification }\n\
        exit: { on-leaving-segment: true }\nmax-lateness: 30d";
    let mut rig = Rig::with(&flow("f", LYON, keys, &steps)).await;
    for who in 0..PEOPLE {
        rig.customer(&name(who), "city=Rome").await;
    }
    rig.settle().await;
    let mut oracle = Oracle::default();
    for op in ops {
        step(&mut rig, &mut oracle, op).await;
        assert_eq!(members_without_a_run(&rig).await, 0, "after {op:?}");
    }
    rig.settle().await;
    oracle.looked_at();
    check(&rig, &oracle).await;
    rig.advance("3d").await;
    each_run_was_written_to_once(&rig).await;
}

async fn step(rig: &mut Rig, oracle: &mut Oracle, op: &Op) {
    match op {
        Op::Lives(who, true) => {
            rig.set(&name(*who), "city=Lyon").await;
            oracle.in_lyon.insert(*who);
        }
        Op::Lives(who, false) => {
            rig.set(&name(*who), "city=Rome").await;
            oracle.in_lyon.remove(who);
        }
        Op::Touched(who) => {
            let now = rig.now();
            let seconds = now.as_second() % 1_000_000;
            rig.set(&name(*who), &format!("points={seconds}")).await;
        }
        Op::Pass(hours) => rig.sleep(&format!("{hours}h")),
        Op::Enroll => {
            // Two looks at one instant cannot be told apart by the time of joining.
            rig.sleep("1s");
            rig.enroll().await;
            oracle.looked_at();
        }
        Op::Park => drop(rig.park().await),
        Op::Claim => drop(rig.claim().await),
        Op::Dies => {
            rig.claim_and_die().await;
            rig.restart(&Left::Marked(HashSet::new())).await;
        }
    }
}

/// Every member has a run that began when they joined, or later.
async fn members_without_a_run(rig: &Rig) -> i64 {
    rig.number(
        "SELECT count(*) FROM memberships m WHERE NOT EXISTS (SELECT 1 FROM enrollments e \
         WHERE e.bucket = m.bucket AND e.customer_id = m.customer_id \
         AND e.started_at >= m.joined_at)",
    )
    .await
}

async fn check(rig: &Rig, oracle: &Oracle) {
    for who in 0..PEOPLE {
        let entered = rig.entered(&name(who)).await.len();
        let expected = oracle.entries.get(&who).copied().unwrap_or(0);
        assert_eq!(entered, expected, "{}", name(who));
    }
    let members = rig.number("SELECT count(*) FROM memberships").await;
    assert_eq!(usize::try_from(members).unwrap(), oracle.members.len());
    let live = rig
        .number("SELECT count(*) FROM enrollments WHERE status < 10")
        .await;
    assert!(live <= members, "who left is in no flow");
}

/// A death that surely handed nothing over repeats a try, never a message.
async fn each_run_was_written_to_once(rig: &Rig) {
    let tries = rig.outbox.take();
    let mut ids = BTreeMap::new();
    for sent in &tries {
        let attempts: &mut Vec<u32> = ids.entry(sent.message.id).or_default();
        assert!(
            !attempts.contains(&sent.message.attempt),
            "a try is made once"
        );
        attempts.push(sent.message.attempt);
    }
    let accepted = rig
        .number("SELECT count(*) FROM dispatches WHERE state = 1")
        .await;
    let left_in_claim = rig
        .number("SELECT count(*) FROM dispatches WHERE state = 0")
        .await;
    assert!(usize::try_from(accepted).unwrap() <= ids.len());
    assert_eq!(left_in_claim, 0, "nothing hangs");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_qualifies_at_a_look_is_enrolled_then_and_nobody_else(
        ops in prop::collection::vec(op(), 10..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&ops));
    }
}
