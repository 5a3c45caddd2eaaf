//! Owns reading a sheet of an XLSX workbook (ECMA-376) as a stream of rows, in bounded memory.

mod package;
pub(super) mod sheet;
mod strings;
mod values;
mod workbook;
mod xml;
