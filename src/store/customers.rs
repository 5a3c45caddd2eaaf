//! Owns customers: reading whole records, and finding them.

use std::collections::HashMap;

use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, Sqlite, Transaction};

use super::customer_columns::{Class, Column, one_valued, selected};
use super::customer_lists;
use super::db::Store;
use super::dialect::ids;
use super::error::Result;
use super::instants::instant;
use super::patterns;
use crate::domain::customer::{Consents, Customer, FieldValue, Fields, Status, Switches};
use crate::domain::field::{Cardinality, DataModel};
use crate::domain::ids::{Bucket, CustomerId};
use crate::domain::subscription::Consent;
use crate::domain::value::{Value, fold};

const BASE: &str = "c.customer_id, c.external_id, c.status, c.identified, c.outbound_on, \
     c.email_on, c.sms_on, c.push_on, c.email_consent, c.sms_consent, c.push_consent, \
     c.consent_rev, c.created_at, c.last_activity_at";
const BASE_COLUMNS: usize = 14;

const ID_OF: &str = "SELECT customer_id FROM customers WHERE bucket = $1 AND external_id = $2";
const COUNT: &str = "SELECT count(*) FROM customers WHERE bucket BETWEEN 0 AND 1023";
const VALUES: &str = concat!(
    "SELECT v.customer_id, n.name, v.text, v.whole, v.number FROM ",
    ids!(),
    " AS k CROSS JOIN customer_values AS v CROSS JOIN names AS n WHERE v.bucket = k.bucket \
     AND v.customer_id = k.id AND n.number = v.field ORDER BY v.customer_id, v.field, v.position"
);
const TAGS: &str = concat!(
    "SELECT t.customer_id, n.name FROM ",
    ids!(),
    " AS k CROSS JOIN customer_tags AS t CROSS JOIN names AS n WHERE t.bucket = k.bucket \
     AND t.customer_id = k.id AND n.number = t.tag ORDER BY t.customer_id, n.name"
);
/// The exact identifier first; then whatever begins like the text.
const FIND: &str = "SELECT c.customer_id FROM customers AS c WHERE c.bucket BETWEEN 0 AND 1023 \
     AND (c.external_id = $1 OR c.n_email LIKE $2 ESCAPE '\\' OR c.n_phone LIKE $2 ESCAPE '\\' \
     OR c.n_first_name LIKE $2 ESCAPE '\\' OR c.n_last_name LIKE $2 ESCAPE '\\' \
     OR c.n_first_name || ' ' || c.n_last_name LIKE $2 ESCAPE '\\' \
     OR lower(c.external_id) LIKE $2 ESCAPE '\\') \
     ORDER BY CASE WHEN c.external_id = $1 THEN 0 ELSE 1 END, c.external_id LIMIT $3";

pub(super) const STATEMENTS: &[&str] = &[ID_OF, COUNT, VALUES, TAGS, FIND];

impl Store {
    pub async fn customer(&self, external_id: &str, model: &DataModel) -> Result<Option<Customer>> {
        let Some(id) = self.customer_id(external_id).await? else {
            return Ok(None);
        };
        Ok(self.customers(&[id], model).await?.pop())
    }

    /// The customers of these numbers that exist, in the order asked for: one statement for the
    /// records, one for many-valued fields, one for tags, all of one moment.
    pub async fn customers(
        &self,
        customers: &[CustomerId],
        model: &DataModel,
    ) -> Result<Vec<Customer>> {
        let numbers: Vec<i64> = customers.iter().map(|id| id.0).collect();
        let numbers = json!(numbers).to_string();
        let columns = one_valued(model)?;
        let mut tx = self.read().begin().await?;
        let mut found: HashMap<CustomerId, Customer> = HashMap::with_capacity(customers.len());
        let rows = sqlx::query(AssertSqlSafe(select(&columns)))
            .bind(&numbers)
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            let customer = read(row, &columns)?;
            found.insert(customer.id, customer);
        }
        add_values(&mut tx, &numbers, model, &mut found).await?;
        add_tags(&mut tx, &numbers, &mut found).await?;
        Ok(customers.iter().filter_map(|id| found.remove(id)).collect())
    }

    pub async fn customer_id(&self, external_id: &str) -> Result<Option<CustomerId>> {
        let number: Option<i64> = sqlx::query_scalar(ID_OF)
            .bind(i64::from(Bucket::of(external_id).0))
            .bind(external_id)
            .fetch_optional(self.read())
            .await?;
        Ok(number.map(CustomerId))
    }

    /// The customers whose identifier, e-mail address, phone number or name begins like the text.
    pub async fn find_customers(
        &self,
        text: &str,
        limit: u32,
        model: &DataModel,
    ) -> Result<Vec<Customer>> {
        let numbers: Vec<i64> = sqlx::query_scalar(FIND)
            .bind(text)
            .bind(format!("{}%", patterns::literal(&fold(text))))
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        let customers: Vec<CustomerId> = numbers.into_iter().map(CustomerId).collect();
        self.customers(&customers, model).await
    }

    pub async fn customer_count(&self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(self.read()).await?;
        Ok(count.unsigned_abs())
    }
}

fn select(columns: &[Column]) -> String {
    let fields = selected(columns);
    format!(
        "SELECT {BASE}{fields} FROM {} AS k CROSS JOIN customers AS c \
         WHERE c.bucket = k.bucket AND c.customer_id = k.id",
        ids!()
    )
}

fn read(row: &SqliteRow, columns: &[Column]) -> Result<Customer> {
    let number = |place| row.try_get::<i64, usize>(place);
    let on = |place| number(place).map(|n| n != 0);
    let consent = |place| number(place).map(Consent::from_number);
    Ok(Customer {
        id: CustomerId(number(0)?),
        external_id: row.try_get(1)?,
        status: Status::from_number(number(2)?),
        identified: on(3)?,
        switches: Switches {
            outbound: on(4)?,
            email: on(5)?,
            sms: on(6)?,
            push: on(7)?,
        },
        consents: Consents {
            email: consent(8)?,
            sms: consent(9)?,
            push: consent(10)?,
        },
        consent_rev: number(11)?,
        created_at: instant(number(12)?)?,
        last_activity_at: row
            .try_get::<Option<i64>, _>(13)?
            .map(instant)
            .transpose()?,
        fields: fields(row, columns)?,
        tags: Vec::new(),
    })
}

fn fields(row: &SqliteRow, columns: &[Column]) -> Result<Fields> {
    let mut fields = Fields::new();
    for (column, place) in columns.iter().zip(BASE_COLUMNS..) {
        if let Some(value) = column.class.value(column.class.read(row, place)?)? {
            fields.insert(column.field.clone(), FieldValue::One(value));
        }
    }
    Ok(fields)
}

async fn add_values(
    tx: &mut Transaction<'_, Sqlite>,
    numbers: &str,
    model: &DataModel,
    found: &mut HashMap<CustomerId, Customer>,
) -> Result<()> {
    let many = |name: &str| {
        let field = model.field(name)?;
        (field.cardinality == Cardinality::Many).then(|| Class::of(field.kind))
    };
    if !model.fields.iter().any(|f| many(&f.identifier).is_some()) {
        return Ok(());
    }
    for row in sqlx::query(VALUES)
        .bind(numbers)
        .fetch_all(&mut **tx)
        .await?
    {
        let (id, name): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(class) = many(&name) else { continue };
        let value = class.value(customer_lists::read(class, &row, 2)?)?;
        if let (Some(value), Some(customer)) = (value, found.get_mut(&CustomerId(id))) {
            push(&mut customer.fields, name, value);
        }
    }
    Ok(())
}

fn push(fields: &mut Fields, name: String, value: Value) {
    let entry = fields.entry(name);
    if let FieldValue::Many(values) = entry.or_insert_with(|| FieldValue::Many(Vec::new())) {
        values.push(value);
    }
}

async fn add_tags(
    tx: &mut Transaction<'_, Sqlite>,
    numbers: &str,
    found: &mut HashMap<CustomerId, Customer>,
) -> Result<()> {
    for row in sqlx::query(TAGS).bind(numbers).fetch_all(&mut **tx).await? {
        if let Some(customer) = found.get_mut(&CustomerId(row.try_get(0)?)) {
            customer.tags.push(row.try_get(1)?);
        }
    }
    Ok(())
}
