//! Owns the plan of a storm over several nodes: what hits which, when, and for how long.

use std::time::Duration;

use super::chance::Chance;
use crate::rig::postgres::Shutdown;

/// What a node has to bear.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blow {
    /// It is killed; another start follows after this.
    Kill(Duration),
    /// It does nothing for this long, and does not know.
    Freeze(Duration),
    /// Packets between it and the database are lost.
    Cut(Duration),
}

/// After a time of calm.
pub(super) type Turn = (Duration, Blow);

pub(super) struct Plan {
    pub(super) nodes: Vec<Vec<Turn>>,
    pub(super) falls: Vec<(Duration, Shutdown)>,
}

/// How many blows of each kind a storm brings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) kills: usize,
    pub(super) freezes: usize,
    pub(super) cuts: usize,
    pub(super) falls: usize,
}

impl Plan {
    /// The first `length` of a storm.
    pub(super) fn of(chance: &mut Chance, nodes: usize, length: Duration) -> Self {
        Self {
            nodes: (0..nodes).map(|_| turns(chance, length)).collect(),
            falls: falls(chance, length),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts {
            falls: self.falls.len(),
            ..Counts::default()
        };
        for (_, blow) in self.nodes.iter().flatten() {
            match blow {
                Blow::Kill(_) => counts.kills += 1,
                Blow::Freeze(_) => counts.freezes += 1,
                Blow::Cut(_) => counts.cuts += 1,
            }
        }
        counts
    }
}

impl Counts {
    /// The most messages that may be uncertain: what each node that was hit, by a blow of its own or
    /// by the database's fall, had in flight.
    pub(super) fn most_uncertain(self, slots: usize, nodes: usize) -> usize {
        slots * (self.kills + self.freezes + self.cuts + self.falls * nodes)
    }
}

fn turns(chance: &mut Chance, length: Duration) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut at = Duration::ZERO;
    loop {
        let calm = chance.between(2_000, 12_000);
        let blow = blow(chance);
        at += calm + blow.time();
        if at > length {
            return turns;
        }
        turns.push((calm, blow));
    }
}

/// A freeze is longer than the time for which a silent node counts as running; a cut is shorter or longer.
fn blow(chance: &mut Chance) -> Blow {
    match chance.below(8) {
        0..3 => Blow::Kill(chance.between(0, 8_000)),
        3..5 => Blow::Freeze(chance.between(12_000, 20_000)),
        5 => Blow::Cut(chance.between(500, 7_000)),
        _ => Blow::Cut(chance.between(11_000, 20_000)),
    }
}

fn falls(chance: &mut Chance, length: Duration) -> Vec<(Duration, Shutdown)> {
    let mut falls = Vec::new();
    let mut at = Duration::ZERO;
    loop {
        let calm = chance.between(8_000, 30_000);
        at += calm;
        if at > length {
            return falls;
        }
        let shutdown = match chance.below(2) {
            0 => Shutdown::Fast,
            _ => Shutdown::Immediate,
        };
        falls.push((calm, shutdown));
    }
}

impl Blow {
    fn time(self) -> Duration {
        match self {
            Self::Kill(time) | Self::Freeze(time) | Self::Cut(time) => time,
        }
    }
}
