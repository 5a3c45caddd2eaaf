//! Owns what a workbook says about its sheets: their names and places, and what its numbers look like.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use super::package::{Package, Unpacked};
use super::values::Look;
use super::xml::{Xml, attribute};
use crate::customers::table_error::TableError;

/// More than this is no list of sheets or formats.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A sheet of cells.
#[derive(Debug, Clone)]
pub(super) struct SheetPart {
    pub(super) name: String,
    pub(super) part: String,
    pub(super) is_hidden: bool,
}

/// What a workbook says about its sheets.
#[derive(Debug, Default)]
pub(super) struct Workbook {
    pub(super) sheets: Vec<SheetPart>,
    pub(super) strings: Option<String>,
    /// By the number of a cell's style.
    pub(super) looks: Vec<Look>,
    /// Whether days are counted from 1904.
    pub(super) is_1904: bool,
}

/// A part that another one names.
struct Related {
    id: String,
    /// The last word of its type, such as `worksheet`.
    kind: String,
    part: String,
}

impl Workbook {
    pub(super) fn read(package: &mut Package) -> Result<Self, TableError> {
        let roots = related(package, "_rels/.rels", "")?;
        let main = roots.into_iter().find(|part| part.kind == "officeDocument");
        let main = main
            .ok_or_else(|| package.refused("it has no workbook inside"))?
            .part;
        let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
        let list = format!("{folder}/_rels/{file}.rels");
        let parts = related(package, &list, folder)?;
        let of_kind = |kind: &str| {
            let found = parts.iter().find(|part| part.kind == kind);
            found.map(|part| part.part.clone())
        };
        let mut workbook = Self {
            strings: of_kind("sharedStrings"),
            ..Self::default()
        };
        // A workbook may name a part that it does not need.
        if let Some(styles) = of_kind("styles").filter(|styles| package.has(styles)) {
            workbook.read_looks(package, &styles)?;
        }
        workbook.read_sheets(package, &main, &parts)?;
        Ok(workbook)
    }

    fn read_sheets(
        &mut self,
        package: &mut Package,
        main: &str,
        parts: &[Related],
    ) -> Result<(), TableError> {
        each_element(package, main, |element| {
            match element.local_name().as_ref() {
                "workbookPr" => {
                    let answer = attribute(element, "date1904");
                    self.is_1904 |= matches!(answer.as_deref(), Some("1" | "true"));
                }
                "sheet" => {
                    let id = attribute(element, "id").unwrap_or_default();
                    let part = parts.iter().find(|part| part.id == id);
                    if let Some(part) = part.filter(|part| part.kind == "worksheet") {
                        self.sheets.push(SheetPart {
                            name: attribute(element, "name").unwrap_or_default(),
                            part: part.part.clone(),
                            is_hidden: attribute(element, "state").is_some_and(|s| s != "visible"),
                        });
                    }
                }
                _ => {}
            }
        })
    }

    fn read_looks(&mut self, package: &mut Package, styles: &str) -> Result<(), TableError> {
        let mut codes: HashMap<u32, Look> = HashMap::new();
        let mut is_inside = false;
        let looks = &mut self.looks;
        each_element(package, styles, |element| {
            let number = || attribute(element, "numFmtId").and_then(|text| text.parse().ok());
            match element.local_name().as_ref() {
                "numFmt" => {
                    let code = attribute(element, "formatCode").unwrap_or_default();
                    if let Some(number) = number() {
                        codes.insert(number, Look::of_code(&code));
                    }
                }
                "cellXfs" => is_inside = true,
                // They stand before and after the formats of cells, and look alike.
                "cellStyleXfs" | "cellStyles" | "dxfs" => is_inside = false,
                "xf" if is_inside => {
                    let number = number().unwrap_or_default();
                    let look = codes.get(&number).copied();
                    looks.push(look.unwrap_or_else(|| Look::built_in(number)));
                }
                _ => {}
            }
        })
    }
}

fn related(package: &mut Package, list: &str, folder: &str) -> Result<Vec<Related>, TableError> {
    let mut parts = Vec::new();
    each_element(package, list, |element| {
        if element.local_name().as_ref() == "Relationship" {
            let word = |name| attribute(element, name).unwrap_or_default();
            let (kind, target) = (word("Type"), word("Target"));
            parts.push(Related {
                id: word("Id"),
                kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                part: resolved(folder, &target),
            });
        }
    })?;
    Ok(parts)
}

/// The name of a part from the folder of the one that names it.
fn resolved(folder: &str, target: &str) -> String {
    if let Some(whole) = target.strip_prefix('/') {
        return whole.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            _ => path.push(step),
        }
    }
    path.join("/")
}

/// Goes through the elements of a part, whatever stands in them.
fn each_element(
    package: &mut Package,
    name: &str,
    mut take: impl FnMut(&BytesStart<'_>),
) -> Result<(), TableError> {
    let part: Option<Unpacked> = package.part(name, MOST_BYTES)?;
    let part = part.ok_or_else(|| package.refused(&format!("it has no part `{name}`")))?;
    let mut xml = Xml::new(part);
    loop {
        match xml.next() {
            Ok(Event::Start(element) | Event::Empty(element)) => take(&element),
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(package.refused(&format!("`{name}` is damaged: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_part_is_found_from_the_one_that_names_it() {
        for (folder, target, expected) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/styles.xml", "xl/styles.xml"),
            ("xl/a", "../b.xml", "xl/b.xml"),
            ("", "xl/workbook.xml", "xl/workbook.xml"),
        ] {
            assert_eq!(resolved(folder, target), expected);
        }
    }
}
