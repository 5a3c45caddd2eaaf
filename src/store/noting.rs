//! Owns writing down what places of others are to be told, in the transaction of what it tells of.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::dialect::rows;
use super::error::Result;
use super::instants::micros;
use super::listing::json as text_of;
use super::sql::query;
use super::still::still;
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::dispatch::Reason;
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo};
use crate::domain::interaction::Interaction;
use crate::domain::webhook::{Event, Fate, Line};

/// Whose customer is known. Of somebody who was deleted meanwhile nothing is told.
const NOTE: &str = concat!(
    "INSERT INTO notices (bucket, customer_id, fact, webhook, event, at, due, tries, body) \
     SELECT c.bucket, c.customer_id, j.fact, j.webhook, j.event, j.at, 0, 0, j.body FROM ",
    rows!(id BIGINT 0, fact TEXT 1, webhook BIGINT 2, event BIGINT 3, at BIGINT 4, body TEXT 5),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     ON CONFLICT (bucket, customer_id, fact, webhook) DO NOTHING"
);

/// Of messages: whose customer is that of the enrollment.
macro_rules! of_messages {
    ($($more:tt)*) => {
        concat!(
            "INSERT INTO notices (bucket, customer_id, fact, webhook, event, at, due, tries, body, \
             enrollment_id, step) SELECT enrollments.bucket, enrollments.customer_id, j.fact, \
             j.webhook, j.event, j.at, 0, 0, j.body, j.id, j.step FROM ",
            rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, fact TEXT 3, webhook BIGINT 4,
                  event BIGINT 5, at BIGINT 6, body TEXT 7),
            " AS j CROSS JOIN enrollments WHERE ",
            $($more)*,
            " ON CONFLICT (bucket, customer_id, fact, webhook) DO NOTHING"
        )
    };
}

const NOTE_MESSAGES: &str =
    of_messages!("enrollments.bucket = j.id >> 48 AND enrollments.enrollment_id = j.id");
const NOTE_STILL: &str = of_messages!(still!());
const NOTE_OF_NOBODY: &str = concat!(
    "INSERT INTO notices (bucket, customer_id, fact, webhook, event, at, due, tries, body) \
     SELECT j.id >> 48, j.id, j.fact, j.webhook, j.event, j.at, 0, 0, j.body FROM ",
    rows!(id BIGINT 0, fact TEXT 1, webhook BIGINT 2, event BIGINT 3, at BIGINT 4, body TEXT 5),
    " AS j WHERE true ON CONFLICT (bucket, customer_id, fact, webhook) DO NOTHING"
);
/// A merged customer's become those of whom they are now.
const CARRY: &str = concat!(
    "INSERT INTO notices (bucket, customer_id, fact, webhook, event, at, due, tries, body, \
     enrollment_id, step) SELECT j.bucket, j.id, j.fact, j.webhook, j.event, j.at, j.due, j.tries, \
     j.body, j.enrollment_id, j.step FROM ",
    rows!(id BIGINT 0, bucket BIGINT 1, fact TEXT 2, webhook BIGINT 3, event BIGINT 4, at BIGINT 5,
          due BIGINT 6, tries BIGINT 7, body TEXT 8, enrollment_id BIGINT 9, step BIGINT 10),
    " AS j WHERE true ON CONFLICT (bucket, customer_id, fact, webhook) DO NOTHING"
);
const OF: &str = "SELECT fact, webhook, event, at, due, tries, body, enrollment_id, step \
     FROM notices WHERE bucket = $1 AND customer_id = $2";

pub(super) const STATEMENTS: &[&str] =
    &[NOTE, NOTE_MESSAGES, NOTE_STILL, NOTE_OF_NOBODY, CARRY, OF];

/// Tells of lines of histories, each with its number.
pub(super) async fn of_lines<'l>(
    tx: &mut Tx,
    lines: impl Iterator<Item = (&'l Interaction, i64)>,
) -> Result<()> {
    let wants = tx.wants();
    if wants.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::new();
    for (line, seq) in lines {
        let Some(event) = Line::of(line.kind).map(Event::Interaction) else {
            continue;
        };
        for webhook in wants.by(event) {
            let fact = format!("interaction_{:x}_{seq}", line.customer.0);
            let (id, at) = (line.customer.0, micros(line.at));
            let body = json!(described(line)).to_string();
            rows.push((id, fact, *webhook, event.number(), at, body));
        }
    }
    write(tx, NOTE, &rows).await
}

fn described(line: &Interaction) -> Map<String, Value> {
    let mut body = Map::new();
    let channel = line.channel.map(|channel| json!(channel.as_str()));
    let texts = [
        ("campaign", &line.campaign),
        ("flow", &line.flow),
        ("step", &line.step),
        ("actor", &line.actor),
    ];
    let texts = texts.map(|(key, text)| (key, text.as_ref().map(|text| json!(text))));
    let all = [("channel", channel)].into_iter().chain(texts);
    for (key, value) in all.chain([("detail", line.detail.clone())]) {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    }
    body
}

/// What became of a message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) enrollment: EnrollmentId,
    pub(super) step: NameNo,
    /// When its enrollment was seen to be due; of those that must still be so.
    pub(super) due: Timestamp,
    pub(super) fate: Fate,
    pub(super) body: Map<String, Value>,
}

type MessageRow = (i64, i32, i64, String, i32, i64, i64, String);

/// Tells of messages.
pub(super) async fn of_messages(tx: &mut Tx, messages: &[Message], at: Timestamp) -> Result<()> {
    let rows = message_rows(tx, messages, at);
    write(tx, NOTE_MESSAGES, &rows).await
}

/// Tells of those whose enrollments are still as they were seen.
pub(super) async fn of_messages_still(
    tx: &mut Tx,
    messages: &[Message],
    at: Timestamp,
) -> Result<()> {
    let rows = message_rows(tx, messages, at);
    write(tx, NOTE_STILL, &rows).await
}

/// Whether anybody is told of messages that are withheld, or of anything else of this fate.
pub(super) fn is_told(tx: &Tx, fate: Fate) -> bool {
    !tx.wants().by(Event::Dispatch(fate)).is_empty()
}

fn message_rows(tx: &Tx, messages: &[Message], at: Timestamp) -> Vec<MessageRow> {
    let wants = tx.wants();
    let mut rows = Vec::new();
    for message in messages {
        let event = Event::Dispatch(message.fate);
        for webhook in wants.by(event) {
            let (id, step) = (message.enrollment.0, message.step.0);
            rows.push((
                id,
                step,
                micros(message.due),
                format!("dispatch_{id:x}_{step}_{}", message.fate.as_str()),
                *webhook,
                event.number(),
                micros(at),
                json!(message.body).to_string(),
            ));
        }
    }
    rows
}

/// Of a message: its channel, and why it was not sent.
pub(super) fn said(channel: Channel, reason: Option<Reason>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("channel".to_owned(), json!(channel.as_str()));
    if let Some(reason) = reason {
        body.insert("reason".to_owned(), json!(reason.as_str()));
    }
    body
}

/// Tells that a channel was paused or resumed.
pub(super) async fn of_channel(
    tx: &mut Tx,
    channel: Channel,
    event: Event,
    at: Timestamp,
    body: &Value,
) -> Result<()> {
    let wants = tx.wants();
    let what = event.name().replace('.', "_");
    let fact = format!("{what}_{}_{:x}", channel.as_str(), micros(at));
    let rows = wants.by(event).iter().map(|webhook| {
        let number = event.number();
        (0_i64, &fact, *webhook, number, micros(at), body.to_string())
    });
    let rows: Vec<_> = rows.collect();
    write(tx, NOTE_OF_NOBODY, &rows).await
}

async fn write<R: serde::Serialize>(
    tx: &mut Tx,
    statement: &'static str,
    rows: &[R],
) -> Result<()> {
    if !rows.is_empty() {
        query(statement).bind(text_of(rows)).execute(tx).await?;
    }
    Ok(())
}

/// Makes what is to be told of one customer something about another.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let asked = query(OF).bind(i64::from(from.bucket().0)).bind(from.0);
    let rows = asked.fetch_all(&mut *tx).await?;
    let mut carried = Vec::new();
    for row in &rows {
        let whole = |place: usize| row.try_get::<Option<i64>>(place);
        carried.push(json!([
            into.0,
            into.bucket().0,
            row.text(0)?,
            whole(1)?,
            whole(2)?,
            whole(3)?,
            whole(4)?,
            whole(5)?,
            row.text(6)?,
            whole(7)?,
            whole(8)?,
        ]));
    }
    write(tx, CARRY, &carried).await
}
