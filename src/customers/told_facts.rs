//! Owns what a customer told of themselves without words, as facts: the last answer, and with what they were seen.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::environment::LastEnvironment;
use crate::domain::nps::{LastNps, NpsGroup};

/// The last answer to "how likely is it that you would recommend us?".
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NpsFacts {
    /// 0 to 10.
    #[schema(example = 9)]
    pub score: u8,
    pub group: NpsGroup,
    pub at: Timestamp,
    pub comment: Option<String>,
    pub question: Option<String>,
}

/// With what the customer was last seen.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EnvironmentFacts {
    pub at: Timestamp,
    #[schema(example = "192.0.2.1")]
    pub ip: Option<String>,
    #[schema(example = "Firefox")]
    pub browser: Option<String>,
    #[schema(example = "Windows")]
    pub os: Option<String>,
    #[schema(example = "mobile")]
    pub device: Option<String>,
}

impl NpsFacts {
    pub fn of(last: &LastNps) -> Self {
        let answer = last.answer.clone();
        Self {
            score: answer.score,
            group: NpsGroup::of(answer.score),
            at: last.at,
            comment: answer.comment,
            question: answer.question,
        }
    }
}

impl EnvironmentFacts {
    pub fn of(last: &LastEnvironment) -> Self {
        let seen = last.environment.clone();
        Self {
            at: last.at,
            ip: seen.ip,
            browser: seen.browser,
            os: seen.os,
            device: seen.device,
        }
    }
}
