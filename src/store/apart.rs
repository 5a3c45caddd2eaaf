//! Owns taking a statement apart on Citus: which of its values say what buckets it is about, and what of
//! them goes to which shard.

use serde_json::Value;

use super::arg::Arg;
use super::batch::Shape;
use super::confine;
use super::error::{Error, Result};
use super::shards::Shards;
use crate::domain::ids::{Bucket, STRIPE};

/// Where a statement goes on Citus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the coordinator, which has all that it asks for.
    Coordinator,
    /// It only adds rows: each goes to its own shard.
    Added,
    /// To the shard of the one bucket that it names.
    OneBucket,
    /// To one shard at a time, with what is its own.
    Apart(Source),
    /// To all shards at once. It only reads, and says why it may.
    Everywhere(Why),
    /// To all shards at once, without a word: it is refused.
    Unsaid,
}

/// Why a statement may ask all shards at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A person asks, and waits for the answer.
    People,
    /// It looks through everything, and seldom.
    Upkeep,
    /// Whether there is work: one answer of a few rows, in place of one for each shard.
    Waiting,
}

impl Reach {
    /// Of a statement as it is written and as PostgreSQL takes it, with these of its batch.
    pub(super) fn of(written: &str, text: &str, shapes: &[Shape]) -> Self {
        let tables = confine::tables(text);
        if tables.named == 0 {
            return Self::Coordinator;
        }
        let form = "@everywhere(";
        if let Some(said) = written.strip_prefix(form) {
            let why = said.split(')').next().and_then(Why::said);
            return why.map_or(Self::Unsaid, Self::Everywhere);
        }
        if let Some(source) = Source::of(written, shapes) {
            return Self::Apart(source);
        }
        // Every table in it is kept to one bucket, or to that of another.
        let kept = written.matches("bucket = ").count();
        match tables.read {
            0 => Self::Added,
            read if kept >= read && written.contains("bucket = $") => Self::OneBucket,
            _ => Self::Unsaid,
        }
    }

    /// What a statement that is taken apart says of its buckets.
    pub(super) fn source(self) -> Option<Source> {
        match self {
            Self::Apart(source) => Some(source),
            _ => None,
        }
    }
}

impl Why {
    fn said(word: &str) -> Option<Self> {
        match word {
            "people" => Some(Self::People),
            "upkeep" => Some(Self::Upkeep),
            "waiting" => Some(Self::Waiting),
            _ => None,
        }
    }
}

/// Where a statement says which buckets it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In the rows of its batch.
    Batch(Key),
    /// As a JSON array of buckets, bound there.
    Buckets(usize),
    /// As a JSON array of stripes, bound there.
    Stripes(usize),
    /// As the first and the last, bound there.
    Range(usize, usize),
    /// As a JSON array of the first and the last, bound as `$1`.
    Ends,
    /// It is about all.
    All,
}

/// What of a row names its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The row is a number that carries it.
    Whole,
    /// The number in this place carries it.
    Number(usize),
    /// It stands in this place.
    Bucket(usize),
}

/// What goes to one shard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What of the batch, or of the array of buckets.
    pub(super) batch: Option<String>,
    pub(super) buckets: Vec<u16>,
}

impl Source {
    /// Of a statement about customers.
    fn of(written: &str, shapes: &[Shape]) -> Option<Self> {
        if let Some(shape) = shapes.first() {
            return Some(Self::Batch(Key::of(shape)?));
        }
        let place = |form: &str| {
            let at = written.find(form)? + form.len();
            let digits = written[at..].split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<usize>().ok()
        };
        let between = "bucket BETWEEN $";
        if let Some(first) = place(between) {
            let (_, rest) = written.split_once(between)?;
            let (_, last) = rest.split_once("AND $")?;
            let digits = last.split(|c: char| !c.is_ascii_digit()).next()?;
            return Some(Self::Range(first, digits.parse().ok()?));
        }
        if let Some(at) = place("@buckets($") {
            return Some(Self::Buckets(at));
        }
        if written.contains("@due") {
            return Some(Self::Stripes(4));
        }
        if written.contains("@nextdue") {
            return Some(Self::Stripes(2));
        }
        if written.contains("@first") {
            return Some(Self::Ends);
        }
        let is_about_all = written.contains("bucket BETWEEN 0 AND 1023");
        (is_about_all && confine::is_write(written)).then_some(Self::All)
    }

    /// What goes to each shard; something always does, as even nothing has an answer.
    pub(super) fn parts(self, args: &[Arg<'_>], shards: &Shards) -> Result<Vec<Part>> {
        let parts = match self {
            Self::Batch(key) => {
                let rows: Vec<Value> = read(args, 1)?;
                let rows = rows
                    .into_iter()
                    .map(|row| Ok((key.bucket(&row)?, Some(row))));
                shards.part(rows.collect::<Result<Vec<_>>>()?)
            }
            Self::Buckets(place) => {
                let buckets: Vec<u16> = read(args, place)?;
                let both = |bucket| (bucket, Some(Value::from(bucket)));
                shards.part(buckets.into_iter().map(both))
            }
            Self::Stripes(place) => {
                let stripes: Vec<u16> = read(args, place)?;
                let of = |stripe| stripe * STRIPE..(stripe + 1) * STRIPE;
                shards.part(stripes.into_iter().flat_map(of).map(whole))
            }
            Self::Range(first, last) => {
                let (first, last) = (number(args, first)?, number(args, last)?);
                shards.part((first..=last).map(whole))
            }
            Self::Ends => {
                let [first, last]: [u16; 2] = read(args, 1)?;
                shards.part((first..=last).map(whole))
            }
            Self::All => shards.part(shards.buckets().map(whole)),
        };
        if parts.is_empty() {
            let (batch, buckets) = (self.has_batch().then(|| "[]".to_owned()), vec![0]);
            return Ok(vec![Part { batch, buckets }]);
        }
        Ok(parts.into_iter().map(Part::of).collect())
    }

    fn has_batch(self) -> bool {
        matches!(self, Self::Batch(_) | Self::Buckets(_))
    }

    /// The place of what is replaced by its part.
    pub(super) fn place(self) -> usize {
        match self {
            Self::Buckets(place) => place,
            _ => 1,
        }
    }
}

impl Key {
    fn of(shape: &Shape) -> Option<Self> {
        let Shape::Rows(columns) = shape else {
            return Some(Self::Whole);
        };
        let find = |names: &[&str]| {
            let mut columns = columns.iter();
            columns.find(|column| names.contains(&column.name.as_str()))
        };
        // Rows of columns that are known only when it runs begin with their bucket.
        match (find(&["bucket", "column1"]), find(&["id"])) {
            (Some(bucket), _) => Some(Self::Bucket(bucket.place)),
            (None, Some(id)) => Some(Self::Number(id.place)),
            (None, None) => None,
        }
    }

    fn bucket(self, row: &Value) -> Result<u16> {
        let number = match self {
            Self::Whole => row.as_i64(),
            Self::Number(place) | Self::Bucket(place) => row.get(place).and_then(Value::as_i64),
        };
        let number = number.ok_or_else(|| Error::Corrupt(format!("no bucket in {row}")))?;
        match self {
            Self::Whole | Self::Number(_) => Ok(Bucket::of_number(number).0),
            Self::Bucket(_) => {
                u16::try_from(number).map_err(|_| Error::Corrupt(format!("{number} is no bucket")))
            }
        }
    }
}

impl Part {
    fn of(part: Vec<(u16, Option<Value>)>) -> Self {
        let mut buckets: Vec<u16> = part.iter().map(|(bucket, _)| *bucket).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let rows: Vec<Value> = part.into_iter().filter_map(|(_, row)| row).collect();
        let batch = (!rows.is_empty()).then(|| Value::from(rows).to_string());
        Self { batch, buckets }
    }
}

fn whole(bucket: u16) -> (u16, Option<Value>) {
    (bucket, None)
}

fn read<T: serde::de::DeserializeOwned>(args: &[Arg<'_>], place: usize) -> Result<T> {
    let text = match args.get(place - 1) {
        Some(Arg::Text(Some(text))) => text.as_ref(),
        Some(Arg::Shared(text)) => text.as_ref(),
        _ => "",
    };
    serde_json::from_str(text).map_err(|error| Error::Corrupt(format!("a batch: {error}")))
}

fn number(args: &[Arg<'_>], place: usize) -> Result<u16> {
    match args.get(place - 1) {
        Some(Arg::Int(Some(number))) => {
            u16::try_from(*number).map_err(|_| Error::Corrupt(format!("{number} is no bucket")))
        }
        _ => Err(Error::Unusable(format!("no bucket is bound as ${place}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Column;
    use super::*;

    fn rows(columns: &[&str]) -> Shape {
        let columns = columns.iter();
        Shape::Rows(columns.filter_map(|column| Column::read(column)).collect())
    }

    #[test]
    fn a_statement_says_where_its_buckets_are_named() {
        let ids = "SELECT 1 FROM @ids AS k CROSS JOIN dirty AS d WHERE d.bucket = k.bucket";
        let reach = Reach::of(ids, ids, &[Shape::Ids]);
        assert_eq!(reach, Reach::Apart(Source::Batch(Key::Whole)));
        let inserted = "INSERT INTO dirty SELECT j.id >> 48, j.id FROM @rows(…) AS j";
        let reach = Reach::of(
            inserted,
            inserted,
            &[rows(&["what BIGINT 1", "id BIGINT 0"])],
        );
        assert_eq!(reach, Reach::Apart(Source::Batch(Key::Number(0))));
        for (written, source) in [
            (
                "DELETE FROM bucket_leases WHERE bucket IN (SELECT value FROM @buckets($3) AS s)",
                Source::Buckets(3),
            ),
            (
                "SELECT 1 FROM dirty WHERE bucket BETWEEN $2 AND $3",
                Source::Range(2, 3),
            ),
            (
                "SELECT 1 FROM dirty WHERE bucket BETWEEN @first AND @last",
                Source::Ends,
            ),
            (
                "DELETE FROM dirty WHERE bucket BETWEEN 0 AND 1023",
                Source::All,
            ),
        ] {
            assert_eq!(
                Reach::of(written, written, &[]),
                Reach::Apart(source),
                "{written}"
            );
        }
    }

    #[test]
    fn whatever_is_not_taken_apart_names_one_bucket_or_says_why_not() {
        for (written, reach) in [
            ("SELECT 1 FROM dirty WHERE bucket = $1", Reach::OneBucket),
            ("INSERT INTO dirty (bucket) VALUES ($1)", Reach::Added),
            ("SELECT 1 FROM names AS n", Reach::Coordinator),
            (
                "SELECT 1 FROM dirty WHERE bucket BETWEEN 0 AND 1023",
                Reach::Unsaid,
            ),
            (
                "SELECT 1 FROM dirty AS d CROSS JOIN activity AS a WHERE d.bucket = $1",
                Reach::Unsaid,
            ),
            (
                "@everywhere(people)SELECT 1 FROM dirty",
                Reach::Everywhere(Why::People),
            ),
            ("@everywhere(whim)SELECT 1 FROM dirty", Reach::Unsaid),
        ] {
            assert_eq!(Reach::of(written, written, &[]), reach, "{written}");
        }
        let steps = "DELETE FROM removed_steps WHERE step IN (SELECT j.step FROM @rows(…) AS j)";
        let reach = Reach::of(steps, steps, &[rows(&["step BIGINT 0"])]);
        assert_eq!(reach, Reach::Coordinator);
    }

    #[test]
    fn each_shard_gets_the_rows_of_its_buckets() {
        let shards = Shards::new(&[1, 2, 1]);
        let batch = [Arg::from("[[0,\"a\"],[1,\"b\"],[2,\"c\"]]")];
        let parts = Source::Batch(Key::Bucket(0))
            .parts(&batch, &shards)
            .unwrap();
        let expected = [
            ("[[0,\"a\"],[2,\"c\"]]", vec![0, 2]),
            ("[[1,\"b\"]]", vec![1]),
        ];
        let expected = expected.map(|(batch, buckets)| Part {
            batch: Some(batch.to_owned()),
            buckets,
        });
        assert_eq!(parts, expected);
    }

    #[test]
    fn an_empty_batch_is_asked_of_one_shard() {
        let shards = Shards::new(&[1, 2]);
        let parts = Source::Batch(Key::Whole).parts(&[Arg::from("[]")], &shards);
        let nothing = Part {
            batch: Some("[]".to_owned()),
            buckets: vec![0],
        };
        assert_eq!(parts.unwrap(), [nothing]);
    }
}
