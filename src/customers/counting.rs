//! Owns counting a condition while somebody builds it: everybody, and who is left after each part.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::domain::segment::Condition;
use crate::domain::segment_words::words;
use crate::store::{Frame, Store};

/// A condition in numbers and words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConditionCount {
    /// The whole condition in words.
    #[schema(example = "is tagged “vip” and City is “Lyon”")]
    pub words: String,
    /// How many customers there are.
    #[schema(example = 8695)]
    pub everybody: u64,
    /// How many meet all of it.
    #[schema(example = 92)]
    pub count: u64,
    pub steps: Vec<StepCount>,
}

/// One part of the condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StepCount {
    #[schema(example = "is tagged “vip”")]
    pub words: String,
    /// How many meet it and all before it.
    #[schema(example = 390)]
    pub count: u64,
}

/// Counts the parts of `all` in turn; another condition is one part. All counts are of one moment.
pub async fn in_turn(
    store: &Store,
    condition: Condition,
    frame: &Frame<'_>,
) -> Result<ConditionCount, Error> {
    let model = &frame.revision.data_model;
    let whole = words(&condition, model);
    let parts = match condition {
        Condition::All(parts) => parts,
        other => vec![other],
    };
    let counts = store.segment_counts(&parts, frame).await?;
    let mut counts = counts.into_iter();
    let everybody = counts.next().unwrap_or_default();
    let step = |(part, count): (&Condition, u64)| StepCount {
        words: words(part, model),
        count,
    };
    let steps: Vec<StepCount> = parts.iter().zip(counts).map(step).collect();
    Ok(ConditionCount {
        words: whole,
        everybody,
        count: steps.last().map_or(everybody, |step| step.count),
        steps,
    })
}
