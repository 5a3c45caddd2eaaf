//! Owns what a gateway told of a message after it took it, in words.

use serde_json::Value;

use super::question::Question;
use crate::domain::ids::DispatchId;
use crate::domain::interaction::Kind;
use crate::store::{HistoryFilter, HistoryLine, Result, RunMessage};

const KINDS: [Kind; 5] = [
    Kind::Delivered,
    Kind::Bounced,
    Kind::Complained,
    Kind::GivenUp,
    Kind::Confirmed,
];
/// More lines than any message has.
const MOST: usize = 1_000;

/// One sentence a fate, oldest first.
pub(super) async fn of(question: &Question<'_>, message: &RunMessage) -> Result<Vec<String>> {
    let store = question.store;
    let tag = store.instance_tag().await?;
    let id = DispatchId::new(tag, message.enrollment, message.step).to_string();
    let filter = HistoryFilter {
        from: Some(message.first_at),
        kinds: KINDS.map(|kind| kind.as_str().to_owned()).into(),
        ..HistoryFilter::default()
    };
    let lines = store.history(question.customer.id, &filter, MOST).await?;
    let lines = lines.iter().rev();
    let about = lines.filter(|line| text(line, "dispatch") == Some(id.as_str()));
    Ok(about.map(|line| sentence(question, line)).collect())
}

fn text<'a>(line: &'a HistoryLine, key: &str) -> Option<&'a str> {
    line.detail.as_ref()?.get(key).and_then(Value::as_str)
}

fn sentence(question: &Question<'_>, line: &HistoryLine) -> String {
    let at = question.told(line.at);
    let how = text(line, "bounce").or_else(|| text(line, "reason"));
    let how = how.map(|how| format!(" ({how})")).unwrap_or_default();
    let said = text(line, "detail").map(|said| format!(": {said}"));
    format!("{}{how} {at}{}", line.kind, said.unwrap_or_default())
}
