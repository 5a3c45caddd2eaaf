//! Owns putting the parts of replies together: in any order, for a bounded time, a bounded number at once.

use std::time::Duration;

use tokio::time::Instant;

use super::told::Part;

/// How many unfinished replies are kept.
const MOST: usize = 500;

/// Parts that wait for the others.
pub(super) struct Assembly {
    wait: Duration,
    /// The oldest first.
    unfinished: Vec<Unfinished>,
}

struct Unfinished {
    since: Instant,
    /// The first that came: from whom, to whom, which reference.
    like: Part,
    parts: Vec<Option<Vec<u8>>>,
}

/// A reply with all its bytes, or with all there will be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) coding: u8,
    pub(super) bytes: Vec<u8>,
}

impl Assembly {
    pub(super) fn new(wait: Duration) -> Self {
        Self {
            wait,
            unfinished: Vec::new(),
        }
    }

    /// The whole, once its last missing part has come. It is kept until `forget`, so that the same
    /// part told again makes the same whole.
    pub(super) fn add(&mut self, part: &Part, now: Instant) -> Option<Whole> {
        let Some(place) = part.place else {
            return Some(whole(part, part.bytes.clone()));
        };
        let at = self.position(part).unwrap_or_else(|| {
            self.unfinished.push(Unfinished {
                since: now,
                like: part.clone(),
                parts: vec![None; usize::from(place.total)],
            });
            self.unfinished.len() - 1
        });
        let unfinished = &mut self.unfinished[at];
        if let Some(slot) = unfinished.parts.get_mut(usize::from(place.at) - 1) {
            *slot = Some(part.bytes.clone());
        }
        let all: Option<Vec<Vec<u8>>> = unfinished.parts.iter().cloned().collect();
        all.map(|all| whole(part, all.concat()))
    }

    /// The whole that this part belongs to is stored.
    pub(super) fn forget(&mut self, part: &Part) {
        if let Some(at) = self.position(part) {
            self.unfinished.remove(at);
        }
    }

    /// What has waited too long, or is one too many, with the parts that came.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Whole> {
        let mut too_many = self.unfinished.len().saturating_sub(MOST);
        let wait = self.wait;
        let overdue = self.unfinished.extract_if(.., |unfinished| {
            let is_surplus = too_many > 0;
            too_many = too_many.saturating_sub(1);
            is_surplus || now >= unfinished.since + wait
        });
        overdue
            .map(|unfinished| {
                let bytes: Vec<Vec<u8>> = unfinished.parts.into_iter().flatten().collect();
                whole(&unfinished.like, bytes.concat())
            })
            .collect()
    }

    /// When something is overdue next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.unfinished.first().map(|first| first.since + self.wait)
    }

    fn position(&self, part: &Part) -> Option<usize> {
        let place = part.place?;
        self.unfinished.iter().position(|unfinished| {
            let like = &unfinished.like;
            like.from == part.from
                && like.to == part.to
                && like.place.is_some_and(|other| {
                    (other.reference, other.total) == (place.reference, place.total)
                })
        })
    }
}

fn whole(part: &Part, bytes: Vec<u8>) -> Whole {
    Whole {
        from: part.from.clone(),
        to: part.to.clone(),
        coding: part.coding,
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::Place;
    use super::*;

    fn part(from: &str, at: u8, total: u8) -> Part {
        Part {
            from: from.to_owned(),
            to: "777".to_owned(),
            coding: 0,
            bytes: format!("<{at}>").into_bytes(),
            place: Some(Place {
                reference: 5,
                total,
                at,
            }),
        }
    }

    fn text(whole: Option<Whole>) -> Option<String> {
        whole.map(|whole| String::from_utf8(whole.bytes).unwrap())
    }

    #[test]
    fn parts_make_a_whole_in_any_order_and_again_until_it_is_stored() {
        let now = Instant::now();
        let mut assembly = Assembly::new(Duration::from_mins(5));
        assert_eq!(text(assembly.add(&part("a", 3, 3), now)), None);
        assert_eq!(text(assembly.add(&part("b", 1, 2), now)), None);
        assert_eq!(text(assembly.add(&part("a", 1, 3), now)), None);
        assert_eq!(text(assembly.add(&part("a", 3, 3), now)), None);
        let whole = text(assembly.add(&part("a", 2, 3), now));
        assert_eq!(whole.as_deref(), Some("<1><2><3>"));
        // It was not stored, and is told again.
        assert_eq!(text(assembly.add(&part("a", 2, 3), now)), whole);
        assembly.forget(&part("a", 2, 3));
        assert_eq!(text(assembly.add(&part("a", 2, 3), now)), None);
    }

    #[test]
    fn what_stays_unfinished_is_told_as_far_as_it_came() {
        let now = Instant::now();
        let wait = Duration::from_mins(5);
        let mut assembly = Assembly::new(wait);
        assembly.add(&part("a", 3, 3), now);
        assembly.add(&part("a", 1, 3), now);
        assert!(assembly.overdue(now).is_empty());
        assert_eq!(assembly.next(), Some(now + wait));
        let overdue = assembly.overdue(now + wait);
        assert_eq!(overdue.len(), 1);
        assert_eq!(overdue[0].bytes, b"<1><3>");
        assert_eq!(assembly.next(), None);
        for n in 0..MOST + 3 {
            assembly.add(&part(&n.to_string(), 1, 2), now);
        }
        let surplus: Vec<String> = assembly.overdue(now).into_iter().map(|w| w.from).collect();
        assert_eq!(surplus, ["0", "1", "2"]);
    }
}
