//! Owns one customer's record: finding it, adding it, setting its fields, deleting it.

use jiff::Timestamp;

use super::error::Error;
use super::names::UnknownName;
use super::traces;
use super::typing::{Typing, read_id};
use crate::domain::audit::By;
use crate::domain::customer::{Customer, FieldValue};
use crate::domain::field::{DataModel, Field, ID};
use crate::domain::ids::CustomerId;
use crate::domain::revision::Revision;
use crate::store::{NewCustomer, Store, Upsert};

/// What stands between the values of a many-valued field when a person writes them.
pub const BETWEEN_VALUES: char = ';';

/// What is computed, and is no field.
const RATING: &str = "rating";

/// A field's identifier and the text written for it; a blank text clears the field.
pub type WrittenField = (String, String);

pub async fn id_of(store: &Store, customer: &str) -> Result<CustomerId, Error> {
    let id = store.customer_id(customer).await?;
    id.ok_or_else(|| Error::UnknownCustomer(customer.to_owned()))
}

pub async fn customer(
    store: &Store,
    revision: &Revision,
    customer: &str,
) -> Result<Customer, Error> {
    let found = store.customer(customer, &revision.data_model).await?;
    found.ok_or_else(|| Error::UnknownCustomer(customer.to_owned()))
}

/// Sets fields of a customer, typed and validated. `false`: they had these values before.
pub async fn set_fields(
    store: &Store,
    revision: &Revision,
    customer: &str,
    written: &[WrittenField],
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let fields = read_fields(revision, written)?;
    let id = id_of(store, customer).await?;
    let changed = store
        .set_fields(id, &fields, &revision.data_model, by, at)
        .await?;
    Ok(changed)
}

/// Adds a customer. `false`: there was one with this id, whose fields are set instead.
pub async fn add(
    store: &Store,
    revision: &Revision,
    customer: &str,
    written: &[WrittenField],
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let added = read_new(revision, customer, written)?;
    let external_id = added.external_id.clone();
    // Perhaps by an id that was merged into theirs.
    if let Some(id) = store.customer_id(&external_id).await? {
        let model = &revision.data_model;
        store.set_fields(id, &added.fields, model, by, at).await?;
        return Ok(false);
    }
    let upsert = Upsert {
        model: &revision.data_model,
        tags: &[],
        consents: &[],
        by,
        at,
    };
    let upserted = store.upsert_customers(&[added], &upsert).await?;
    if upserted.created > 0 {
        let number = store.customer_id(&external_id).await?;
        let number = number.map(|id| format!("number {id}")).unwrap_or_default();
        store.audit(by, "customer-added", Some(&number), at).await?;
    }
    Ok(upserted.created > 0)
}

/// Removes a customer with everything that is known of it, and ends its enrollments.
pub async fn delete(store: &Store, customer: &str, by: &By, at: Timestamp) -> Result<(), Error> {
    let id = id_of(store, customer).await?;
    store.delete_customer(id, by, at).await?;
    traces::remove(store).await
}

/// A customer to add, with its fields typed and validated.
pub(super) fn read_new(
    revision: &Revision,
    customer: &str,
    written: &[WrittenField],
) -> Result<NewCustomer, Error> {
    let external_id = read_id(customer).map_err(|reason| Error::BadValue {
        field: ID.to_owned(),
        reason,
    })?;
    Ok(NewCustomer {
        external_id: external_id.to_owned(),
        fields: read_fields(revision, written)?,
    })
}

fn read_fields(
    revision: &Revision,
    written: &[WrittenField],
) -> Result<Vec<(String, Option<FieldValue>)>, Error> {
    let typing = Typing::new(revision);
    written
        .iter()
        .map(|field| read_field(revision, &typing, field))
        .collect()
}

/// A field that people may set.
pub(super) fn field<'a>(model: &'a DataModel, name: &str) -> Result<&'a Field, Error> {
    if let Some(field) = model.field(name) {
        return Ok(field);
    }
    if name == RATING {
        let reason =
            "is computed from what customers do and what is sent to them, and nobody can set it";
        return Err(Error::BadValue {
            field: name.to_owned(),
            reason: reason.to_owned(),
        });
    }
    let known = model.fields.iter().map(|field| field.identifier.as_str());
    Err(UnknownName::new("field", name, known).into())
}

fn read_field(
    revision: &Revision,
    typing: &Typing,
    (name, text): &WrittenField,
) -> Result<(String, Option<FieldValue>), Error> {
    let model = &revision.data_model;
    let field = field(model, name)?;
    let value = typing.read(field, text, BETWEEN_VALUES);
    let value = value.map_err(|reason| Error::BadValue {
        field: name.clone(),
        reason,
    })?;
    Ok((name.clone(), value))
}
