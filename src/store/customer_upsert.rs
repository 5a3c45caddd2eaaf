//! Owns the writing of many customers at once: created, changed or left alone, by set statements.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

use super::bind::Cell;
use super::customer_consents::{consent_column, first_consents, line, shared};
use super::customer_extras::Extras;
use super::customer_insert::{Insertion, Prepared};
use super::customer_known::{self, ConsentChange, Known};
use super::customer_sheet::{NewCustomer, Sheet};
use super::db::Store;
use super::dialect::Dialect;
use super::dirty;
use super::error::Result;
use super::import_before::{self, Brought};
use super::interactions;
use super::returning::{self, Suspect};
use super::rows;
use super::sequences;
use super::tagging;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::subscription::Consent;
use crate::domain::touched::Touched;

/// Rows whose new customers are marked by one statement.
const MARKED_TOGETHER: usize = 8_192;

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
    pub async fn upsert_customers(
        &self,
        customers: &[NewCustomer],
        how: &Upsert<'_>,
    ) -> Result<Upserted> {
        let sheet = Sheet::of(customers, how.model)?;
        self.upsert_sheet(&sheet, sheet.rows(), how).await
    }

    /// The same for some rows of a sheet; for so long the writer is held.
    pub async fn upsert_sheet(
        &self,
        sheet: &Sheet,
        rows: Range<usize>,
        how: &Upsert<'_>,
    ) -> Result<Upserted> {
        if rows.is_empty() {
            return Ok(Upserted::default());
        }
        let known = returning::ahead(self, sheet, rows.clone()).await?;
        let mut tx = self.write_rows(sheet, rows.clone(), how, &known).await?;
        let (upserted, _) = apply(&mut tx, sheet, rows, how, known).await?;
        tx.commit().await?;
        Ok(upserted)
    }

    /// What `upsert_sheet` would do with the same rows; nothing stays written.
    pub async fn compare_sheet(
        &self,
        sheet: &Sheet,
        rows: Range<usize>,
        how: &Upsert<'_>,
    ) -> Result<Upserted> {
        if rows.is_empty() {
            return Ok(Upserted::default());
        }
        let known = returning::ahead(self, sheet, rows.clone()).await?;
        let mut tx = self.write_rows(sheet, rows.clone(), how, &known).await?;
        let (upserted, _) = apply(&mut tx, sheet, rows, how, known).await?;
        tx.rollback().await?;
        Ok(upserted)
    }
}

impl Store {
    /// What a batch says of consents, the gate asks about, and whether somebody is suspended.
    pub(super) async fn write_rows(
        &self,
        sheet: &Sheet,
        rows: Range<usize>,
        how: &Upsert<'_>,
        known: &returning::Known,
    ) -> Result<Tx> {
        if how.consents.is_empty() {
            return match known.buckets(sheet) {
                none if none.is_empty() => self.begin().await,
                some => self.write_alone(some).await,
            };
        }
        self.write_alone(rows.map(|row| sheet.bucket(row))).await
    }
}

/// Writes rows of a sheet within a transaction.
pub(super) async fn apply(
    tx: &mut Tx,
    sheet: &Sheet,
    rows: Range<usize>,
    how: &Upsert<'_>,
    known: returning::Known,
) -> Result<Applied> {
    apply_brought(tx, (sheet, rows), how, Brought::default(), known).await
}

/// The same of rows that bring something beside.
pub(super) async fn apply_brought(
    tx: &mut Tx,
    (sheet, rows): (&Sheet, Range<usize>),
    how: &Upsert<'_>,
    brought: Brought,
    known: returning::Known,
) -> Result<Applied> {
    let mut writing = Writing::new(tx, sheet, rows.clone(), (how, brought)).await?;
    let most = writing.insertion.most();
    let starts = rows.clone().step_by(most);
    let mut groups = starts.map(|start| start..rows.end.min(start + most));
    let (mut group, mut ahead) = (groups.next(), None);
    while let Some(rows) = group {
        group = groups.next();
        ahead = writing.write(tx, rows, ahead, group.clone()).await?;
    }
    writing.finish(tx, known).await
}

/// What was written, and who of those who were there changed.
pub(super) type Applied = (Upserted, BTreeSet<CustomerId>);

/// The writing of one transaction, one group of rows after the other.
struct Writing<'a> {
    sheet: &'a Sheet,
    how: &'a Upsert<'a>,
    rows: Range<usize>,
    wanted: BTreeMap<Channel, Consent>,
    brought: Brought,
    insertion: Insertion<'a>,
    extras: Extras,
    /// Once one row was new: the number of the first row, if it is new; each row has its own.
    first: Option<i64>,
    /// Whether the group before was all new. Then the next one likely is: it is inserted at once, and
    /// those who are there are looked for only if some were not inserted.
    all_new: bool,
    created: u64,
    /// The first row after those whose new customers are marked.
    marked: usize,
    /// What changed of those who were there.
    changed: BTreeMap<CustomerId, Touched>,
    /// Those who are new, and those who got another address or number: some may come back.
    suspects: (Vec<Suspect>, Vec<Suspect>),
}

impl<'a> Writing<'a> {
    async fn new(
        tx: &mut Tx,
        sheet: &'a Sheet,
        rows: Range<usize>,
        (how, brought): (&'a Upsert<'a>, Brought),
    ) -> Result<Self> {
        let wanted: BTreeMap<Channel, Consent> = how.consents.iter().copied().collect();
        let rows_start = rows.start;
        Ok(Self {
            sheet,
            how,
            rows,
            insertion: Insertion::new(sheet, tx.dialect(), shared(&wanted, how.at)),
            wanted,
            extras: Extras::new(tx, sheet, how.tags, (brought, how.at)).await?,
            brought,
            first: None,
            all_new: false,
            created: 0,
            marked: rows_start,
            changed: BTreeMap::new(),
            suspects: Default::default(),
        })
    }

    /// Writes a group, and meanwhile prepares the next as if it were all new.
    async fn write(
        &mut self,
        tx: &mut Tx,
        rows: Range<usize>,
        ahead: Option<Prepared>,
        next: Option<Range<usize>>,
    ) -> Result<Option<Prepared>> {
        let ahead = ahead.filter(|_| self.all_new);
        let mut known = match ahead {
            Some(_) => Vec::new(),
            None => customer_known::find(tx, self.sheet, rows.clone()).await?,
        };
        let new = without(rows.clone(), &known);
        let mut following = None;
        if !new.is_empty() {
            let new = self.numbered(tx, &new).await?;
            let prepared = match ahead {
                Some(prepared) => prepared,
                None => self.insertion.prepare(&new),
            };
            let next = next.filter(|_| known.is_empty());
            let ahead = async { next.map(|rows| self.prepare(rows)) };
            let (inserted, ahead) = tokio::join!(biased; prepared.run(tx), ahead);
            following = ahead;
            if inserted? < new.len() as u64 {
                let found = customer_known::find(tx, self.sheet, rows.clone()).await?;
                let there = found.into_iter().filter(|k| Some(k.id) != self.id(k.row));
                known = there.collect();
            }
        }
        self.all_new = known.is_empty();
        let done = rows.end;
        self.note(tx, rows, known).await?;
        if done - self.marked >= MARKED_TOGETHER {
            self.mark(tx, done).await?;
        }
        Ok(following)
    }

    fn prepare(&self, rows: Range<usize>) -> Prepared {
        let rows: Vec<usize> = rows.collect();
        self.insertion.prepare(&self.with_numbers(&rows))
    }

    /// The rows with their numbers, which are taken for all rows with the first new one.
    async fn numbered(&mut self, tx: &mut Tx, rows: &[usize]) -> Result<Vec<(usize, CustomerId)>> {
        if self.first.is_none() {
            self.first = Some(sequences::take(tx, "customer", self.rows.len()).await?);
        }
        Ok(self.with_numbers(rows))
    }

    fn with_numbers(&self, rows: &[usize]) -> Vec<(usize, CustomerId)> {
        let numbered = rows.iter().map(|row| Some((*row, self.id(*row)?)));
        numbered.flatten().collect()
    }

    fn id(&self, row: usize) -> Option<CustomerId> {
        let place = i64::try_from(row - self.rows.start).ok()?;
        Some(CustomerId::new(self.sheet.bucket(row), self.first? + place))
    }

    /// Sees to all that is not a new row: changed customers, lists and tags, lines of history.
    async fn note(&mut self, tx: &mut Tx, rows: Range<usize>, known: Vec<Known>) -> Result<()> {
        let new = without(rows.clone(), &known);
        self.created += new.len() as u64;
        let new = self.with_numbers(&new);
        let there: Vec<(usize, CustomerId)> = known.iter().map(|k| (k.row, k.id)).collect();
        let extras = self.extras.write(tx, self.sheet, &new, &there).await?;
        let mut before = extras.before;
        for (id, what) in extras.touched {
            *self.changed.entry(id).or_default() |= what;
        }
        let mut lines = self.first_lines(&new);
        lines.extend(self.tag_lines(&extras.tagged));
        self.suspects.0.extend(new);
        let mut updates = Vec::new();
        for known in known {
            let consents = known.consents(&self.wanted);
            let moved: Vec<ConsentChange> =
                consents.iter().copied().filter(|c| c.differs()).collect();
            let mut what = known.touched(self.sheet);
            if !moved.is_empty() {
                what |= Touched::by_line(Kind::ConsentChanged);
            }
            if what == Touched::NOTHING {
                continue;
            }
            if known.moves(self.sheet) {
                self.suspects.1.push((known.row, known.id));
            }
            *self.changed.entry(known.id).or_default() |= what;
            if self.brought.import.is_some() {
                let before = before.entry(known.id).or_default();
                before.add(&known, &moved, self.sheet);
            }
            let by = (self.how.by, self.how.at);
            lines.extend(moved.iter().map(|change| line(known.id, *change, by)));
            updates.push(known.row_after(&consents, self.sheet, self.how.at));
        }
        self.update(tx, updates).await?;
        if let Some(import) = self.brought.import {
            import_before::keep(tx, import, before).await?;
        }
        interactions::insert(tx, &lines).await
    }

    /// The consents that new customers come with, where they are not everybody's first.
    fn first_lines(&self, new: &[(usize, CustomerId)]) -> Vec<Interaction> {
        let changes: Vec<ConsentChange> = first_consents(&self.wanted).collect();
        let of_one = |(_, id): &(usize, CustomerId)| {
            let id = *id;
            changes
                .iter()
                .map(move |change| line(id, *change, (self.how.by, self.how.at)))
        };
        new.iter().flat_map(of_one).collect()
    }

    fn tag_lines(&self, tagged: &[(CustomerId, usize)]) -> impl Iterator<Item = Interaction> {
        let by = (self.how.by, self.how.at);
        tagged.iter().filter_map(move |(id, tag)| {
            let name = self.how.tags.get(*tag)?;
            Some(tagging::line(*id, (Kind::Tagged, name), by))
        })
    }

    async fn update(&self, tx: &mut Tx, updates: Vec<Vec<Cell>>) -> Result<()> {
        if updates.is_empty() {
            return Ok(());
        }
        let consents = self.wanted.keys().copied().map(consent_column);
        let common = ["updated_at", "consent_rev"].into_iter().chain(consents);
        let mut set: Vec<(String, &str)> = common.map(|name| (name.to_owned(), "BIGINT")).collect();
        let columns = self.sheet.columns().iter();
        set.extend(columns.flat_map(|column| column.definitions(Dialect::Sqlite)));
        let settings = set.into_iter().zip(3..);
        let settings: Vec<rows::Typed> = settings
            .map(|((column, kind), place)| (setting(&column, place), kind))
            .collect();
        rows::update_customers(tx, &settings, updates).await
    }

    /// Marks the new customers of the rows up to this one, while their pages are at hand.
    async fn mark(&mut self, tx: &mut Tx, until: usize) -> Result<()> {
        let from = std::mem::replace(&mut self.marked, until);
        let Some(first) = self.first else {
            return Ok(());
        };
        let number = |row: usize| first + i64::try_from(row - self.rows.start).unwrap_or(i64::MAX);
        let buckets = (from..until).map(|row| self.sheet.bucket(row)).collect();
        dirty::mark_new(tx, &buckets, number(from)..number(until)).await
    }

    async fn finish(mut self, tx: &mut Tx, known: returning::Known) -> Result<Applied> {
        self.mark(tx, self.rows.end).await?;
        if let (Some(import), Some(first), 1..) = (self.brought.import, self.first, self.created) {
            import_before::note_made(tx, import, first, self.rows.len()).await?;
        }
        let (new, moved) = std::mem::take(&mut self.suspects);
        let by = (self.how.by, self.how.at);
        returning::bar(tx, self.sheet, (&new, &moved), known, by).await?;
        let changed: BTreeSet<CustomerId> = self.changed.keys().copied().collect();
        let updated = changed.len() as u64;
        dirty::mark_each(tx, self.changed).await?;
        let upserted = Upserted {
            created: self.created,
            updated,
            unchanged: self.rows.len() as u64 - self.created - updated,
        };
        Ok((upserted, changed))
    }
}

fn without(rows: Range<usize>, known: &[Known]) -> Vec<usize> {
    let mut known = known.iter().map(|known| known.row).peekable();
    rows.filter(|row| known.next_if_eq(row).is_none()).collect()
}

fn setting(column: &str, place: usize) -> String {
    if column == "consent_rev" {
        return format!("consent_rev = customers.consent_rev + j.column{place}");
    }
    format!("{column} = j.column{place}")
}
