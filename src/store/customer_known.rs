//! Owns comparing a batch with the customers that are already there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::bind::{Bind, Cell};
use super::customer_columns::{self, Column};
use super::customer_draft::Given;
use super::customer_sheet::Sheet;
use super::dialect::rows;
use super::error::Result;
use super::listing::listed;
use super::sql::query;
use super::tx::Tx;
use crate::domain::channel::Channel;
use crate::domain::ids::CustomerId;
use crate::domain::subscription::Consent;
use crate::domain::touched::Touched;
use crate::domain::value::fold;

const KNOWN_FROM: &str = concat!(
    rows!(bucket BIGINT 0, external_id TEXT 1, line BIGINT 2),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.bucket AND c.external_id = j.external_id"
);

/// A customer that is already there, and the row that speaks of it.
pub(super) struct Known {
    pub(super) row: usize,
    pub(super) id: CustomerId,
    consents: [Consent; 3],
    cells: Vec<Cell>,
}

/// What a consent was and is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsentChange {
    pub(super) channel: Channel,
    pub(super) was: Consent,
    pub(super) is: Consent,
}

impl ConsentChange {
    pub(super) fn differs(self) -> bool {
        self.was != self.is
    }
}

/// One line of the answer: the row's place, the number, three consents, the cells.
type Line = (usize, i64, [i64; 3], Vec<Vec<Cell>>);

/// Finds those of the rows whose customers are there, in the order of the rows. The answer is one
/// text: row by row it costs several times as much.
pub(super) async fn find(
    tx: &mut Tx,
    sheet: &Sheet,
    rows: std::ops::Range<usize>,
) -> Result<Vec<Known>> {
    let keys: Vec<(u16, &str, usize)> = rows
        .map(|row| (sheet.bucket(row).0, sheet.external_id(row), row))
        .collect();
    let sql = format!(
        "SELECT @list(@array(j.line, c.customer_id, @array(c.email_consent, \
         c.sms_consent, c.push_consent), {fields})) FROM {KNOWN_FROM}",
        fields = customer_columns::listed(sheet.columns()),
    );
    let query = query(sql).bind(json!(keys).to_string());
    let lines: Vec<Line> = listed(query, tx).await?;
    let mut known: Vec<Known> = lines
        .into_iter()
        .map(|line| Known::of(line, sheet.columns()))
        .collect();
    known.sort_unstable_by_key(|known| known.row);
    Ok(known)
}

impl Known {
    fn of((row, id, consents, cells): Line, columns: &[Column]) -> Self {
        let cells = columns.iter().zip(cells.into_iter().flatten());
        Self {
            row,
            id: CustomerId(id),
            consents: consents.map(Consent::from_number),
            cells: cells
                .map(|(column, cell)| column.class.listed(cell))
                .collect(),
        }
    }

    fn consent(&self, channel: Channel) -> Consent {
        let [email, sms, push] = self.consents;
        match channel {
            Channel::Email => email,
            Channel::Sms => sms,
            Channel::Push => push,
        }
    }

    /// What the wanted consents change. Who has refused stays so.
    pub(super) fn consents(&self, wanted: &BTreeMap<Channel, Consent>) -> Vec<ConsentChange> {
        let change = |(channel, wanted): (&Channel, &Consent)| {
            let (channel, was) = (*channel, self.consent(*channel));
            let is = match was {
                Consent::Unsubscribed => was,
                Consent::OptedIn | Consent::Subscribed => *wanted,
            };
            ConsentChange { channel, was, is }
        };
        wanted.iter().map(change).collect()
    }

    /// The fields of which its row says something new.
    pub(super) fn touched(&self, sheet: &Sheet) -> Touched {
        let cells = sheet.given(self.row).iter().zip(&self.cells);
        let mut touched = Touched::NOTHING;
        for ((given, cell), column) in cells.zip(sheet.columns()) {
            if !sheet.leaves(*given, cell) {
                touched |= Touched::field(&column.field);
            }
        }
        touched
    }

    /// The columns of which its row says something new: what they hold, and what they are to hold.
    pub(super) fn moved<'a>(
        &'a self,
        sheet: &'a Sheet,
    ) -> impl Iterator<Item = (&'a Column, Cell, Cell)> {
        let cells = sheet.given(self.row).iter().zip(&self.cells);
        let cells = cells.zip(sheet.columns());
        let moved = cells.filter(|((given, cell), _)| !sheet.leaves(**given, cell));
        moved.map(|((given, cell), column)| (column, cell.clone(), sheet.laid(*given, None)))
    }

    /// The columns of which its row says something, and whether it is so.
    pub(super) fn said<'a>(&'a self, sheet: &'a Sheet) -> impl Iterator<Item = (&'a str, bool)> {
        let cells = sheet.given(self.row).iter().zip(&self.cells);
        let cells = cells.zip(sheet.columns());
        let said = cells.filter(|((given, _), _)| **given != Given::Nothing);
        said.map(|((given, cell), column)| (&*column.field, sheet.leaves(*given, cell)))
    }

    /// Whether its row gives it another address or number.
    pub(super) fn moves(&self, sheet: &Sheet) -> bool {
        sheet.moves(self.row, &self.cells)
    }

    /// Its cells once it is changed: bucket, number, time, whether consents moved, the consents, and each
    /// column with its folded text.
    pub(super) fn row_after(
        self,
        consents: &[ConsentChange],
        sheet: &Sheet,
        at: Timestamp,
    ) -> Vec<Cell> {
        let moved = consents.iter().any(|change| change.differs());
        let whole = |number: i64| Some(Bind::Int(number));
        let id = self.id;
        let mut cells = vec![
            whole(i64::from(id.bucket().0)),
            whole(id.0),
            whole(at.as_microsecond()),
            whole(i64::from(moved)),
        ];
        cells.extend(consents.iter().map(|change| whole(change.is.number())));
        for (cell, column) in self.laid(sheet).into_iter().zip(sheet.columns()) {
            let folded = column.folded.as_ref().map(|_| match &cell {
                Some(Bind::Text(text)) => Some(Bind::Text(fold(text))),
                _ => None,
            });
            cells.push(cell);
            cells.extend(folded);
        }
        cells
    }

    /// Its cells with the row laid over them.
    fn laid(self, sheet: &Sheet) -> Vec<Cell> {
        let cells = sheet.given(self.row).iter().zip(self.cells);
        cells
            .map(|(given, cell)| sheet.laid(*given, cell))
            .collect()
    }
}
