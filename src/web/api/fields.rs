//! Owns `/fields`: the data model, and what people add to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json_};
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsRead, DefinitionsWrite};
use super::defining::{Asking, Given, Known, body_of, terms};
use super::made::Created;
use super::paging::{Page, PageQuery, Paging};
use super::precondition::{IfVersion, version_tag};
use super::problem::Problem;
use super::reading::{Asked, Body, Named};
use crate::definitions::change::{Done, Terms};
use crate::definitions::facts::FieldFacts;
use crate::definitions::survey::Survey;
use crate::domain::definition::DefinitionKind;
use crate::domain::field::{Cardinality, FieldCategory, FieldType};
use crate::web::state::WebState;

const KIND: DefinitionKind = DefinitionKind::Field;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldsPage {
    fields: Vec<FieldFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// A check on each value: exactly one rule, and what is said when it fails.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ValidationInput {
    #[schema(example = "must begin with @")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "@")]
    starts_with: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_with: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    /// A glob: `*` any run, `?` one character.
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    at_least: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    at_most: Option<Number>,
    /// An expression over `value` that must be true, such as `value|length <= 31`.
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
}

/// A field to be added; the keys are those of the flow language.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldDefinition {
    /// Lower-case letters, digits and `_`, a letter first; kept for ever. A field that every workspace has
    /// may be given rules.
    #[schema(
        example = "instagram_profile",
        min_length = 1,
        max_length = 48,
        pattern = "^[a-z][a-z0-9_]*$"
    )]
    identifier: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Instagram profile")]
    description: Option<String>,
    /// Needed, but for a field that every workspace has.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<FieldType>,
    /// `profile` unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<FieldCategory>,
    /// `one` unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    cardinality: Option<Cardinality>,
    /// The values of a `choice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validate: Option<Vec<ValidationInput>>,
}

/// What is to change of a field; null takes a key away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<FieldType>)]
    r#type: Given<FieldType>,
    #[serde(default)]
    #[schema(value_type = Option<FieldCategory>)]
    category: Given<FieldCategory>,
    #[serde(default)]
    #[schema(value_type = Option<Cardinality>)]
    cardinality: Given<Cardinality>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    choices: Given<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<ValidationInput>>)]
    validate: Given<Vec<ValidationInput>>,
}

impl FieldPatch {
    fn body(&self) -> Map<String, Json_> {
        let mut body = Map::new();
        self.description.put("description", &mut body);
        self.r#type.put("type", &mut body);
        self.category.put("category", &mut body);
        self.cardinality.put("cardinality", &mut body);
        self.choices.put("choices", &mut body);
        self.validate.put("validate", &mut body);
        body
    }
}

/// What a change of a field came to, or would.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldChange {
    #[schema(example = "instagram_profile")]
    identifier: String,
    /// The revision in force with it; null for a dry run.
    revision: Option<i32>,
    /// Whether anything is different, or would be.
    changed: bool,
    /// What becomes of the values that customers have, where their type, cardinality, choices or rules
    /// change.
    values: Option<Survey>,
}

impl FieldChange {
    fn of(identifier: String, done: &Done) -> Self {
        Self {
            identifier,
            revision: done.revision.map(|revision| revision.0),
            changed: done.changed,
            values: done.survey.clone(),
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub(super) struct ChangeQuery {
    /// Only says what would become of the values.
    dry_run: Option<bool>,
    /// Values that do not convert may go; without it such a change is refused.
    drop_unconvertible: Option<bool>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub(super) struct RemovalQuery {
    /// Erases the values that customers have; otherwise a field of the same identifier and type finds them
    /// again.
    erase_values: Option<bool>,
}

/// Fields, page by page
///
/// What customers have, by identifier: built in, from files, and made in the store.
#[utoipa::path(
    get, path = "/fields", tag = "definitions", params(PageQuery),
    responses((status = 200, body = FieldsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    paging: Paging,
) -> Result<Page<FieldsPage>, Problem> {
    let known = Known::of(&state).await?;
    let all = known.told().fields();
    let (fields, next) = paging.part_of(all, |_, field| field.identifier.clone())?;
    Ok(paging.page(next, |next| FieldsPage { fields, next }))
}

/// Add a field
///
/// It is in force at once on all nodes, and customers can be given values. What a file defines is changed
/// there.
#[utoipa::path(
    post, path = "/fields", tag = "definitions", request_body = FieldDefinition,
    responses((status = 201, body = FieldChange, description = "Added.",
        headers(("Location" = String, description = "Where the field is.")))),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Body(input): Body<FieldDefinition>,
) -> Result<Created<FieldChange>, Problem> {
    let body = body_of(&input, KIND);
    let asking = Asking::of(&state, &caller, KIND, input.identifier);
    asking.add(body, FieldChange::of).await
}

/// A field
///
/// With where it is defined, by whom, and its rules.
#[utoipa::path(
    get, path = "/fields/{id}", tag = "definitions",
    params(("id" = String, Path, description = "The field's identifier.")),
    responses((status = 200, body = FieldFacts, description = "The field.",
        headers(("ETag" = String, description = "For `If-Match` of an edit, and `If-None-Match` of another look.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::of(&state).await?;
    let field = known.told().field(&name);
    let field = field.ok_or_else(|| Problem::not_found(format!("there is no field `{name}`")))?;
    Ok(([(ETAG, version_tag(field.made.version))], Json(field)))
}

/// Change a field
///
/// A changed type or cardinality converts the values that customers have. It is refused while some do not
/// convert, unless they may go; rules that are added do not touch what is stored. A dry run says all of it
/// beforehand.
#[utoipa::path(
    patch, path = "/fields/{id}", tag = "definitions", request_body = FieldPatch,
    params(("id" = String, Path, description = "The field's identifier."), ChangeQuery,
        ("If-Match" = Option<String>, Header, description = "The entity tag of the field as it was read.")),
    responses((status = 200, body = FieldChange, description = "Changed, or what would become of the values.")),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn change(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    Asked(query): Asked<ChangeQuery>,
    condition: IfVersion,
    Body(patch): Body<FieldPatch>,
) -> Result<Json<FieldChange>, Problem> {
    let terms = Terms {
        dry_run: query.dry_run.unwrap_or(false),
        drops: query.drop_unconvertible.unwrap_or(false),
        ..terms(&condition)
    };
    let asking = Asking::of(&state, &caller, KIND, name);
    asking.edit(patch.body(), terms, FieldChange::of).await
}

/// Remove a field
///
/// Refused while a segment, a template or anything else names it.
#[utoipa::path(
    delete, path = "/fields/{id}", tag = "definitions",
    params(("id" = String, Path, description = "The field's identifier."), RemovalQuery,
        ("If-Match" = Option<String>, Header, description = "The entity tag of the field as it was read.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    Asked(query): Asked<RemovalQuery>,
    condition: IfVersion,
) -> Result<StatusCode, Problem> {
    let terms = Terms {
        erases: query.erase_values.unwrap_or(false),
        ..terms(&condition)
    };
    let asking = Asking::of(&state, &caller, KIND, name);
    asking.remove(terms).await
}
