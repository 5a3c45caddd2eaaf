//! Owns how much more those who were written to reached a goal than those who were held out.

use bpci::{Interval as _, NSuccessesSample, WilsonScore as _};
use serde::Serialize;
use utoipa::ToSchema;

/// Of an interval: so many of a hundred such intervals hold the true value.
pub const CONFIDENCE: f64 = 0.95;
/// The quantile of the normal distribution for it, on both sides.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// Those who were treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arm {
    pub people: u64,
    pub reached: u64,
}

/// A share with the bounds within which it probably lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Arm {
    /// The share that reached it, by Wilson's score interval; none: there is nobody.
    pub fn share(self) -> Option<Estimate> {
        if self.people == 0 {
            return None;
        }
        let (people, reached) = (as_float(self.people), as_float(self.reached));
        let sample = NSuccessesSample::new(people, reached).ok()?;
        let interval = sample.wilson_score(QUANTILE);
        Some(Estimate {
            value: reached / people,
            low: interval.lower().max(0.0),
            high: interval.upper().min(1.0),
        })
    }
}

/// The difference of the shares of two arms, by Newcombe's hybrid score interval (Statistics in Medicine 17,
/// 1998, method 10), which takes the bounds of both shares. None: one of them has nobody.
pub fn difference(messaged: Arm, held_out: Arm) -> Option<Estimate> {
    let (one, other) = (messaged.share()?, held_out.share()?);
    let value = one.value - other.value;
    let below = (one.value - one.low).hypot(other.high - other.value);
    let above = (one.high - one.value).hypot(other.value - other.low);
    Some(Estimate {
        value,
        low: value - below,
        high: value + above,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of people are far below 2^53"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn arm(reached: u64, people: u64) -> Arm {
        Arm { people, reached }
    }

    /// Table II of the paper.
    #[rstest]
    #[case(arm(56, 70), arm(48, 80), 0.0524, 0.3339)]
    #[case(arm(9, 10), arm(3, 10), 0.1705, 0.8090)]
    #[case(arm(6, 7), arm(2, 7), 0.0582, 0.8062)]
    #[case(arm(5, 56), arm(0, 29), -0.0381, 0.1926)]
    #[case(arm(0, 10), arm(0, 20), -0.1611, 0.2775)]
    #[case(arm(10, 10), arm(0, 20), 0.6791, 1.0)]
    fn the_difference_is_that_of_the_paper(
        #[case] messaged: Arm,
        #[case] held_out: Arm,
        #[case] low: f64,
        #[case] high: f64,
    ) {
        let found = difference(messaged, held_out).unwrap();
        assert!((found.low - low).abs() < 0.0001, "{found:?}");
        assert!((found.high - high).abs() < 0.0001, "{found:?}");
    }

    #[test]
    fn nobody_tells_nothing() {
        assert_eq!(arm(0, 0).share(), None);
        assert_eq!(difference(arm(1, 2), arm(0, 0)), None);
    }
}
