//! Owns moving an export to today: the dates that a workspace declares itself, by the same days each.

use std::path::Path;

use anyhow::Context as _;
use csv::StringRecord;
use jiff::civil::Date;
use jiff::{Span, Unit};

use crate::domain::field::{Cardinality, DataModel, FieldType, built_in_fields};

/// The newest of these dates is the day of the export.
const REFERENCE: &str = "last_login_on";

/// Copies a file of customers so that its newest login is `today`. Without that column it is copied
/// as it is.
pub(super) fn shift(from: &Path, to: &Path, model: &DataModel, today: Date) -> anyhow::Result<()> {
    let failed = || format!("cannot read `{}`", from.display());
    let mut reader = csv::Reader::from_path(from).with_context(failed)?;
    let header = reader.headers().with_context(failed)?.clone();
    let rows: Vec<StringRecord> = reader
        .records()
        .collect::<Result<_, _>>()
        .with_context(failed)?;
    let Some(days) = days_to(&header, &rows, today) else {
        std::fs::copy(from, to).with_context(failed)?;
        return Ok(());
    };
    let moving: Vec<bool> = header.iter().map(|name| moves(name, model)).collect();
    let mut writer = csv::Writer::from_path(to)?;
    writer.write_record(&header)?;
    for row in &rows {
        let cells = row.iter().zip(&moving);
        writer.write_record(cells.map(|(cell, moves)| match moved(cell, days) {
            Some(date) if *moves => date.to_string(),
            _ => cell.to_owned(),
        }))?;
    }
    Ok(writer.flush()?)
}

fn days_to(header: &StringRecord, rows: &[StringRecord], today: Date) -> Option<i64> {
    let column = header.iter().position(|name| name == REFERENCE)?;
    let dates = rows.iter().filter_map(|row| row.get(column)?.parse().ok());
    let newest: Date = dates.max()?;
    let span = newest.until((Unit::Day, today)).ok()?;
    Some(i64::from(span.get_days()))
}

/// Only dates of the workspace's own: a birthday stays where it is.
fn moves(column: &str, model: &DataModel) -> bool {
    let built_in = built_in_fields();
    let is_own = !built_in.iter().any(|field| field.identifier == column);
    let field = model.field(column).filter(|_| is_own);
    field
        .is_some_and(|field| field.kind == FieldType::Date && field.cardinality == Cardinality::One)
}

fn moved(cell: &str, days: i64) -> Option<Date> {
    let date: Date = cell.parse().ok()?;
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::Field;
    use jiff::civil::date;

    fn model() -> DataModel {
        let date_field = |identifier: &str| Field {
            identifier: identifier.to_owned(),
            kind: FieldType::Date,
            ..built_in_fields().remove(0)
        };
        let mut model = DataModel::default();
        model.fields.push(date_field("joined_on"));
        model.fields.push(date_field(REFERENCE));
        model
    }

    fn shifted(content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        std::fs::write(&from, content).unwrap();
        shift(&from, &to, &model(), date(2027, 1, 10)).unwrap();
        std::fs::read_to_string(to).unwrap()
    }

    #[test]
    fn declared_dates_move_together_and_birthdays_stay() {
        let file = "id,born_on,joined_on,last_login_on\n\
            a,1990-01-31,2026-12-01,2026-12-31\nb,1990-01-31,2027-01-05,\n";
        let expected = "id,born_on,joined_on,last_login_on\n\
            a,1990-01-31,2026-12-11,2027-01-10\nb,1990-01-31,2027-01-15,\n";
        assert_eq!(shifted(file), expected);
    }

    #[test]
    fn a_file_without_logins_stays_as_it_is() {
        let file = "id,joined_on\na,2026-12-01\n";
        assert_eq!(shifted(file), file);
    }
}
