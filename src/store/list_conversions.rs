//! Owns the conversion of many-valued fields: each row gets the value of the new type beside the old one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::bind::{Bind, Cell};
use super::customer_columns::Class;
use super::dialect::{ids, listed, rows};
use super::dirty;
use super::error::Result;
use super::listing::{json, listed};
use super::sql::query;
use super::tx::Tx;
use crate::domain::conversion::Conversion;
use crate::domain::ids::CustomerId;
use crate::domain::touched::Touched;
use crate::domain::value::fold;

const ROWS: &str = concat!(
    listed!("v.customer_id, v.position, v.text, v.whole, @exact(v.number)"),
    ids!(),
    " AS k CROSS JOIN customer_values AS v WHERE v.bucket = k.bucket AND v.customer_id = k.id \
     AND v.field = $2"
);

/// Sets columns of single rows.
macro_rules! set {
    ($set:literal, $($rows:tt)+) => {
        concat!(
            "UPDATE customer_values SET ",
            $set,
            " FROM ",
            rows!($($rows)+),
            " AS j WHERE customer_values.bucket = j.bucket AND customer_values.customer_id = j.id \
             AND customer_values.field = j.field AND customer_values.position = j.position"
        )
    };
}

const SET_TEXT: &str = set!(
    "text = j.value, folded = j.folded",
    bucket BIGINT 0, id BIGINT 1, field BIGINT 2, position BIGINT 3, value TEXT 4, folded TEXT 5
);
const SET_WHOLE: &str = set!(
    "whole = j.value",
    bucket BIGINT 0, id BIGINT 1, field BIGINT 2, position BIGINT 3, value BIGINT 4
);
const SET_NUMBER: &str = set!(
    "number = j.value",
    bucket BIGINT 0, id BIGINT 1, field BIGINT 2, position BIGINT 3, value DOUBLE 4
);
const DROP: &str = concat!(
    "DELETE FROM customer_values WHERE (bucket, customer_id, field, position) IN \
     (SELECT j.bucket, j.id, j.field, j.position FROM ",
    rows!(bucket BIGINT 0, id BIGINT 1, field BIGINT 2, position BIGINT 3),
    " AS j)"
);

pub(super) const STATEMENTS: &[&str] = &[ROWS, SET_TEXT, SET_WHOLE, SET_NUMBER, DROP];

/// The zone of days, since when the field is what it is to be, and whether what does not convert goes.
pub(super) type How<'a> = (&'a TimeZone, Option<Timestamp>, bool);

type Listed = (i64, i64, Cell, Cell, Cell);

/// Converts the lists of these customers; how many customers were changed.
pub(super) async fn convert(
    tx: &mut Tx,
    customers: &[CustomerId],
    field: i64,
    conversion: &Conversion,
    (zone, since, drops): How<'_>,
) -> Result<u64> {
    let classes = [conversion.from.kind, conversion.to.kind].map(Class::of);
    // Where the old values stand, nothing is done before the change is in force.
    if classes[0] == classes[1] && since.is_none() {
        return Ok(0);
    }
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let asked = query(ROWS).bind(json(&ids)).bind(field);
    let found: Vec<Listed> = listed(asked, &mut *tx).await?;
    let (mut set, mut dropped) = (Vec::new(), Vec::new());
    let mut changed = BTreeSet::new();
    for row in found {
        let (id, key) = (CustomerId(row.0), (row.0 >> 48, row.0, field, row.1));
        match value_of(&row, conversion, classes, zone)? {
            Step::Set(value) => set.push((key, value)),
            Step::Lost if drops && since.is_some() => dropped.push(key),
            Step::Lost | Step::Stays => continue,
        }
        changed.insert(id);
    }
    write(tx, set, &dropped).await?;
    let touched = Touched::field(&conversion.to.identifier);
    dirty::mark_each(tx, changed.iter().map(|id| (*id, touched))).await?;
    Ok(changed.len() as u64)
}

enum Step {
    Set(Bind),
    Stays,
    Lost,
}

fn value_of(
    row: &Listed,
    conversion: &Conversion,
    [from, to]: [Class; 2],
    zone: &TimeZone,
) -> Result<Step> {
    let read = |class: Class| class.value(class.listed(cell(row, class)));
    let (was, is) = (read(from)?, read(to)?);
    let Some(was) = was else {
        return Ok(Step::Stays);
    };
    let Ok(converted) = conversion.one(&was, zone) else {
        return Ok(Step::Lost);
    };
    let is_there = is.as_ref() == Some(&converted);
    let comes_back = || {
        let back = is.as_ref()?;
        conversion.reversed().one(back, zone).ok()
    };
    if is_there || (from != to && comes_back().as_ref() == Some(&was)) {
        return Ok(Step::Stays);
    }
    let name = &conversion.to.identifier;
    Ok(to.cell(name, &converted)?.map_or(Step::Lost, Step::Set))
}

fn cell((_, _, text, whole, number): &Listed, class: Class) -> Cell {
    match class {
        Class::Text => text.clone(),
        Class::Number => number.clone(),
        Class::Integer | Class::Boolean | Class::Date | Class::Instant => whole.clone(),
    }
}

type Place = (i64, i64, i64, i64);

async fn write(tx: &mut Tx, set: Vec<(Place, Bind)>, dropped: &[Place]) -> Result<()> {
    let (mut texts, mut wholes, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for ((bucket, id, field, position), value) in set {
        match value {
            Bind::Text(text) => {
                let folded = fold(&text);
                texts.push((bucket, id, field, position, text, folded));
            }
            Bind::Int(number) => wholes.push((bucket, id, field, position, number)),
            Bind::Real(number) => numbers.push((bucket, id, field, position, number)),
        }
    }
    let batches = [
        (SET_TEXT, texts.is_empty(), json(&texts)),
        (SET_WHOLE, wholes.is_empty(), json(&wholes)),
        (SET_NUMBER, numbers.is_empty(), json(&numbers)),
        (DROP, dropped.is_empty(), json(dropped)),
    ];
    for (statement, is_empty, batch) in batches {
        if !is_empty {
            query(statement).bind(batch).execute(&mut *tx).await?;
        }
    }
    Ok(())
}
