//! Owns lots that are drawn once and for all: the same customer draws the same, whenever and wherever.

use xxhash_rust::xxh3::xxh3_64;

/// A whole, in the parts that shares are written in.
pub const WHOLE: u32 = 10_000;

/// A lot below [`WHOLE`] for these words; independent for other words.
pub fn draw(words: &[&str]) -> u32 {
    let hash = xxh3_64(words.join("\0").as_bytes());
    u32::try_from(hash % u64::from(WHOLE)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_as_they_are_written_and_two_draws_are_independent() {
        let (mut one, mut both) = (0, 0);
        for customer in 0..20_000 {
            let customer = customer.to_string();
            let first = draw(&["holdout", &customer, "a"]) < 2_000;
            let second = draw(&["holdout", &customer, "b"]) < 2_000;
            one += u32::from(first);
            both += u32::from(first && second);
        }
        assert!((3_800..4_200).contains(&one), "{one} of 20,000 for 20 %");
        assert!((700..900).contains(&both), "{both} of 20,000 for 4 %");
    }
}
