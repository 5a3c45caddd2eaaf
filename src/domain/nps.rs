//! Owns the net promoter score: answers from 0 to 10, and the three groups that they fall into.
//!
//! After F. Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An answer to "how likely is it that you would recommend us?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpsAnswer {
    /// 0 to 10.
    pub score: u8,
    pub comment: Option<String>,
    pub question: Option<String>,
}

/// The latest answer of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastNps {
    pub answer: NpsAnswer,
    pub at: Timestamp,
}

/// The group that an answer puts a customer into.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NpsGroup {
    /// 0 to 6.
    Detractor,
    /// 7 and 8.
    Passive,
    /// 9 and 10.
    Promoter,
}

impl NpsGroup {
    pub const ALL: [Self; 3] = [Self::Detractor, Self::Passive, Self::Promoter];

    pub fn of(score: u8) -> Self {
        match score {
            0..=6 => Self::Detractor,
            7 | 8 => Self::Passive,
            9.. => Self::Promoter,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detractor => "detractor",
            Self::Passive => "passive",
            Self::Promoter => "promoter",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }

    pub fn scores(self) -> RangeInclusive<u8> {
        match self {
            Self::Detractor => 0..=6,
            Self::Passive => 7..=8,
            Self::Promoter => 9..=10,
        }
    }
}

/// What is asked of a customer's latest answer; who has never answered meets none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpsTest {
    /// The least and the greatest score that meet it.
    pub least: u8,
    pub most: u8,
}

impl NpsTest {
    pub const LOWEST: u8 = 0;
    pub const HIGHEST: u8 = 10;
    /// Whoever has answered at all.
    pub const ANSWERED: Self = Self {
        least: Self::LOWEST,
        most: Self::HIGHEST,
    };

    /// The group that is exactly this, if one is.
    pub fn group(self) -> Option<NpsGroup> {
        NpsGroup::ALL
            .into_iter()
            .find(|group| group.scores() == (self.least..=self.most))
    }
}

impl From<NpsGroup> for NpsTest {
    fn from(group: NpsGroup) -> Self {
        let scores = group.scores();
        Self {
            least: *scores.start(),
            most: *scores.end(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_is_in_the_group_whose_scores_hold_it() {
        for score in NpsTest::LOWEST..=NpsTest::HIGHEST {
            let holding = NpsGroup::ALL
                .into_iter()
                .filter(|group| group.scores().contains(&score));
            assert_eq!(
                holding.collect::<Vec<_>>(),
                [NpsGroup::of(score)],
                "{score}"
            );
        }
        for group in NpsGroup::ALL {
            assert_eq!(NpsTest::from(group).group(), Some(group));
            assert_eq!(NpsGroup::parse(group.as_str()), Some(group));
        }
    }
}
