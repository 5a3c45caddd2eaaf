//! Owns the writing of many customers at once: created, changed or left alone, by set statements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};

use super::bind::{Bind, Cell};
use super::changes;
use super::customer_columns::selected;
use super::customer_lists::{self, List};
use super::customer_sheet::{Given, NewCustomer, Row, Sheet};
use super::db::{Store, Tx};
use super::dialect::{ids, rows};
use super::dirty;
use super::error::Result;
use super::interactions;
use super::names;
use super::rows;
use super::sequences;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::field::DataModel;
use crate::domain::ids::{Bucket, CustomerId};
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::revision::NameKind;
use crate::domain::subscription::Consent;

const TAG: &str = concat!(
    "INSERT INTO customer_tags (bucket, customer_id, tag) SELECT k.bucket, k.id, $2 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id, tag) DO NOTHING RETURNING customer_id"
);
const KNOWN_FROM: &str = concat!(
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.bucket AND c.external_id = j.external_id"
);

pub(super) const STATEMENTS: &[&str] = &[TAG];

/// What goes for every row of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Upsert<'a> {
    pub model: &'a DataModel,
    /// Put on every customer of the batch.
    pub tags: &'a [String],
    /// Given by every customer of the batch. Who has refused stays so: a batch speaks for many, and
    /// only a change for that one customer takes a refusal back.
    pub consents: &'a [(Channel, Consent)],
    pub by: &'a By,
    pub at: Timestamp,
}

/// How many customers of a batch were made, changed, and already so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upserted {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
}

impl Store {
    /// Creates or changes the customers in one transaction; equal rows are not written.
    ///
    /// Ten thousand rows in a call is a good size: it is also how long the writer is held.
    pub async fn upsert_customers(
        &self,
        customers: &[NewCustomer],
        how: &Upsert<'_>,
    ) -> Result<Upserted> {
        if customers.is_empty() {
            return Ok(Upserted::default());
        }
        let sheet = Sheet::of(customers, how.model)?;
        let mut tx = self.write().await?;
        let upserted = apply(&mut tx, sheet, how).await?;
        tx.commit().await?;
        Ok(upserted)
    }

    /// What `upsert_customers` would do with the same customers; nothing stays written.
    pub async fn compare_customers(
        &self,
        customers: &[NewCustomer],
        how: &Upsert<'_>,
    ) -> Result<Upserted> {
        if customers.is_empty() {
            return Ok(Upserted::default());
        }
        let sheet = Sheet::of(customers, how.model)?;
        let mut tx = self.write().await?;
        let upserted = apply(&mut tx, sheet, how).await?;
        tx.rollback().await?;
        Ok(upserted)
    }
}

/// A customer that is already there.
struct Known {
    id: CustomerId,
    consents: BTreeMap<Channel, Consent>,
    cells: Vec<Cell>,
}

/// One row compared with what is known.
struct Compared {
    id: CustomerId,
    row: Row,
    cells: Vec<Cell>,
    /// What they were and are to be, one for each wanted channel.
    consents: Vec<ConsentChange>,
    fate: Fate,
}

#[derive(Clone, Copy)]
struct ConsentChange {
    channel: Channel,
    was: Consent,
    is: Consent,
}

impl ConsentChange {
    fn differs(self) -> bool {
        self.was != self.is
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Created,
    Updated,
    Unchanged,
}

/// Writes a sheet within a transaction.
pub(super) async fn apply(tx: &mut Tx, mut sheet: Sheet, how: &Upsert<'_>) -> Result<Upserted> {
    let wanted: BTreeMap<Channel, Consent> = how.consents.iter().copied().collect();
    let known = known(tx, &sheet).await?;
    let rows = std::mem::take(&mut sheet.rows);
    let new = rows
        .iter()
        .filter(|row| !known.contains_key(&row.external_id));
    let first = sequences::take(tx, "customer", new.count()).await?;
    let compared = compare(rows, known, &wanted, first);
    let mut touched = further(tx, &sheet, &compared, how).await?;
    let all = compared.len();
    let mut created = 0;
    let mut lines = Vec::new();
    for row in &compared {
        let changes = row.consents.iter().filter(|change| change.differs());
        lines.extend(changes.map(|change| line(row.id, *change, how)));
        created += usize::from(row.fate == Fate::Created);
        if row.fate != Fate::Unchanged {
            touched.insert(row.id);
        }
    }
    write(tx, &sheet, compared, &wanted, how.at).await?;
    interactions::insert(tx, &lines).await?;
    let changed: Vec<CustomerId> = touched.into_iter().collect();
    dirty::mark(tx, &changed).await?;
    Ok(Upserted {
        created: created as u64,
        updated: (changed.len() - created) as u64,
        unchanged: (all - changed.len()) as u64,
    })
}

async fn known(tx: &mut Tx, sheet: &Sheet) -> Result<HashMap<String, Known>> {
    let keys: Vec<(u16, &str)> = sheet
        .rows
        .iter()
        .map(|row| (row.bucket.0, row.external_id.as_str()))
        .collect();
    let fields = selected(&sheet.columns);
    let sql = format!(
        "SELECT c.customer_id, c.external_id, c.email_consent, c.sms_consent, \
         c.push_consent{fields} FROM {KNOWN_FROM}"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(json!(keys).to_string())
        .fetch_all(&mut **tx)
        .await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in &rows {
        let consent = |place: usize| row.try_get(place).map(Consent::from_number);
        let cells = sheet.columns.iter().zip(5..);
        let customer = Known {
            id: CustomerId(row.try_get(0)?),
            consents: BTreeMap::from([
                (Channel::Email, consent(2)?),
                (Channel::Sms, consent(3)?),
                (Channel::Push, consent(4)?),
            ]),
            cells: cells
                .map(|(c, place)| c.class.read(row, place))
                .collect::<Result<_>>()?,
        };
        known.insert(row.try_get(1)?, customer);
    }
    Ok(known)
}

fn compare(
    rows: Vec<Row>,
    mut known: HashMap<String, Known>,
    wanted: &BTreeMap<Channel, Consent>,
    first: i64,
) -> Vec<Compared> {
    let mut numbers = first..;
    rows.into_iter()
        .map(|row| match known.remove(&row.external_id) {
            Some(customer) => against(row, &customer, wanted),
            None => fresh(row, numbers.next().unwrap_or(first), wanted),
        })
        .collect()
}

fn against(mut row: Row, known: &Known, wanted: &BTreeMap<Channel, Consent>) -> Compared {
    let given = row.cells.drain(..).zip(&known.cells);
    let cells: Vec<Cell> = given
        .map(|(given, cell)| match given {
            Given::Nothing => cell.clone(),
            Given::Value(value) => value,
        })
        .collect();
    let was = |channel| known.consents.get(&channel).copied().unwrap_or_default();
    let consents = consents(wanted, was);
    let same = cells == known.cells && !consents.iter().any(|change| change.differs());
    let fate = if same { Fate::Unchanged } else { Fate::Updated };
    Compared {
        id: known.id,
        row,
        cells,
        consents,
        fate,
    }
}

fn fresh(mut row: Row, number: i64, wanted: &BTreeMap<Channel, Consent>) -> Compared {
    let cells = row
        .cells
        .drain(..)
        .map(|given| match given {
            Given::Nothing => None,
            Given::Value(value) => value,
        })
        .collect();
    Compared {
        id: CustomerId::new(row.bucket, number),
        row,
        cells,
        consents: consents(wanted, |_| Consent::default()),
        fate: Fate::Created,
    }
}

fn consents(
    wanted: &BTreeMap<Channel, Consent>,
    was: impl Fn(Channel) -> Consent,
) -> Vec<ConsentChange> {
    let change = |(channel, wanted): (&Channel, &Consent)| {
        let (channel, was) = (*channel, was(*channel));
        let is = match was {
            Consent::Unsubscribed => was,
            Consent::OptedIn | Consent::Subscribed => *wanted,
        };
        ConsentChange { channel, was, is }
    };
    wanted.iter().map(change).collect()
}

/// Writes lists and tags; returns whom that changed.
async fn further(
    tx: &mut Tx,
    sheet: &Sheet,
    compared: &[Compared],
    how: &Upsert<'_>,
) -> Result<BTreeSet<CustomerId>> {
    let tags = how.tags.iter().map(|tag| (NameKind::Tag, tag.clone()));
    let fields = sheet
        .lists
        .iter()
        .map(|(field, _)| (NameKind::Field, field.clone()));
    let wanted: Vec<(NameKind, String)> = tags.chain(fields).collect();
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let numbers = names::ensure(tx, &wanted).await?;
    let number = |kind, name: &str| numbers.number(kind, name).map_or(0, i64::from);
    let fields: Vec<i64> = sheet
        .lists
        .iter()
        .map(|(field, _)| number(NameKind::Field, field))
        .collect();
    let lists = lists(sheet, compared, &fields);
    let changed: HashSet<CustomerId> = customer_lists::replace(tx, lists).await?;
    let mut changed: BTreeSet<CustomerId> = changed.into_iter().collect();
    let everyone: Vec<i64> = compared.iter().map(|row| row.id.0).collect();
    let everyone = json!(everyone).to_string();
    for tag in how.tags {
        let tagged: Vec<i64> = sqlx::query_scalar(TAG)
            .bind(&everyone)
            .bind(number(NameKind::Tag, tag))
            .fetch_all(&mut **tx)
            .await?;
        changed.extend(tagged.into_iter().map(CustomerId));
    }
    Ok(changed)
}

fn lists(sheet: &Sheet, compared: &[Compared], fields: &[i64]) -> Vec<List> {
    let of_row = |row: &Compared| {
        let given = row.row.lists.iter().zip(fields).zip(&sheet.lists);
        let id = row.id;
        given
            .filter_map(move |((values, field), (_, class))| {
                values.as_ref().map(|values| List {
                    customer: id,
                    field: *field,
                    class: *class,
                    values: values.clone(),
                })
            })
            .collect::<Vec<List>>()
    };
    compared.iter().flat_map(of_row).collect()
}

fn line(id: CustomerId, change: ConsentChange, how: &Upsert<'_>) -> Interaction {
    let ConsentChange { channel, was, is } = change;
    let line = changes::line(id, how.at, Kind::ConsentChanged, how.by);
    let line = changes::saying(line, "was", was.as_str());
    Interaction {
        channel: Some(channel),
        ..changes::saying(line, "is", is.as_str())
    }
}

/// The column of a channel's consent.
pub(super) fn consent_column(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email_consent",
        Channel::Sms => "sms_consent",
        Channel::Push => "push_consent",
    }
}

async fn write(
    tx: &mut Tx,
    sheet: &Sheet,
    compared: Vec<Compared>,
    wanted: &BTreeMap<Channel, Consent>,
    at: Timestamp,
) -> Result<()> {
    let at = at.as_microsecond();
    let consents: Vec<&str> = wanted.keys().copied().map(consent_column).collect();
    let (mut created, mut updated) = (Vec::new(), Vec::new());
    for row in compared {
        let key = |n: i64| Some(Bind::Int(n));
        let head = [key(bucket(row.id)), key(row.id.0)];
        let changes = &row.consents;
        let moved = key(i64::from(changes.iter().any(|change| change.differs())));
        let consents = changes.iter().map(|change| key(change.is.number()));
        let common = std::iter::once(key(at)).chain([moved]).chain(consents);
        let fields = sheet.spread(row.cells);
        match row.fate {
            Fate::Unchanged => {}
            Fate::Updated => updated.push(head.into_iter().chain(common).chain(fields).collect()),
            Fate::Created => {
                let own = [Some(Bind::Text(row.row.external_id)), key(at)];
                let head = head.into_iter().chain(own);
                created.push(head.chain(common).chain(fields).collect());
            }
        }
    }
    let common = ["updated_at", "consent_rev"].into_iter().chain(consents);
    let set: Vec<&str> = common.chain(sheet.spread_names()).collect();
    let own = ["bucket", "customer_id", "external_id", "created_at"];
    let columns: Vec<&str> = own.into_iter().chain(set.iter().copied()).collect();
    rows::insert(tx, "customers", &columns, created).await?;
    let settings: Vec<String> = set.iter().zip(3..).map(|(c, n)| setting(c, n)).collect();
    rows::update_customers(tx, &settings, set.len() + 2, updated).await
}

fn bucket(id: CustomerId) -> i64 {
    let Bucket(bucket) = id.bucket();
    i64::from(bucket)
}

fn setting(column: &str, place: usize) -> String {
    if column == "consent_rev" {
        return format!("consent_rev = customers.consent_rev + j.column{place}");
    }
    format!("{column} = j.column{place}")
}
