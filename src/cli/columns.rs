//! Owns tables in text: columns that stand under each other, indented under a heading.

use std::fmt::Write as _;

const GAP: usize = 2;

/// Rows of cells, one line each, every column as wide as its widest cell.
pub(crate) fn aligned<const N: usize>(indent: usize, rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for (width, cell) in widths.iter().zip(row) {
            let padding = width + GAP - cell.chars().count();
            let _ = write!(line, "{cell}{:padding$}", "");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number with its thousands apart: `7,043`.
pub(crate) fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [["a", "Málaga", "x"], ["long", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(2, &rows), "  a     Málaga  x\n  long  b\n");
    }

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 999, 1_000, 7_043, 1_234_567].map(counted);
        assert_eq!(numbers, ["0", "999", "1,000", "7,043", "1,234,567"]);
    }
}
