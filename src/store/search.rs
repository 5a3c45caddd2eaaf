//! Owns the questions of the search: who has these words and meets this condition, in which order, and how many.

use serde::{Deserialize, Serialize};

use super::bind::Bind;
use super::db::Store;
use super::dialect::Dialect;
use super::error::Result;
use super::patterns;
use super::search_fields::sequence;
use super::search_sorts::{Sort, SortKey, Sorted};
use super::segment_frame::{Binds, Frame, Within};
use super::segment_sql::compile;
use super::sql::{Row, composed};
use crate::domain::ids::CustomerId;
use crate::domain::search::{Words, grams};
use crate::domain::segment::Condition;

/// Who is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub words: Option<&'a Words>,
    pub condition: Option<&'a Condition>,
    /// Somebody who is known to be found, and is not to be found again.
    pub without: Option<CustomerId>,
}

/// A found customer, and what they were sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub customer: i64,
    pub key: Option<SortKey>,
}

impl Store {
    /// The next customers after this place. Who comes, goes or changes meanwhile may be missed.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for a sort by a field that has no one value.
    pub async fn search(
        &self,
        asked: &Asked<'_>,
        sort: &Sort,
        frame: &Frame<'_>,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        let Some(sorted) = Sorted::of(&sort.by, &frame.revision.data_model)? else {
            let statement = Statement::of(self.dialect(), asked, frame, None)?;
            let after = after.map(|place| place.customer);
            let is_quick = asked.condition.is_none();
            return self
                .found(statement.by_number(after, limit), None, is_quick)
                .await;
        };
        let mut found = Vec::new();
        // First those who have a value, then those who have none.
        let key = after.and_then(|place| Some((sorted.bind(place.key.as_ref()?)?, place.customer)));
        if after.is_none() || key.is_some() {
            let statement = Statement::of(self.dialect(), asked, frame, Some((&sorted, true)))?;
            let statement = statement.by_value(&sorted, sort.descending, key, limit);
            found = self.found(statement, Some(&sorted), false).await?;
        }
        let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if left > 0 {
            let last = after.filter(|place| place.key.is_none());
            let statement = Statement::of(self.dialect(), asked, frame, Some((&sorted, false)))?;
            let statement = statement.without_value(last.map(|place| place.customer), left);
            found.extend(self.found(statement, None, false).await?);
        }
        Ok(found)
    }

    /// How many they are.
    pub async fn search_count(&self, asked: &Asked<'_>, frame: &Frame<'_>) -> Result<u64> {
        let statement = Statement::of(self.dialect(), asked, frame, None)?;
        let rows = self.rows(statement.count(), false).await?;
        let count: i64 = rows.first().map_or(Ok(0), Row::take)?;
        Ok(count.unsigned_abs())
    }

    async fn found(
        &self,
        text: Written,
        sorted: Option<&Sorted>,
        is_quick: bool,
    ) -> Result<Vec<Place>> {
        let place = |row: &Row| {
            Ok(Place {
                customer: row.try_get(0)?,
                key: sorted
                    .map(|sorted| sorted.read(row, 1))
                    .transpose()?
                    .flatten(),
            })
        };
        let rows = self.rows(text, is_quick).await?;
        rows.iter().map(place).collect()
    }

    /// The first ones by the index are found at once.
    async fn rows(&self, (sql, binds): Written, is_quick: bool) -> Result<Vec<Row>> {
        let sql = format!("@everywhere(people){sql}");
        if !is_quick {
            return self.scan(sql, binds).await;
        }
        // Planned with its values: how many have a part depends on the part.
        let asked = composed(sql, None, binds).persistent(false);
        asked.fetch_all(self.read()).await
    }
}

/// A whole statement and its values.
type Written = (String, Vec<Bind>);

/// A statement on its way: where it looks, and what must be so.
struct Statement {
    from: String,
    parts: Vec<String>,
    binds: Binds,
    /// Whose number stands for the customer.
    alias: &'static str,
    /// What the customers come in the order of, without one of their own.
    is_by_index: bool,
}

impl Statement {
    /// `by`: what they are sorted by, and whether those who have it are asked for.
    fn of(
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
            is_by_index,
        };
        let activity = by.and_then(|(sorted, has)| Some((sorted.activity?, has)));
        match (asked.words, activity) {
            (Some(words), _) => statement.with_words(dialect, words),
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
    fn with_words(&mut self, dialect: Dialect, words: &Words) {
        self.parts = vec![
            "s.bucket BETWEEN 0 AND 1023".to_owned(),
            "c.bucket = s.bucket".to_owned(),
            "c.customer_id = s.customer_id".to_owned(),
        ];
        "search_texts AS s CROSS JOIN customers AS c".clone_into(&mut self.from);
        if dialect == Dialect::Sqlite {
            self.from.insert_str(0, "search_index CROSS JOIN ");
            let wanted = self.binds.text(&matched(words));
            self.parts.push(format!("search_index MATCH {wanted}"));
            self.parts.push("s.number = search_index.rowid".to_owned());
        }
        let mut alternatives = Vec::new();
        for parts in words.alternatives() {
            let like = |part: &String| format!("%{}%", patterns::literal(part));
            let parts = parts.iter().map(like);
            let parts: Vec<String> = parts
                .map(|like| format!("s.text LIKE {} ESCAPE '\\'", self.binds.text(&like)))
                .collect();
            alternatives.push(format!("({})", parts.join(" AND ")));
        }
        self.parts.push(format!("({})", alternatives.join(" OR ")));
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

    fn without_value(mut self, after: Option<i64>, limit: u32) -> Written {
        if let Some(after) = after {
            let bucket = self.binds.int(i64::from(CustomerId(after).bucket().0));
            let after = self.binds.int(after);
            self.parts.push(format!("c.bucket >= {bucket}"));
            self.parts.push(format!("c.customer_id > {after}"));
        }
        self.select("", "c.bucket, c.customer_id", limit)
    }

    fn by_value(
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

    fn count(self) -> Written {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {}",
            self.from,
            self.parts.join(" AND ")
        );
        (sql, self.binds.values)
    }
}

/// What FTS5 looks up: all runs of characters of one of the alternatives (sqlite.org/fts5.html, section 3).
fn matched(words: &Words) -> String {
    let quoted = |gram: String| format!("\"{}\"", gram.replace('"', "\"\""));
    let alternative = |parts: &Vec<String>| {
        let grams = parts.iter().flat_map(|part| grams(part));
        let grams: Vec<String> = grams.map(quoted).collect();
        format!("({})", grams.join(" AND "))
    };
    let alternatives: Vec<String> = words.alternatives().iter().map(alternative).collect();
    alternatives.join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_never_becomes_syntax() {
        let words = Words::of("a\"b OR* 12-345").unwrap();
        assert_eq!(
            matched(&words),
            "(\"a\"\"b\" AND \"or*\" AND \"12-\" AND \"345\")"
        );
        let words = Words::of("ana 12-345").unwrap();
        assert!(words.alternatives().len() == 1);
        let words = Words::of("(12) 345").unwrap();
        assert_eq!(
            matched(&words),
            "(\"(12\" AND \"12)\" AND \"345\") OR (\"123\" AND \"345\")"
        );
    }
}
