//! Owns which node works for which stripe of buckets: by rendezvous, so that a node that comes or goes
//! moves few, and evenly, so that none holds more than its share.
//!
//! Highest random weight hashing (Thaler and Ravishankar, 1998), with bounded loads.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::ids::{Incarnation, STRIPES, Stripes};

/// The stripes of each of these nodes; without nodes nobody has any.
pub fn assign(nodes: &[Incarnation]) -> BTreeMap<Incarnation, Stripes> {
    let most = usize::from(STRIPES).div_ceil(nodes.len().max(1));
    let mut stripes: BTreeMap<Incarnation, Vec<u16>> =
        nodes.iter().map(|node| (*node, Vec::new())).collect();
    for stripe in 0..STRIPES {
        let with_room = stripes.iter_mut().filter(|(_, held)| held.len() < most);
        if let Some((_, held)) = with_room.max_by_key(|(node, _)| weight(**node, stripe)) {
            held.push(stripe);
        }
    }
    let held = |(node, held): (Incarnation, Vec<u16>)| (node, held.into_iter().collect());
    stripes.into_iter().map(held).collect()
}

fn weight(node: Incarnation, stripe: u16) -> u64 {
    xxh3_64_with_seed(&node.0.to_le_bytes(), u64::from(stripe))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(numbers: impl IntoIterator<Item = i64>) -> Vec<Incarnation> {
        numbers.into_iter().map(Incarnation).collect()
    }

    #[test]
    fn every_stripe_has_one_node_and_no_node_more_than_its_share() {
        for count in 1..=70 {
            let assigned = assign(&nodes(1..=count));
            let mut all: Vec<u16> = assigned.values().flat_map(Stripes::iter).collect();
            all.sort_unstable();
            assert_eq!(all, (0..STRIPES).collect::<Vec<u16>>(), "{count}");
            let most = usize::from(STRIPES).div_ceil(usize::try_from(count).unwrap());
            assert!(assigned.values().all(|held| held.len() <= most), "{count}");
        }
        assert!(assign(&[]).is_empty());
    }

    #[test]
    fn a_node_that_goes_moves_little_beside_its_own_stripes() {
        let owner = |nodes: &[Incarnation]| -> BTreeMap<u16, Incarnation> {
            let each = assign(nodes).into_iter();
            each.flat_map(|(node, held)| held.iter().map(|s| (s, node)).collect::<Vec<_>>())
                .collect()
        };
        for gone in 1..=4 {
            let before = owner(&nodes(1..=4));
            let after = owner(&nodes((1..=4).filter(|node| *node != gone)));
            let moved = before
                .iter()
                .filter(|(stripe, node)| after[*stripe] != **node);
            let of_others = moved.filter(|(_, node)| node.0 != gone).count();
            assert!(of_others <= 12, "{gone}: {of_others}");
        }
    }
}
