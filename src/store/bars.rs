//! Owns reading and setting everything that bars us from writing to customers, many at once.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::bind::{Bind, Cell};
use super::changes;
use super::dialect::{ids, listed};
use super::dirty;
use super::dismissals;
use super::endings;
use super::error::Result;
use super::interactions;
use super::listing::{json as text_of, listed};
use super::rows;
use super::sql::query;
use super::subscriptions::{self, Record};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::bars::Bars;
use crate::domain::channel::Channel;
use crate::domain::customer::{Consents, Status, Switches};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::subscription::{Consent, Dismissal, Subscription, SubscriptionState};
use crate::domain::touched::Touched;

/// Kept until the transaction ends, always in the same order.
const READ: &str = concat!(
    listed!(
        "c.customer_id, c.external_id, c.identified, c.status, c.status_reason, \
         @array(c.outbound_on, c.email_on, c.sms_on, c.push_on), \
         @array(c.email_consent, c.sms_consent, c.push_consent), c.f_email, c.f_phone"
    ),
    "(SELECT o.customer_id, o.external_id, o.identified, o.status, o.status_reason, o.outbound_on, \
     o.email_on, o.sms_on, o.push_on, o.email_consent, o.sms_consent, o.push_consent, o.f_email, \
     o.f_phone FROM ",
    ids!(),
    " AS k CROSS JOIN customers AS o WHERE o.bucket = k.bucket AND o.customer_id = k.id \
     ORDER BY o.bucket, o.customer_id@alone) AS c"
);

pub(super) const RECORDS: [(&str, &str); 12] = [
    ("bucket", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("record", "BIGINT"),
    ("campaign", "TEXT"),
    ("category", "TEXT"),
    ("campaign_group", "TEXT"),
    ("channel", "BIGINT"),
    ("state", "BIGINT"),
    ("at", "BIGINT"),
    ("actor", "TEXT"),
    ("source", "TEXT"),
    ("note", "TEXT"),
];
const DISMISSALS: [(&str, &str); 7] = [
    ("bucket", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("campaign", "TEXT"),
    ("at", "BIGINT"),
    ("actor", "TEXT"),
    ("source", "TEXT"),
    ("note", "TEXT"),
];
/// The columns of `customers` that hold bars; the last one counts up.
const SET: [(&str, &str); 11] = [
    ("status", "BIGINT"),
    ("status_reason", "TEXT"),
    ("outbound_on", "BIGINT"),
    ("email_on", "BIGINT"),
    ("sms_on", "BIGINT"),
    ("push_on", "BIGINT"),
    ("email_consent", "BIGINT"),
    ("sms_consent", "BIGINT"),
    ("push_consent", "BIGINT"),
    ("updated_at", "BIGINT"),
    ("consent_rev", "BIGINT"),
];

pub(super) const STATEMENTS: &[&str] = &[READ];

/// One customer as far as bars and identifiers go.
#[derive(Debug, Clone)]
pub(super) struct Barred {
    pub(super) id: CustomerId,
    pub(super) external_id: String,
    pub(super) is_identified: bool,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) bars: Bars,
    /// Also those taken back.
    records: Vec<Record>,
}

/// What is listed of one.
type Line = (
    i64,
    String,
    i64,
    i64,
    Option<String>,
    [i64; 4],
    [i64; 3],
    Option<String>,
    Option<String>,
);

/// Those of the customers who are there, in the order of their numbers.
pub(super) async fn of(tx: &mut Tx, customers: &[CustomerId]) -> Result<Vec<Barred>> {
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let lines: Vec<Line> = listed(query(READ).bind(text_of(&ids)), &mut *tx).await?;
    let mut records = subscriptions::records_of(tx, customers).await?;
    let mut dismissed = dismissals::of(customers, &mut *tx).await?;
    let lines = lines.into_iter();
    let mut all: Vec<Barred> = lines
        .map(|line| barred(line, &mut records, &mut dismissed))
        .collect();
    all.sort_by_key(|one| one.id);
    Ok(all)
}

fn barred(
    line: Line,
    records: &mut HashMap<CustomerId, Vec<Record>>,
    dismissed: &mut HashMap<CustomerId, Vec<Dismissal>>,
) -> Barred {
    let (id, external_id, identified, status, reason, switches, consents, email, phone) = line;
    let id = CustomerId(id);
    let records = records.remove(&id).unwrap_or_default();
    let [outbound, by_email, by_sms, by_push] = switches.map(|on| on != 0);
    let [email_consent, sms_consent, push_consent] = consents.map(Consent::from_number);
    let standing = records.iter().map(|(_, record)| record);
    let standing = standing.filter(|record| record.state == SubscriptionState::Unsubscribed);
    let bars = Bars {
        status: Status::from_number(status),
        reason,
        switches: Switches {
            outbound,
            email: by_email,
            sms: by_sms,
            push: by_push,
        },
        consents: Consents {
            email: email_consent,
            sms: sms_consent,
            push: push_consent,
        },
        given_up: standing.cloned().collect(),
        dismissed: dismissed.remove(&id).unwrap_or_default(),
    };
    Barred {
        id,
        external_id,
        is_identified: identified != 0,
        email,
        phone,
        bars,
        records,
    }
}

/// Bars customers by more than before: each with all that is to stand against them. A line in the history
/// says so, and who may not be written to any more leaves their flows.
pub(super) async fn raise(
    tx: &mut Tx,
    customers: &[(Barred, Bars)],
    by: &By,
    at: Timestamp,
) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let set = SET.iter().zip(3..).map(|((column, kind), place)| {
        let set = match *column {
            "consent_rev" => format!("consent_rev = customers.consent_rev + j.column{place}"),
            column => format!("{column} = j.column{place}"),
        };
        (set, *kind)
    });
    let set: Vec<rows::Typed> = set.collect();
    let cells = customers.iter().map(|(one, bars)| cells(one.id, bars, at));
    rows::update_customers(tx, &set, cells.collect()).await?;
    add_records(tx, customers).await?;
    add_dismissals(tx, customers).await?;
    for status in [Status::Suspended, Status::Discarded] {
        let now_so = customers.iter().filter(|(_, bars)| bars.status == status);
        let now_so: Vec<CustomerId> = now_so.map(|(one, _)| one.id).collect();
        endings::end_for(tx, &now_so, status, at).await?;
    }
    let lines: Vec<Interaction> = customers
        .iter()
        .map(|(one, bars)| line(one, bars, by, at))
        .collect();
    interactions::insert(tx, &lines).await?;
    let touched = Touched::by_line(Kind::StatusChanged)
        | Touched::by_line(Kind::Unsubscribed)
        | Touched::by_line(Kind::ConsentChanged)
        | Touched::by_line(Kind::Dismissal);
    let ids: Vec<CustomerId> = customers.iter().map(|(one, _)| one.id).collect();
    dirty::mark(tx, touched, &ids).await
}

fn cells(id: CustomerId, bars: &Bars, at: Timestamp) -> Vec<Cell> {
    let whole = |number: i64| Some(Bind::Int(number));
    let mut cells = vec![
        whole(i64::from(id.bucket().0)),
        whole(id.0),
        whole(bars.status.number()),
        bars.reason.clone().map(Bind::Text),
        whole(i64::from(bars.switches.outbound)),
    ];
    let on = Channel::ALL.map(|channel| whole(i64::from(bars.switches.channel(channel))));
    let consents = Channel::ALL.map(|channel| whole(bars.consents.channel(channel).number()));
    cells.extend(on.into_iter().chain(consents));
    cells.extend([whole(at.as_microsecond()), whole(1)]);
    cells
}

/// A scope that was given up, taken back and is to stand again is one record still.
async fn add_records(tx: &mut Tx, customers: &[(Barred, Bars)]) -> Result<()> {
    let mut rows = Vec::new();
    for (one, bars) in customers {
        let mut next = one.records.last().map_or(1, |(last, _)| last + 1);
        for record in &bars.given_up {
            let mut known = one.records.iter();
            match known.find(|(_, known)| known.scope == record.scope) {
                Some((_, known)) if known.state == SubscriptionState::Unsubscribed => {}
                Some((number, _)) => {
                    let state = SubscriptionState::Unsubscribed;
                    subscriptions::turn(tx, one.id, *number, state, &record.by, record.at).await?;
                }
                None => {
                    rows.push(record_cells(one.id, next, record));
                    next += 1;
                }
            }
        }
    }
    rows::insert(tx, "subscriptions", &RECORDS, rows).await
}

pub(super) fn record_cells(id: CustomerId, number: i64, record: &Subscription) -> Vec<Cell> {
    let text = |text: &Option<String>| text.clone().map(Bind::Text);
    let channel = record.scope.channel.map(Channel::number);
    vec![
        Some(Bind::Int(i64::from(id.bucket().0))),
        Some(Bind::Int(id.0)),
        Some(Bind::Int(number)),
        text(&record.scope.campaign),
        text(&record.scope.category),
        text(&record.scope.group),
        channel.map(Bind::Int),
        Some(Bind::Int(record.state.number())),
        Some(Bind::Int(record.at.as_microsecond())),
        Some(Bind::Text(record.by.actor.as_str().to_owned())),
        Some(Bind::Text(record.by.source.as_str().to_owned())),
        text(&record.by.note),
    ]
}

async fn add_dismissals(tx: &mut Tx, customers: &[(Barred, Bars)]) -> Result<()> {
    let mut rows = Vec::new();
    for (one, bars) in customers {
        let known = |campaign: &str| {
            let mut known = one.bars.dismissed.iter();
            known.any(|dismissal| dismissal.campaign == campaign)
        };
        for dismissal in bars.dismissed.iter().filter(|d| !known(&d.campaign)) {
            rows.push(vec![
                Some(Bind::Int(i64::from(one.id.bucket().0))),
                Some(Bind::Int(one.id.0)),
                Some(Bind::Text(dismissal.campaign.clone())),
                Some(Bind::Int(dismissal.at.as_microsecond())),
                Some(Bind::Text(dismissal.by.actor.as_str().to_owned())),
                Some(Bind::Text(dismissal.by.source.as_str().to_owned())),
                dismissal.by.note.clone().map(Bind::Text),
            ]);
        }
    }
    rows::insert(tx, "dismissals", &DISMISSALS, rows).await
}

fn line(one: &Barred, bars: &Bars, by: &By, at: Timestamp) -> Interaction {
    let mut line = changes::line(one.id, at, Kind::StatusChanged, by);
    if let Some(detail) = &mut line.detail {
        detail["was"] = json!(one.bars.status);
        detail["is"] = json!(bars.status);
        detail["reason"] = json!(bars.reason);
    }
    line
}
