//! Owns the rows of one sheet: each is read as it stands there, none is made up.

use std::path::Path;

use quick_xml::Error;
use quick_xml::events::{BytesStart, Event};

use super::package::Package;
use super::strings::Strings;
use super::values::{Look, column};
use super::workbook::{SheetPart, Workbook};
use super::xml::{Xml, attribute, fault};
use crate::customers::names::UnknownName;
use crate::customers::number_text::number_text;
use crate::customers::table_error::TableError;
use crate::customers::table_form::TableOptions;
use crate::customers::table_row::{MAX_ROW_BYTES, Row};

/// A million rows of four kilobytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// An open sheet; its first row that is not blank is the header.
pub(in crate::customers) struct SheetTable {
    sheet: SheetPart,
    all: Vec<String>,
    xml: Xml,
    strings: Strings,
    looks: Vec<Look>,
    is_1904: bool,
    /// Cells of the header; rows are filled up to it.
    width: usize,
    skip_to: u64,
    at: u64,
    is_over: bool,
    cell: Cell,
}

/// The cell at hand; used again and again.
#[derive(Debug, Default)]
struct Cell {
    kind: String,
    style: usize,
    value: String,
    /// Whether a formula stands there.
    formula: Option<String>,
}

/// What a cell says.
enum Said {
    Text,
    /// Nothing that can be believed, and why.
    Flaw(String),
}

impl SheetTable {
    pub(in crate::customers) fn open(
        path: &Path,
        options: &TableOptions,
    ) -> Result<Self, TableError> {
        let mut package = Package::open(path)?;
        let workbook = Workbook::read(&mut package)?;
        let strings = match &workbook.strings {
            Some(part) => Strings::read(&mut package, part)?,
            None => Strings::default(),
        };
        let sheet = match &options.sheet {
            Some(name) => named(&workbook.sheets, name)?,
            None => first_filled(&mut package, &workbook.sheets)?,
        };
        let part = package.part(&sheet.part, MOST_BYTES)?;
        let part = part.ok_or_else(|| package.refused(&format!("it has no `{}`", sheet.part)))?;
        Ok(Self {
            all: workbook
                .sheets
                .iter()
                .map(|sheet| sheet.name.clone())
                .collect(),
            sheet,
            xml: Xml::new(part),
            strings,
            looks: workbook.looks,
            is_1904: workbook.is_1904,
            width: 0,
            skip_to: options.skip_lines,
            at: 0,
            is_over: false,
            cell: Cell::default(),
        })
    }

    pub(in crate::customers) fn name(&self) -> &str {
        &self.sheet.name
    }

    /// The names of all sheets of the workbook.
    pub(in crate::customers) fn all(&self) -> &[String] {
        &self.all
    }

    pub(in crate::customers) fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    /// How much of the sheet was unpacked, and how much there is.
    pub(in crate::customers) fn progress(&self) -> (u64, u64) {
        self.xml.progress()
    }

    pub(in crate::customers) fn read(&mut self, row: &mut Row) -> Result<bool, TableError> {
        if self.is_over {
            return Ok(false);
        }
        let read = self.next_row(row);
        self.is_over = !matches!(read, Ok(true));
        read.map_err(|error| TableError::Damaged {
            part: self.sheet.part.clone(),
            row: self.at,
            error,
        })
    }

    fn next_row(&mut self, row: &mut Row) -> Result<bool, Error> {
        loop {
            row.clear();
            match self.xml.next()? {
                Event::Start(e) if e.local_name().as_ref() == "row" => {
                    self.at = number_of(&e).unwrap_or(self.at + 1);
                    row.line = self.at;
                    self.read_cells(row)?;
                    if self.at > self.skip_to {
                        return Ok(true);
                    }
                }
                Event::Empty(e) if e.local_name().as_ref() == "row" => {
                    self.at = number_of(&e).unwrap_or(self.at + 1);
                }
                Event::End(e) if e.local_name().as_ref() == "sheetData" => return Ok(false),
                Event::Eof => return Err(fault("it ends too soon")),
                Event::Empty(e) if e.local_name().as_ref() == "sheetData" => return Ok(false),
                _ => {}
            }
        }
    }

    fn read_cells(&mut self, row: &mut Row) -> Result<(), Error> {
        let mut next = 0;
        loop {
            let (place, is_empty) = match self.xml.next()? {
                Event::Start(e) if e.local_name().as_ref() == "c" => {
                    (self.cell.begin(&e, next), false)
                }
                Event::Empty(e) if e.local_name().as_ref() == "c" => {
                    (self.cell.begin(&e, next), true)
                }
                Event::End(e) if e.local_name().as_ref() == "row" => break,
                Event::Eof => return Err(fault("it ends too soon")),
                _ => continue,
            };
            if !is_empty {
                self.cell.read(&mut self.xml)?;
            }
            let place = place.ok_or_else(|| fault("a cell stands where no column is"))?;
            if place < next {
                row.damage = Some("its cells do not stand in their order".to_owned());
            } else {
                self.take(place, row);
                next = place + 1;
            }
        }
        while row.damage.is_none() && row.cells.len() < self.width {
            row.cells.push_field("");
        }
        Ok(())
    }

    /// Adds the cell at hand; what is empty is left out until something stands behind it.
    fn take(&mut self, place: usize, row: &mut Row) {
        let said = self.cell.said(&self.strings, &self.looks, self.is_1904);
        if self.cell.value.is_empty() && matches!(said, Said::Text) {
            return;
        }
        if row.bytes() + self.cell.value.len() > MAX_ROW_BYTES {
            row.damage = Some("the row holds more than 1 MiB".to_owned());
            return;
        }
        while row.cells.len() < place {
            row.cells.push_field("");
        }
        row.cells.push_field(&self.cell.value);
        if let Said::Flaw(flaw) = said {
            row.flaws.push((place, flaw));
        }
    }
}

impl Cell {
    /// Begins a cell and says in which column it stands.
    fn begin(&mut self, element: &BytesStart<'_>, next: usize) -> Option<usize> {
        self.kind.clear();
        self.style = 0;
        self.value.clear();
        self.formula = None;
        let mut place = Some(next);
        let mut attributes = element.attributes();
        for attribute in attributes.with_checks(false).flatten() {
            match attribute.key.as_ref() {
                "r" => place = column(&attribute.value),
                "s" => self.style = attribute.value.parse().unwrap_or_default(),
                "t" => self.kind.push_str(&attribute.value),
                _ => {}
            }
        }
        place
    }

    fn read(&mut self, xml: &mut Xml) -> Result<(), Error> {
        loop {
            let is_formula = match xml.next()? {
                Event::Start(e) => match e.local_name().as_ref() {
                    "f" => true,
                    "v" | "is" => false,
                    _ => continue,
                },
                Event::Empty(e) if e.local_name().as_ref() == "f" => {
                    // A formula that it shares with another cell.
                    self.formula = Some(String::new());
                    continue;
                }
                Event::End(e) if e.local_name().as_ref() == "c" => return Ok(()),
                Event::Eof => return Err(fault("it ends too soon")),
                _ => continue,
            };
            if is_formula {
                let formula = self.formula.insert(String::new());
                xml.text(formula)?;
            } else {
                xml.text(&mut self.value)?;
            }
        }
    }

    /// Puts into `value` what the cell means.
    fn said(&mut self, strings: &Strings, looks: &[Look], is_1904: bool) -> Said {
        if let Some(formula) = &self.formula
            && self.value.is_empty()
            && self.kind != "str"
        {
            self.value = format!("={formula}");
            return Said::Flaw("holds a formula without a value".to_owned());
        }
        if self.value.is_empty() {
            return Said::Text;
        }
        let meant = match self.kind.as_str() {
            "str" | "inlineStr" | "d" => return Said::Text,
            "s" => {
                let number = self.value.trim().parse().ok();
                let text = number.and_then(|number| strings.get(number));
                text.map(str::to_owned)
                    .ok_or("names a text that there is not")
            }
            "b" => match self.value.trim() {
                "1" | "true" => Ok("true".to_owned()),
                "0" | "false" => Ok("false".to_owned()),
                _ => Err("is neither true nor false"),
            },
            "n" | "" => self.number(looks, is_1904),
            "e" => return Said::Flaw(format!("holds the error {}", self.value)),
            _ => Err("is of a kind that is not known"),
        };
        match meant {
            Ok(text) => {
                self.value = text;
                Said::Text
            }
            Err(flaw) => Said::Flaw(flaw.to_owned()),
        }
    }

    fn number(&self, looks: &[Look], is_1904: bool) -> Result<String, &'static str> {
        let look = looks.get(self.style).copied().unwrap_or(Look::Number);
        let written = self.value.trim();
        let none = "is not a number";
        if look == Look::Number {
            return number_text(written).ok_or(none);
        }
        let number: f64 = written.parse().map_err(|_| none)?;
        look.text(number, is_1904)
            .ok_or("is not a day of the calendar")
    }
}

fn number_of(row: &BytesStart<'_>) -> Option<u64> {
    attribute(row, "r")?.parse().ok()
}

fn named(sheets: &[SheetPart], name: &str) -> Result<SheetPart, TableError> {
    let found = sheets.iter().find(|sheet| sheet.name == name);
    let known = sheets.iter().map(|sheet| sheet.name.as_str());
    let unknown = || TableError::Sheet(UnknownName::new("sheet", name, known));
    found.cloned().ok_or_else(unknown)
}

/// The first sheet to be seen that has a cell.
fn first_filled(package: &mut Package, sheets: &[SheetPart]) -> Result<SheetPart, TableError> {
    for sheet in sheets.iter().filter(|sheet| !sheet.is_hidden) {
        let Some(part) = package.part(&sheet.part, MOST_BYTES)? else {
            continue;
        };
        let has_cell = has_cell(&mut Xml::new(part));
        if has_cell.map_err(|error| damaged(&sheet.part, error))? {
            return Ok(sheet.clone());
        }
    }
    Err(TableError::Empty(package.path().to_owned()))
}

fn has_cell(xml: &mut Xml) -> Result<bool, Error> {
    loop {
        match xml.next()? {
            Event::Start(e) if e.local_name().as_ref() == "c" => return Ok(true),
            Event::End(e) if e.local_name().as_ref() == "sheetData" => return Ok(false),
            Event::Eof => return Ok(false),
            _ => {}
        }
    }
}

fn damaged(part: &str, error: Error) -> TableError {
    TableError::Damaged {
        part: part.to_owned(),
        row: 0,
        error,
    }
}
