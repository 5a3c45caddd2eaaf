//! Owns writing customers as the sheets of a workbook, row by row, in memory that does not grow.

use std::io::Write;
use std::path::Path;

use jiff::civil::{Date, date};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::export_columns::Cells;
use crate::domain::customer::FieldValue;
use crate::domain::value::Value;

/// Of a sheet; the customers after them are in another one.
const MOST_ROWS: u32 = 1_048_576;
/// Of a cell.
pub(super) const MOST_CHARS: usize = 32_767;
/// From here on not every whole number has a floating one, which is what a cell holds.
const EXACT: u64 = 9_007_199_254_740_992;

pub(super) struct SheetWriter {
    workbook: Workbook,
    header: Vec<String>,
    date: Format,
    sheets: usize,
    /// Rows of the last sheet, its header among them.
    rows: u32,
    most_rows: u32,
}

/// Why a value does not go into a sheet.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error(transparent)]
    Workbook(#[from] XlsxError),
    #[error("a text has more than {MOST_CHARS} characters, which no cell of a workbook holds")]
    TooLong,
}

impl SheetWriter {
    /// What it cannot hold in memory it lays into nameless files in the folder.
    pub(super) fn new(header: Vec<String>, folder: &Path) -> Result<Self, SheetError> {
        Self::with_most_rows(header, folder, MOST_ROWS)
    }

    fn with_most_rows(header: Vec<String>, folder: &Path, rows: u32) -> Result<Self, SheetError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        let mut writer = Self {
            workbook,
            header,
            date: Format::new().set_num_format("yyyy-mm-dd"),
            sheets: 0,
            rows: 0,
            most_rows: rows,
        };
        writer.add_sheet()?;
        Ok(writer)
    }

    fn add_sheet(&mut self) -> Result<(), SheetError> {
        self.sheets += 1;
        let name = match self.sheets {
            1 => "customers".to_owned(),
            number => format!("customers {number}"),
        };
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        for (column, name) in (0_u16..).zip(&self.header) {
            sheet.write_string(0, column, name)?;
        }
        self.rows = 1;
        Ok(())
    }

    pub(super) fn write(&mut self, cells: &Cells) -> Result<(), SheetError> {
        if self.rows == self.most_rows {
            self.add_sheet()?;
        }
        let row = self.rows;
        let sheet = self.workbook.worksheet_from_index(self.sheets - 1)?;
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                None => {}
                Some(FieldValue::One(value)) => one(sheet, (row, column), value, &self.date)?,
                Some(FieldValue::Many(values)) => {
                    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                    text(sheet, (row, column), &values.join(";"))?;
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn finish(mut self, to: impl Write + Send) -> Result<(), SheetError> {
        Ok(self.workbook.save_to_writer(to)?)
    }
}

/// Numbers and days go in as such, texts as texts, which nothing evaluates.
fn one(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: &Value,
    date: &Format,
) -> Result<(), SheetError> {
    match value {
        Value::Boolean(truth) => drop(sheet.write_boolean(row, column, *truth)?),
        Value::Number(number) => drop(sheet.write_number(row, column, *number)?),
        Value::Integer(number) if number.unsigned_abs() <= EXACT => {
            #[expect(clippy::cast_precision_loss, reason = "as far as this none is lost")]
            let number = *number as f64;
            sheet.write_number(row, column, number)?;
        }
        Value::Date(day) => match serial(*day) {
            Some(days) => drop(sheet.write_number_with_format(row, column, days, date)?),
            None => text(sheet, (row, column), &day.to_string())?,
        },
        Value::Text(_) | Value::Integer(_) | Value::Instant(_) => {
            text(sheet, (row, column), &value.to_string())?;
        }
    }
    Ok(())
}

fn text(sheet: &mut Worksheet, (row, column): (u32, u16), text: &str) -> Result<(), SheetError> {
    if text.is_empty() {
        return Ok(());
    }
    // Counted as UTF-16 would be, which is how workbooks count.
    if text.encode_utf16().count() > MOST_CHARS {
        return Err(SheetError::TooLong);
    }
    sheet.write_string(row, column, text)?;
    Ok(())
}

/// A day as workbooks count it, from 1900-03-01 on: before, they count one that there was not.
fn serial(day: Date) -> Option<f64> {
    let days = day.since(date(1899, 12, 30)).ok()?.get_days();
    (days > 60).then(|| f64::from(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sheet_does_not_hold_goes_into_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let header = vec!["id".to_owned()];
        let mut writer = SheetWriter::with_most_rows(header, folder.path(), 3).unwrap();
        for id in ["a", "b", "c", "d", "e"] {
            let id = Value::Text(id.to_owned());
            writer.write(&vec![Some(FieldValue::One(id))]).unwrap();
        }
        assert_eq!((writer.sheets, writer.rows), (3, 2));
    }

    #[test]
    fn days_are_counted_as_in_workbooks() {
        assert_eq!(serial(date(2026, 1, 31)), Some(46053.0));
        assert_eq!(serial(date(1900, 3, 1)), Some(61.0));
        assert_eq!(serial(date(1900, 2, 28)), None);
    }
}
