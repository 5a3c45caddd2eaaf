//! Owns customers: reading whole records, and finding them.

use std::collections::HashMap;

use serde::Deserialize;

use super::among::numbers;
use super::bind::Cell;
use super::customer_columns::{self, Class, Column, one_valued};
use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::error::Result;
use super::instants::instant;
use super::listing::{json, listed};
use super::sql::{query, query_scalar};
use super::tx::On;
use crate::domain::customer::{Consents, Customer, FieldValue, Fields, Status, Switches};
use crate::domain::field::{Cardinality, DataModel};
use crate::domain::ids::{Bucket, CustomerId};
use crate::domain::subscription::Consent;

const BASE: &str = "@array(c.customer_id, c.external_id, c.status, c.status_reason, c.identified, \
     @array(c.outbound_on, c.email_on, c.sms_on, c.push_on), \
     @array(c.email_consent, c.sms_consent, c.push_consent), \
     c.consent_rev, c.created_at, y.last_activity_at, y.last_transaction_at)";
const TAGS: &str = "@json(SELECT @list(n.name ORDER BY n.name) FROM customer_tags AS t \
     CROSS JOIN names AS n WHERE t.bucket = c.bucket AND t.customer_id = c.customer_id \
     AND n.number = t.tag)";
const NONE: &str = "@array()";
const ID_OF: &str = "SELECT customer_id FROM customers WHERE bucket = $1 AND external_id = $2";
/// Where the id of somebody who was merged leads.
const ALIAS_OF: &str = "SELECT leads_to FROM aliases WHERE bucket = $1 AND external_id = $2";
const IDS_OF: &str = concat!(
    listed!("j.external_id, c.customer_id"),
    rows!(bucket BIGINT 0, external_id TEXT 1),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.bucket AND c.external_id = j.external_id"
);
const COUNT: &str =
    "@everywhere(people)SELECT count(*) FROM customers WHERE bucket BETWEEN 0 AND 1023";

pub(super) const STATEMENTS: &[&str] = &[ID_OF, ALIAS_OF, IDS_OF, COUNT];

/// What is read of customers beside what all have: the fields of a model, and whether their tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub model: DataModel,
    pub tags: bool,
}

impl Store {
    pub async fn customer(&self, external_id: &str, model: &DataModel) -> Result<Option<Customer>> {
        let Some(id) = self.customer_id(external_id).await? else {
            return Ok(None);
        };
        Ok(self.customers(&[id], model).await?.pop())
    }

    /// The customers of these numbers that exist, in the order asked for, all of one moment.
    pub async fn customers(
        &self,
        customers: &[CustomerId],
        model: &DataModel,
    ) -> Result<Vec<Customer>> {
        records(customers, model, TAGS, self.read()).await
    }

    /// The same with no more than is wanted: what is not read costs nothing.
    pub async fn customers_with(
        &self,
        customers: &[CustomerId],
        wanted: &Wanted,
    ) -> Result<Vec<Customer>> {
        let tags = if wanted.tags { TAGS } else { NONE };
        records(customers, &wanted.model, tags, self.read()).await
    }

    /// The number of a customer, by their own unique id or one that was merged into them.
    pub async fn customer_id(&self, external_id: &str) -> Result<Option<CustomerId>> {
        for statement in [ID_OF, ALIAS_OF] {
            let number: Option<i64> = query_scalar(statement)
                .bind(i64::from(Bucket::of(external_id).0))
                .bind(external_id)
                .fetch_optional(self.read())
                .await?;
            if number.is_some() {
                return Ok(number.map(CustomerId));
            }
        }
        Ok(None)
    }

    /// The numbers of those of the unique ids that are there.
    pub async fn customer_ids(
        &self,
        external_ids: &[String],
    ) -> Result<HashMap<String, CustomerId>> {
        let ids = external_ids.iter().map(String::as_str);
        numbers_of(ids, self.read()).await
    }

    pub async fn customer_count(&self) -> Result<u64> {
        let count: i64 = query_scalar(COUNT).fetch_one(self.read()).await?;
        Ok(count.unsigned_abs())
    }
}

/// The numbers of those of the unique ids that are there.
pub(super) async fn numbers_of<'c>(
    external_ids: impl Iterator<Item = &str>,
    on: impl Into<On<'c>>,
) -> Result<HashMap<String, CustomerId>> {
    let asked: Vec<(u16, &str)> = external_ids.map(|id| (Bucket::of(id).0, id)).collect();
    let rows: Vec<(String, i64)> = listed(query(IDS_OF).bind(json(&asked)), on).await?;
    let rows = rows.into_iter();
    Ok(rows.map(|(name, id)| (name, CustomerId(id))).collect())
}

/// Whole records, with their tags.
pub(super) async fn whole<'c>(
    customers: &[CustomerId],
    model: &DataModel,
    on: impl Into<On<'c>>,
) -> Result<Vec<Customer>> {
    records(customers, model, TAGS, on).await
}

/// The same without tags.
pub(super) async fn plain<'c>(
    customers: &[CustomerId],
    model: &DataModel,
    on: impl Into<On<'c>>,
) -> Result<Vec<Customer>> {
    records(customers, model, NONE, on).await
}

async fn records<'c>(
    customers: &[CustomerId],
    model: &DataModel,
    tags: &str,
    on: impl Into<On<'c>>,
) -> Result<Vec<Customer>> {
    let columns = one_valued(model)?;
    let query = query(select(&columns, model, tags)).bind(numbers(customers));
    let rows: Vec<Record> = listed(query, on).await?;
    let mut found: HashMap<CustomerId, Customer> = HashMap::with_capacity(rows.len());
    for row in rows {
        let customer = read(row, &columns, model)?;
        found.insert(customer.id, customer);
    }
    Ok(customers.iter().filter_map(|id| found.remove(id)).collect())
}

/// A customer as the statement lists it.
#[derive(Deserialize)]
struct Record {
    base: Base,
    /// One-valued fields in the columns' order, in chunks.
    fields: Vec<Vec<Cell>>,
    tags: Vec<String>,
    several: Vec<Several>,
}

#[derive(Deserialize)]
struct Base {
    id: i64,
    external_id: String,
    status: i64,
    status_reason: Option<String>,
    identified: i64,
    switches: [i64; 4],
    consents: [i64; 3],
    consent_rev: i64,
    created_at: i64,
    last_activity_at: Option<i64>,
    last_transaction_at: Option<i64>,
}

/// One value of a many-valued field, in the column of its class.
#[derive(Deserialize)]
struct Several {
    field: String,
    text: Cell,
    whole: Cell,
    number: Cell,
}

fn select(columns: &[Column], model: &DataModel, tags: &str) -> String {
    format!(
        "SELECT @list(@array({BASE}, {fields}, {tags}, {values})) \
         FROM {ids} AS k CROSS JOIN customers AS c LEFT JOIN activity AS y \
         ON y.bucket = c.bucket AND y.customer_id = c.customer_id \
         WHERE c.bucket = k.bucket AND c.customer_id = k.id",
        fields = customer_columns::listed(columns),
        values = values(model),
        ids = ids!(),
    )
}

/// The values of many-valued fields, a name and the three columns each.
fn values(model: &DataModel) -> String {
    let mut fields = model.fields.iter();
    if !fields.any(|field| field.cardinality == Cardinality::Many) {
        return NONE.to_owned();
    }
    format!(
        "@json(SELECT @list(@array(n.name, v.text, v.whole, {number}) \
         ORDER BY v.field, v.position) FROM customer_values AS v CROSS JOIN names AS n \
         WHERE v.bucket = c.bucket AND v.customer_id = c.customer_id AND n.number = v.field)",
        number = "@exact(v.number)"
    )
}

fn read(record: Record, columns: &[Column], model: &DataModel) -> Result<Customer> {
    let base = record.base;
    let [outbound, email, sms, push] = base.switches.map(|on| on != 0);
    let switches = Switches {
        outbound,
        email,
        sms,
        push,
    };
    let [email, sms, push] = base.consents.map(Consent::from_number);
    let mut fields = one_values(record.fields, columns)?;
    for value in record.several {
        add_several(&mut fields, value, model)?;
    }
    Ok(Customer {
        id: CustomerId(base.id),
        external_id: base.external_id,
        status: Status::from_number(base.status),
        status_reason: base.status_reason,
        identified: base.identified != 0,
        switches,
        consents: Consents { email, sms, push },
        consent_rev: base.consent_rev,
        created_at: instant(base.created_at)?,
        last_activity_at: base.last_activity_at.map(instant).transpose()?,
        last_transaction_at: base.last_transaction_at.map(instant).transpose()?,
        fields,
        tags: record.tags,
    })
}

fn one_values(cells: Vec<Vec<Cell>>, columns: &[Column]) -> Result<Fields> {
    let mut fields = Fields::new();
    for (column, cell) in columns.iter().zip(cells.into_iter().flatten()) {
        if let Some(value) = column.class.value(column.class.listed(cell))? {
            fields.insert(column.field.clone(), FieldValue::One(value));
        }
    }
    Ok(fields)
}

/// A value of a field that the model has no longer, or with one value now, is passed over.
fn add_several(fields: &mut Fields, value: Several, model: &DataModel) -> Result<()> {
    let field = model.field(&value.field);
    let Some(field) = field.filter(|field| field.cardinality == Cardinality::Many) else {
        return Ok(());
    };
    let class = Class::of(field.kind);
    let cell = match class {
        Class::Text => value.text,
        Class::Number => value.number,
        Class::Integer | Class::Boolean | Class::Date | Class::Instant => value.whole,
    };
    // What has no value of this type is of another, from before the type changed.
    let Some(one) = class.value(class.listed(cell))? else {
        return Ok(());
    };
    let entry = fields.entry(value.field);
    if let FieldValue::Many(values) = entry.or_insert_with(|| FieldValue::Many(Vec::new())) {
        values.push(one);
    }
    Ok(())
}
