//! Owns `/customers`: added, shown, edited, deleted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json_};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::made::address;
use super::precondition::{IfMatch, tag};
use super::problem::{FieldError, Problem, bad_fields};
use super::reading::{Body, Named};
use crate::customers::facts::CustomerFacts;
use crate::customers::{batch, json_fields, overview, typing};
use crate::domain::customer_version::Version;
use crate::domain::revision::Revision;
use crate::store::{NewCustomer, Written};
use crate::web::state::WebState;

/// A customer to be added, or changed when there is one with this id.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerInput {
    /// The unique id: 1 to 255 characters.
    #[schema(example = "ana", min_length = 1, max_length = 255)]
    id: String,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, FieldInput>, example = json!({"first_name": "Ana", "city": "Lyon"}))]
    fields: Map<String, Json_>,
}

/// Fields to be set; those that are not named stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerPatch {
    #[schema(value_type = std::collections::BTreeMap<String, FieldInput>, example = json!({"city": "Lyon", "phone": null}))]
    fields: Map<String, Json_>,
}

/// A value of a field: a text, a number or a truth value, a list of them for a many-valued field, null or a
/// blank text to clear it. Dates are `YYYY-MM-DD`, instants RFC 3339.
#[derive(ToSchema)]
#[schema(value_type = Json_)]
#[expect(dead_code, reason = "it describes what is read")]
pub(super) struct FieldInput(Json_);

/// What an edit came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Edited {
    /// The customer's unique id.
    #[schema(example = "ana")]
    pub(super) customer: String,
    pub(super) created: bool,
    /// Whether anything was different before.
    pub(super) changed: bool,
}

/// Add a customer
///
/// Or change the fields of the one who is there: sending the same again changes nothing.
#[utoipa::path(
    post, path = "/customers", tag = "customers", request_body = CustomerInput,
    responses(
        (status = 201, body = Edited, description = "Added.",
            headers(("Location" = String, description = "Where the customer is."))),
        (status = 200, body = Edited, description = "The customer was there."),
    ),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Body(input): Body<CustomerInput>,
) -> Result<impl IntoResponse, Problem> {
    let published = state.daemon.published();
    let revision = &published.revision;
    let customer = input.read(revision).map_err(Problem::invalid)?;
    let (by, at) = (caller.by(), state.clock.now());
    let customers = [customer];
    let written = batch::upsert(&state.store, revision, &customers, &by, at).await?;
    let [customer] = customers;
    let created = written.first() == Some(&Written::Created);
    let edited = Edited {
        changed: written.first() != Some(&Written::Unchanged),
        created,
        customer: customer.external_id,
    };
    let location = address("customers", &edited.customer);
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, [(LOCATION, location)], Json(edited)))
}

impl CustomerInput {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The customer as the store takes it, or everything that is wrong with it.
    pub(super) fn read(&self, revision: &Revision) -> Result<NewCustomer, Vec<FieldError>> {
        let id = typing::read_id(&self.id);
        let fields = json_fields::read(revision, &self.fields);
        match (id, fields) {
            (Ok(id), Ok(fields)) => Ok(NewCustomer {
                external_id: id.to_owned(),
                fields,
            }),
            (id, fields) => {
                let mut errors = Vec::new();
                errors.extend(id.err().map(|reason| FieldError::new("/id", reason)));
                errors.extend(bad_fields("", &fields.err().unwrap_or_default()));
                Err(errors)
            }
        }
    }
}

/// A customer
///
/// Everything that is known but the history, which has an address of its own. For an edit the entity tag
/// holds while nobody edits status, fields, tags, switches, consents, subscriptions or dismissals.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 200, body = CustomerFacts, description = "The customer.",
        headers(("ETag" = String, description = "For `If-Match` of an edit, and `If-None-Match` of another look.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(id): Named,
) -> Result<impl IntoResponse, Problem> {
    let published = state.daemon.published();
    let now = state.clock.now();
    let overview = overview::overview(&state.store, &published.revision, &id, now, 0).await?;
    let tag = tag(Version::of(&overview.customer));
    Ok(([(ETAG, tag)], Json(CustomerFacts::of(&overview))))
}

/// Edit a customer
///
/// Sets the fields that are named. With `If-Match` only while the customer is as it was read, else
/// whoever writes last wins.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", request_body = CustomerPatch,
    params(("id" = String, Path, description = "The unique id."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the customer as it was read.")),
    responses((status = 200, body = Edited, description = "Edited.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn edit(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(id): Named,
    condition: IfMatch,
    Body(patch): Body<CustomerPatch>,
) -> Result<Json<Edited>, Problem> {
    let published = state.daemon.published();
    let revision = &published.revision;
    let fields = json_fields::read(revision, &patch.fields);
    let fields = fields.map_err(|bad| Problem::invalid(bad_fields("", &bad)))?;
    let by = caller.by();
    let edit = condition.edit(&state, revision, &by);
    let changed = edit.set_fields(&id, &fields).await;
    Ok(Json(Edited {
        changed: changed.map_err(|error| condition.told(error))?,
        created: false,
        customer: id,
    }))
}

/// Delete a customer
///
/// With everything that is known of it; live runs through flows end. With `If-Match` only while the
/// customer is as it was read.
#[utoipa::path(
    delete, path = "/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The unique id."),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the customer as it was read.")),
    responses((status = 204, description = "Deleted.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn delete(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(id): Named,
    condition: IfMatch,
) -> Result<StatusCode, Problem> {
    let published = state.daemon.published();
    let by = caller.by();
    let edit = condition.edit(&state, &published.revision, &by);
    let deleted = edit.delete(&id).await;
    deleted.map_err(|error| condition.told(error))?;
    Ok(StatusCode::NO_CONTENT)
}
