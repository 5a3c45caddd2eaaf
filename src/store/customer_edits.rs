//! Owns what is done to one customer: setting fields, and deletion with all that is known of them.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::json;

use super::audit;
use super::changes;
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::db::Store;
use super::error::Result;
use super::gathering::Change;
use super::interactions;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::customer::FieldValue;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};

/// Kept until the transaction ends: who is deleted meanwhile would be made anew.
const NAME: &str = "SELECT external_id FROM customers WHERE bucket = $1 AND customer_id = $2@alone";
const END: &str = "UPDATE enrollments SET status = $3, exit_reason = $4, finished_at = $5, \
     due = NULL, parked = NULL, held = NULL \
     WHERE bucket = $1 AND customer_id = $2 AND status < 10";

/// Deletes the rows that belong to the customer's enrollments.
macro_rules! of_enrollments {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE bucket = $1 AND enrollment_id IN (SELECT enrollment_id FROM enrollments \
             WHERE bucket = $1 AND customer_id = $2)"
        )
    };
}

/// Deletes the customer's own rows.
macro_rules! of_customer {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE bucket = $1 AND customer_id = $2"
        )
    };
}

const ERASE: [&str; 12] = [
    of_enrollments!("dispatches"),
    of_enrollments!("attempts"),
    of_enrollments!("frozen_messages"),
    of_customer!("activity"),
    of_customer!("customer_values"),
    of_customer!("customer_tags"),
    of_customer!("subscriptions"),
    of_customer!("dismissals"),
    of_customer!("memberships"),
    of_customer!("dirty"),
    of_customer!("interactions"),
    of_customer!("customers"),
];

pub(super) const STATEMENTS: &[&str] = &[NAME, END];
pub(super) const ERASING: &[&str] = &ERASE;

impl Store {
    /// Sets and clears fields of one customer; false, and nothing written, when all is so already. The
    /// mark that it leaves says that the customer is to be looked at again, whatever is looked at now: so it
    /// waits for nobody who works for the bucket.
    pub async fn set_fields(
        &self,
        customer: CustomerId,
        fields: &[(String, Option<FieldValue>)],
        model: &DataModel,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        self.change(FieldEdit {
            customer,
            fields: fields.to_vec(),
            model: model.clone(),
            by: by.clone(),
            at,
        })
        .await
    }

    /// Deletes a customer and all that is known of them. Their live enrollments end; what stays of
    /// these, of the suppressed address and in the audit carries no field.
    pub async fn delete_customer(
        &self,
        customer: CustomerId,
        by: &By,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.write_about(&[customer]).await?;
        keep(&mut tx, customer).await?;
        let (bucket, number) = (i64::from(customer.bucket().0), customer.0);
        query(END)
            .bind(bucket)
            .bind(number)
            .bind(EnrollmentStatus::Exited.number())
            .bind(ExitReason::CustomerDeleted.number())
            .bind(at.as_microsecond())
            .execute(&mut tx)
            .await?;
        for statement in ERASE {
            query(statement)
                .bind(bucket)
                .bind(number)
                .execute(&mut tx)
                .await?;
        }
        let detail = format!("number {customer}");
        audit::add(&mut tx, by, "customer deleted", Some(&detail), at).await?;
        tx.commit().await
    }
}

/// Fields of one customer that somebody sets.
struct FieldEdit {
    customer: CustomerId,
    fields: Vec<(String, Option<FieldValue>)>,
    model: DataModel,
    by: By,
    at: Timestamp,
}

impl Change for FieldEdit {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.set(tx))
    }
}

impl FieldEdit {
    async fn set(&self, tx: &mut Tx) -> Result<bool> {
        let edit = NewCustomer {
            external_id: keep(tx, self.customer).await?,
            fields: self.fields.clone(),
        };
        let how = Upsert {
            model: &self.model,
            tags: &[],
            consents: &[],
            by: &self.by,
            at: self.at,
        };
        let sheet = Sheet::of(&[edit], how.model)?;
        let done = customer_upsert::apply(tx, &sheet, sheet.rows(), &how).await?;
        if done.updated == 0 {
            return Ok(false);
        }
        let line = changed(self.customer, &self.fields, &self.by, self.at);
        interactions::insert(tx, &[line]).await?;
        Ok(true)
    }
}

/// Keeps a customer from being changed or deleted by others; its unique id.
async fn keep(tx: &mut Tx, customer: CustomerId) -> Result<String> {
    let kept = query_scalar(NAME).bind(i64::from(customer.bucket().0));
    let name: Option<String> = kept.bind(customer.0).fetch_optional(tx).await?;
    name.ok_or_else(|| changes::unknown(customer))
}

/// The line names the fields and never their values.
fn changed(
    customer: CustomerId,
    fields: &[(String, Option<FieldValue>)],
    by: &By,
    at: Timestamp,
) -> Interaction {
    let mut line = changes::line(customer, at, Kind::FieldChanged, by);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(detail) = &mut line.detail {
        detail["fields"] = json!(names);
    }
    line
}
