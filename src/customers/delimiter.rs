//! Owns the delimiter of a table: the four that people use, and finding it in a sample.

use std::fmt;
use std::str::FromStr;

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    Comma,
    Semicolon,
    Tab,
    Pipe,
}

/// Why a text is not a delimiter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a delimiter: use `,` `;` `tab` or `|`")]
pub struct BadDelimiter(String);

impl Delimiter {
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    pub fn as_byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }

    /// What stands between the values of one cell: `;`, and `,` where `;` stands between cells.
    pub fn between_values(self) -> char {
        if self == Self::Semicolon { ',' } else { ';' }
    }

    /// The delimiter under which most rows of the sample have as many cells as its first row; a
    /// sample of one column counts as separated by commas.
    pub fn detect(sample: &[u8]) -> Self {
        let mut best = (Self::Comma, (0, 1));
        for delimiter in Self::ALL {
            let score = delimiter.score(sample);
            if score.1 > 1 && score > best.1 {
                best = (delimiter, score);
            }
        }
        best.0
    }

    /// Per thousand rows: how many have the first row's number of cells; and that number.
    fn score(self, sample: &[u8]) -> (usize, usize) {
        let mut widths = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.as_byte())
            .from_reader(sample)
            .into_byte_records()
            .map_while(Result::ok)
            .map(|row| row.len());
        let Some(first) = widths.next() else {
            return (0, 0);
        };
        let (mut same, mut rows) = (1, 1);
        for width in widths {
            rows += 1;
            same += usize::from(width == first);
        }
        (same * 1000 / rows, first)
    }
}

impl FromStr for Delimiter {
    type Err = BadDelimiter;

    fn from_str(text: &str) -> Result<Self, BadDelimiter> {
        match text.to_ascii_lowercase().as_str() {
            "," | "comma" => Ok(Self::Comma),
            ";" | "semicolon" => Ok(Self::Semicolon),
            "\t" | "\\t" | "tab" => Ok(Self::Tab),
            "|" | "pipe" => Ok(Self::Pipe),
            _ => Err(BadDelimiter(text.to_owned())),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Tab => "tab",
            Self::Pipe => "|",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_gives_even_rows() {
        for (sample, expected) in [
            ("id,name\n1,Ana\n2,Ben\n", Delimiter::Comma),
            ("id;amount\n1;3,50\n2;4,20\n", Delimiter::Semicolon),
            ("id\tname\n1\tSmith, John\n", Delimiter::Tab),
            ("id|tags\n1|a;b\n2|c\n", Delimiter::Pipe),
            ("id,tags\n1,a;b\n2,c;d\n3,e\n", Delimiter::Comma),
            ("id\n1\n2\n", Delimiter::Comma),
            (
                "id;note\n1;\"one, two\"\n2;\"a\nb\"\n",
                Delimiter::Semicolon,
            ),
        ] {
            assert_eq!(Delimiter::detect(sample.as_bytes()), expected, "{sample}");
        }
    }

    #[test]
    fn delimiters_read_by_sign_and_by_name() {
        assert_eq!("tab".parse(), Ok(Delimiter::Tab));
        assert_eq!("|".parse(), Ok(Delimiter::Pipe));
        assert!("x".parse::<Delimiter>().is_err());
    }
}
