//! Owns the data model: `/fields` and `/tags`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Caller, DefinitionsRead};
use crate::domain::field::{
    Cardinality, Field, FieldCategory, FieldType, Validation, built_in_fields,
};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Fields {
    fields: Vec<FieldFacts>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FieldFacts {
    #[schema(example = "city")]
    identifier: String,
    description: String,
    r#type: FieldType,
    category: FieldCategory,
    cardinality: Cardinality,
    /// What a choice may be.
    choices: Vec<String>,
    validations: Vec<Validation>,
    /// Whether every workspace has it.
    built_in: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tags {
    tags: Vec<TagFacts>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TagFacts {
    #[schema(example = "vip")]
    tag: String,
    description: Option<String>,
    /// `#rrggbb`
    #[schema(example = "#0a7d5a")]
    color: Option<String>,
}

/// Fields
///
/// What customers have, built in and declared, in that order.
#[utoipa::path(
    get, path = "/fields", tag = "definitions",
    responses((status = 200, body = Fields, description = "All fields.")),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn fields(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
) -> Json<Fields> {
    let published = state.daemon.published();
    let built_in = built_in_fields();
    let facts = |field: &Field| FieldFacts {
        identifier: field.identifier.clone(),
        description: field.description.clone(),
        r#type: field.kind,
        category: field.category,
        cardinality: field.cardinality,
        choices: field.choices.clone(),
        validations: field.validations.clone(),
        built_in: built_in
            .iter()
            .any(|own| own.identifier == field.identifier),
    };
    let fields = published.revision.data_model.fields.iter();
    Json(Fields {
        fields: fields.map(facts).collect(),
    })
}

/// Tags
///
/// Those that may be put on customers.
#[utoipa::path(
    get, path = "/tags", tag = "definitions",
    responses((status = 200, body = Tags, description = "All tags.")),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn tags(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
) -> Json<Tags> {
    let published = state.daemon.published();
    let tags = published.revision.data_model.tags.iter();
    Json(Tags {
        tags: tags
            .map(|(name, tag)| TagFacts {
                tag: name.clone(),
                description: tag.description.clone(),
                color: tag.color.clone(),
            })
            .collect(),
    })
}
