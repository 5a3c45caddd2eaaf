//! Owns tests of a customer's fields as SQL: one value, or a list of them.

use serde_json::json;

use super::bind::Bind;
use super::customer_columns::{Class, Column};
use super::dialect::{Listed, one_of};
use super::error::{Error, Result};
use super::patterns;
use super::segment_dates;
use super::segment_frame::{Binds, Frame, Now, Scale};
use crate::domain::field::{Field, ID};
use crate::domain::revision::NameKind;
use crate::domain::segment::{ManyTest, Test};
use crate::domain::value::{Value, fold};

/// What a test looks at.
struct Subject {
    field: String,
    class: Class,
    /// Whether there is a value, and what it is unless it is a text.
    column: String,
    /// What texts are compared with.
    compared: String,
    /// What patterns are tried on.
    searched: String,
    /// The unique identifier is compared as it is written.
    exact: bool,
}

impl Subject {
    fn of(frame: &Frame<'_>, name: &str) -> Result<Self> {
        if name == ID {
            return Ok(Self {
                field: ID.to_owned(),
                class: Class::Text,
                column: "c.external_id".to_owned(),
                compared: "c.external_id".to_owned(),
                searched: "@lower(c.external_id)".to_owned(),
                exact: true,
            });
        }
        let column = Column::of(field(frame, name)?)?;
        let name = format!("c.{}", column.name);
        let folded = column
            .folded
            .map_or_else(|| name.clone(), |folded| format!("c.{folded}"));
        Ok(Self {
            field: column.field,
            class: column.class,
            column: name,
            compared: folded.clone(),
            searched: folded,
            exact: false,
        })
    }

    fn bind(&self, value: &Value) -> Result<Bind> {
        Ok(match bound(&self.field, self.class, value)? {
            Bind::Text(text) if !self.exact => Bind::Text(fold(&text)),
            bind => bind,
        })
    }

    fn compare(&self, binds: &mut Binds, operator: &str, value: &Value) -> Result<String> {
        let place = binds.add(self.bind(value)?);
        Ok(format!("({} {operator} {place})", self.compared))
    }

    /// Only numbers, dates and instants have an order.
    fn order(&self, binds: &mut Binds, operator: &str, value: &Value) -> Result<String> {
        match self.class {
            Class::Text | Class::Boolean => Err(self.wrong("an order")),
            _ => self.compare(binds, operator, value),
        }
    }

    fn list(&self, binds: &mut Binds, values: &[Value]) -> Result<String> {
        let values: Vec<Bind> = values.iter().map(|v| self.bind(v)).collect::<Result<_>>()?;
        let place = binds.place(Bind::Text(json_list(&values)));
        Ok(one_of(&self.compared, listed(self.class), place))
    }

    fn like(&self, binds: &mut Binds, operator: &str, pattern: &str) -> Result<String> {
        if self.class != Class::Text {
            return Err(self.wrong("a part of a text"));
        }
        let place = binds.text(pattern);
        Ok(format!(
            "({} {operator} {place} ESCAPE '\\')",
            self.searched
        ))
    }

    fn scale(&self) -> Result<Scale> {
        match self.class {
            Class::Date => Ok(Scale::Days),
            Class::Instant => Ok(Scale::Instants),
            _ => Err(self.wrong("a date")),
        }
    }

    fn wrong(&self, wanted: &str) -> Error {
        Error::Unusable(format!(
            "the field `{}` cannot be tested for {wanted}",
            self.field
        ))
    }
}

/// A test of a one-valued field. A missing value meets `missing` alone.
pub(super) fn one(
    frame: &Frame<'_>,
    now: &Now,
    binds: &mut Binds,
    field: &str,
    test: &Test,
) -> Result<String> {
    let subject = Subject::of(frame, field)?;
    let part = |text: &str| patterns::literal(&fold(text));
    match test {
        Test::Is(value) => subject.compare(binds, "=", value),
        Test::IsNot(value) => subject.compare(binds, "<>", value),
        Test::In(values) => Ok(format!("({})", subject.list(binds, values)?)),
        Test::NotIn(values) => {
            let listed = subject.list(binds, values)?;
            Ok(format!("({} IS NOT NULL AND NOT {listed})", subject.column))
        }
        Test::StartsWith(text) => subject.like(binds, "LIKE", &format!("{}%", part(text))),
        Test::EndsWith(text) => subject.like(binds, "LIKE", &format!("%{}", part(text))),
        Test::Contains(text) => subject.like(binds, "LIKE", &format!("%{}%", part(text))),
        Test::DoesNotContain(text) => subject.like(binds, "NOT LIKE", &format!("%{}%", part(text))),
        Test::Matches(glob) => subject.like(binds, "LIKE", &patterns::glob(&fold(glob))),
        Test::LessThan(value) => subject.order(binds, "<", value),
        Test::AtMost(value) => subject.order(binds, "<=", value),
        Test::MoreThan(value) => subject.order(binds, ">", value),
        Test::AtLeast(value) => subject.order(binds, ">=", value),
        Test::Between(low, high) => {
            let low = subject.order(binds, ">=", low)?;
            Ok(format!("({low} AND {})", subject.order(binds, "<=", high)?))
        }
        Test::Date(test) => {
            let scale = subject.scale()?;
            Ok(segment_dates::sql(binds, now, &subject.column, scale, test))
        }
        Test::Exists => Ok(format!("({} IS NOT NULL)", subject.column)),
        Test::Missing => Ok(format!("({} IS NULL)", subject.column)),
    }
}

/// A test of a many-valued field: a set of values, which may be empty.
pub(super) fn many(
    frame: &Frame<'_>,
    binds: &mut Binds,
    name: &str,
    test: &ManyTest,
) -> Result<String> {
    let class = Class::of(field(frame, name)?.kind);
    let number = frame
        .numbers
        .number(NameKind::Field, name)
        .map_or(0, i64::from);
    let values = format!(
        "FROM customer_values AS v WHERE v.bucket = c.bucket AND v.customer_id = c.customer_id \
         AND v.field = {}",
        binds.int(number)
    );
    let mut any_of = |wanted: &[Value]| -> Result<String> {
        let fold_text = |bind| match bind {
            Bind::Text(text) => Bind::Text(fold(&text)),
            bind => bind,
        };
        let wanted: Vec<Bind> = wanted
            .iter()
            .map(|value| bound(name, class, value).map(fold_text))
            .collect::<Result<_>>()?;
        let place = binds.place(Bind::Text(json_list(&wanted)));
        Ok(format!(
            "EXISTS (SELECT 1 {values} AND {})",
            one_of(list_column(class), listed(class), place)
        ))
    };
    Ok(match test {
        ManyTest::Includes(value) => any_of(std::slice::from_ref(value))?,
        ManyTest::IncludesAny(wanted) => any_of(wanted)?,
        ManyTest::IncludesAll(wanted) => {
            let each: Vec<String> = wanted
                .iter()
                .map(|value| any_of(std::slice::from_ref(value)))
                .collect::<Result<_>>()?;
            format!(
                "(1 = 1{})",
                each.iter()
                    .map(|sql| " AND ".to_owned() + sql)
                    .collect::<String>()
            )
        }
        ManyTest::Excludes(value) => format!("NOT {}", any_of(std::slice::from_ref(value))?),
        ManyTest::CountAtLeast(count) => {
            let count = binds.int(*count);
            format!("((SELECT count(*) {values}) >= {count})")
        }
        ManyTest::Exists => format!("EXISTS (SELECT 1 {values})"),
        ManyTest::Missing => format!("NOT EXISTS (SELECT 1 {values})"),
    })
}

fn listed(class: Class) -> Listed {
    match class {
        Class::Text => Listed::Text,
        Class::Number => Listed::Number,
        Class::Integer | Class::Boolean | Class::Date | Class::Instant => Listed::Whole,
    }
}

fn list_column(class: Class) -> &'static str {
    match class {
        Class::Text => "v.folded",
        Class::Number => "v.number",
        Class::Integer | Class::Boolean | Class::Date | Class::Instant => "v.whole",
    }
}

fn field<'a>(frame: &Frame<'a>, name: &str) -> Result<&'a Field> {
    frame
        .revision
        .data_model
        .field(name)
        .ok_or_else(|| Error::NotFound(format!("the field `{name}`")))
}

/// A value as it is stored; an empty text equals no stored one.
fn bound(field: &str, class: Class, value: &Value) -> Result<Bind> {
    Ok(class
        .cell(field, value)?
        .unwrap_or_else(|| Bind::Text(String::new())))
}

fn json_list(binds: &[Bind]) -> String {
    let values: Vec<serde_json::Value> = binds
        .iter()
        .map(|bind| match bind {
            Bind::Text(text) => json!(text),
            Bind::Int(number) => json!(number),
            Bind::Real(number) => json!(number),
        })
        .collect();
    json!(values).to_string()
}
