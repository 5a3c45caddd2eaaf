//! Owns the statements of the search: where they look, what must be so, and which of them are asked in turn.

use super::bind::Bind;
use super::dialect::Dialect;
use super::error::Result;
use super::search_fields::sequence;
use super::search_holders::Holders;
use super::search_sorts::Sorted;
use super::search_words::{has, matched};
use super::segment_frame::{Binds, Frame, Within};
use super::segment_sql::compile;
use crate::domain::ids::CustomerId;
use crate::domain::search::Words;
use crate::domain::segment::Condition;

/// So many are looked through in some milliseconds; what one of a hundred has fills a page there.
const NEXT: u32 = 10_000;

/// Who is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub words: Option<&'a Words>,
    pub condition: Option<&'a Condition>,
    /// Somebody who is known to be found, and is not to be found again.
    pub without: Option<CustomerId>,
}

/// What finds the next customers by their numbers: statements with their values, of which each finds all
/// that the one before it found, until the page is full.
///
/// A server's index gives those who have a word in no order, so that everybody who has a frequent one
/// would have to be sorted for a page. There the next texts are looked through at first: they fill the
/// page unless the word is rare. A file does the same for whoever has a tag, is on a list or is not
/// active: a server sees by itself which way is shorter.
pub(super) fn searches(
    dialect: Dialect,
    asked: &Asked<'_>,
    frame: &Frame<'_>,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Written>> {
    let statement = Statement::of(dialect, asked, frame, None)?;
    let next = statement.clone();
    Ok(match (dialect, asked.words, asked.condition) {
        (Dialect::Postgres, Some(_), _) => vec![
            next.among_next_texts(after, limit),
            statement.by_number(after, limit),
        ],
        (Dialect::Sqlite, None, Some(condition)) => {
            match statement.by_holders(condition, frame, after, limit) {
                Some(all) => vec![next.among_next(after, limit), all],
                None => vec![next.by_number(after, limit)],
            }
        }
        _ => vec![statement.by_number(after, limit)],
    })
}

/// The same as this database takes them.
pub fn search_statements(
    dialect: Dialect,
    asked: &Asked<'_>,
    frame: &Frame<'_>,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<(String, Vec<Bind>)>> {
    let statements = searches(dialect, asked, frame, after, limit)?.into_iter();
    let read = |(text, binds): Written| (dialect.text(text.into()).into_owned(), binds);
    Ok(statements.map(read).collect())
}

/// A whole statement and its values.
pub(super) type Written = (String, Vec<Bind>);

/// A statement on its way: where it looks, and what must be so.
#[derive(Clone)]
pub(super) struct Statement {
    from: String,
    parts: Vec<String>,
    binds: Binds,
    /// Whose number stands for the customer.
    alias: &'static str,
    has_words: bool,
    /// Whether the index of the words gives the customers in an order.
    is_by_index: bool,
}

impl Statement {
    /// `by`: what they are sorted by, and whether those who have it are asked for.
    pub(super) fn of(
        dialect: Dialect,
        asked: &Asked<'_>,
        frame: &Frame<'_>,
        by: Option<(&Sorted, bool)>,
    ) -> Result<Self> {
        let is_by_index = asked.words.is_some() && dialect == Dialect::Sqlite;
        let mut statement = Self {
            from: "customers AS c".to_owned(),
            parts: vec!["c.bucket BETWEEN 0 AND 1023".to_owned()],
            binds: Binds::from(1),
            alias: "c",
            has_words: asked.words.is_some(),
            is_by_index,
        };
        let activity = by.and_then(|(sorted, has)| Some((sorted.activity?, has)));
        match (asked.words, activity) {
            (Some(words), _) => {
                let with_records = asked.condition.is_some() || by.is_some();
                statement.with_words(dialect, words, with_records);
            }
            (None, Some((_, true))) => statement.active_ones(asked.condition.is_some()),
            (None, _) => {}
        }
        match (activity, asked.words) {
            (Some((column, false)), _) => statement.parts.push(format!(
                "NOT EXISTS (SELECT 1 FROM activity AS y WHERE y.bucket = c.bucket \
                 AND y.customer_id = c.customer_id AND y.{column} IS NOT NULL)"
            )),
            (Some((_, true)), Some(_)) => statement.with_activity(),
            _ => {}
        }
        match by {
            Some((sorted, true)) => statement
                .parts
                .push(format!("{} IS NOT NULL", sorted.value)),
            Some((sorted, false)) if activity.is_none() => {
                statement.parts.push(format!("{} IS NULL", sorted.value));
            }
            _ => {}
        }
        if let Some(without) = asked.without {
            let without = statement.binds.int(without.0);
            let part = format!("{}.customer_id <> {without}", statement.alias);
            statement.parts.push(part);
        }
        if let Some(condition) = asked.condition {
            let next = statement.binds.next();
            let predicate = compile(condition, frame, next, Within::Customer)?;
            statement.parts.push(predicate.sql);
            statement.binds.values.extend(predicate.binds);
        }
        Ok(statement)
    }

    /// The index says who may have the words; the text says who has them.
    fn with_words(&mut self, dialect: Dialect, words: &Words, with_records: bool) {
        self.parts = vec!["s.bucket BETWEEN 0 AND 1023".to_owned()];
        "search_texts AS s".clone_into(&mut self.from);
        if dialect == Dialect::Sqlite {
            self.from.insert_str(0, "search_index CROSS JOIN ");
            let wanted = self.binds.text(&matched(words));
            self.parts.push(format!("search_index MATCH {wanted}"));
            self.parts.push("s.number = search_index.rowid".to_owned());
        }
        self.alias = "s";
        if with_records {
            self.from.push_str(" CROSS JOIN customers AS c");
            self.parts.push("c.bucket = s.bucket".to_owned());
            self.parts.push("c.customer_id = s.customer_id".to_owned());
            self.alias = "c";
        }
        self.parts.push(has(words, &mut self.binds));
    }

    /// Those of whom any activity is known, with their records only where something is asked of those.
    fn active_ones(&mut self, with_records: bool) {
        self.parts = vec!["y.bucket BETWEEN 0 AND 1023".to_owned()];
        "activity AS y".clone_into(&mut self.from);
        self.alias = "y";
        if with_records {
            self.from.push_str(" CROSS JOIN customers AS c");
            self.parts.push("c.bucket = y.bucket".to_owned());
            self.parts.push("c.customer_id = y.customer_id".to_owned());
        }
    }

    fn with_activity(&mut self) {
        self.from.push_str(" CROSS JOIN activity AS y");
        self.parts.push("y.bucket = c.bucket".to_owned());
        self.parts.push("y.customer_id = c.customer_id".to_owned());
    }

    fn by_number(mut self, after: Option<i64>, limit: u32) -> Written {
        if !self.is_by_index {
            return self.without_value(after, limit);
        }
        if let Some(after) = after {
            let after = self.binds.int(sequence(after));
            self.parts.push(format!("search_index.rowid > {after}"));
        }
        self.select("", "search_index.rowid", limit)
    }

    /// By the index that lists those who may meet the condition, if there is one.
    fn by_holders(
        mut self,
        condition: &Condition,
        frame: &Frame<'_>,
        after: Option<i64>,
        limit: u32,
    ) -> Option<Written> {
        let holders = Holders::of(condition, frame, &mut self.binds)?;
        let (from, part) = holders.since(after.map_or(0, bucket_of), &mut self.binds);
        self.from = from;
        let after = self.binds.int(after.unwrap_or(-1));
        self.parts.push(part);
        // Not by the keys of the bucket, which are more.
        self.parts.push(format!("+c.customer_id > {after}"));
        Some(self.select("", "c.customer_id", limit))
    }

    /// The same of the next customers alone, as many as are read in no time.
    fn among_next(mut self, after: Option<i64>, limit: u32) -> Written {
        let bucket = self.binds.int(after.map_or(0, bucket_of));
        let place = self.binds.int(after.unwrap_or(-1));
        let last = format!(
            "(SELECT max(n.customer_id) FROM (SELECT customer_id FROM customers \
             WHERE bucket BETWEEN {bucket} AND 1023 AND customer_id > {place} \
             ORDER BY bucket, customer_id LIMIT {NEXT}) AS n)"
        );
        self.parts.push(format!("c.bucket <= {last} >> 48"));
        self.parts.push(format!("c.customer_id <= {last}"));
        self.without_value(after, limit)
    }

    /// The same of the next texts alone.
    fn among_next_texts(mut self, after: Option<i64>, limit: u32) -> Written {
        let bucket = self.binds.int(after.map_or(0, bucket_of));
        let after = self.binds.int(after.unwrap_or(-1));
        let texts = format!(
            "(SELECT bucket, customer_id, text FROM search_texts WHERE bucket BETWEEN {bucket} AND 1023 \
             AND customer_id > {after} ORDER BY bucket, customer_id LIMIT {NEXT}) AS s"
        );
        self.from = self.from.replacen("search_texts AS s", &texts, 1);
        let order = format!("{0}.bucket, {0}.customer_id", self.alias);
        self.select("", &order, limit)
    }

    pub(super) fn without_value(mut self, after: Option<i64>, limit: u32) -> Written {
        let alias = self.alias;
        if let Some(after) = after {
            let (bucket, after) = (self.binds.int(bucket_of(after)), self.binds.int(after));
            self.parts.push(format!("{alias}.bucket >= {bucket}"));
            self.parts.push(format!("{alias}.customer_id > {after}"));
        }
        let order = if self.has_words {
            // The same order, but none that an index of keys has: it would be gone through to its end.
            format!("{alias}.customer_id")
        } else {
            format!("{alias}.bucket, {alias}.customer_id")
        };
        self.select("", &order, limit)
    }

    pub(super) fn by_value(
        mut self,
        sorted: &Sorted,
        descending: bool,
        after: Option<(Bind, i64)>,
        limit: u32,
    ) -> Written {
        let (alias, value) = (self.alias, &sorted.value);
        let (direction, further) = if descending {
            ("DESC", "<")
        } else {
            ("ASC", ">")
        };
        if let Some((key, customer)) = after {
            let (key, customer) = (self.binds.add(key), self.binds.int(customer));
            self.parts.push(format!(
                "({value} {further} {key} OR ({value} = {key} AND {alias}.customer_id > {customer}))"
            ));
        }
        let order = format!("{value} {direction}, {alias}.customer_id");
        self.select(&format!(", {value}"), &order, limit)
    }

    fn select(mut self, also: &str, order: &str, limit: u32) -> Written {
        let limit = self.binds.int(limit);
        let (alias, from, parts) = (self.alias, &self.from, self.parts.join(" AND "));
        let sql = format!(
            "SELECT {alias}.customer_id{also} FROM {from} WHERE {parts} ORDER BY {order} LIMIT {limit}"
        );
        (sql, self.binds.values)
    }

    pub(super) fn count(self) -> Written {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {}",
            self.from,
            self.parts.join(" AND ")
        );
        (sql, self.binds.values)
    }
}

fn bucket_of(customer: i64) -> i64 {
    i64::from(CustomerId(customer).bucket().0)
}
