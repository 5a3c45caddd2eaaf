//! Owns comparing a batch with the customers that are already there.

use std::collections::BTreeMap;

use serde_json::json;

use super::bind::Cell;
use super::customer_columns::{self, Column};
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

    /// Whether its row gives it another address or number.
    pub(super) fn moves(&self, sheet: &Sheet) -> bool {
        sheet.moves(self.row, &self.cells)
    }

    /// Its cells with the row laid over them.
    pub(super) fn laid(self, sheet: &Sheet) -> Vec<Cell> {
        let cells = sheet.given(self.row).iter().zip(self.cells);
        cells
            .map(|(given, cell)| sheet.laid(*given, cell))
            .collect()
    }
}
