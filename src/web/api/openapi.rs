//! Owns the description of the API: `OpenAPI` 3.1, made from the handlers, with what goes for all of them.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::limits::{BODY, LARGE_BODY};
use super::problem::{FieldError, Kind, Problem};
use crate::customers::imports::spool::MOST_BYTES;
use crate::customers::occurrence_form::WrittenOccurrence;

const INTRODUCTION: &str = "Customers and what they agree to, segments, flows, and what runs. Errors are \
     `application/problem+json` (RFC 9457). Lists come page by page: `next` is the cursor of the next page, \
     and the `Link` header its address. Instants are RFC 3339 in UTC; ids are texts. A token carries \
     scopes; each operation names the one that it needs, and `admin` includes all. A token may ask 50 \
     times in a second and 200 times at once, unless the daemon's settings say otherwise.";

/// `*`, or entity tags (RFC 9110 §8.8.3) with commas between them.
const ENTITY_TAGS: &str = "^(\\*|(W/)?\"[!#-~]*\"(, *(W/)?\"[!#-~]*\")*)$";

/// Of these no answer is kept: one holds a secret, the others only ask.
const UNKEYED: [&str; 4] = [
    "/tokens",
    "/imports",
    "/customers/search",
    "/segments/count",
];

#[derive(OpenApi)]
#[openapi(
    info(title = "Drumbeat"),
    components(schemas(Problem, FieldError, WrittenOccurrence)),
    tags(
        (name = "customers", description = "Customers, their histories, and why they are where they are."),
        (name = "imports", description = "Files of customers: looked at, saved, taken back."),
        (name = "consent", description = "What customers agree to, give up and take back."),
        (name = "interactions", description = "What customers did, told by other systems."),
        (name = "definitions", description = "Segments, smart lists, flows, fields and tags."),
        (name = "jobs", description = "What is done to many customers in the background."),
        (name = "operations", description = "What runs, and stopping it."),
        (name = "tokens", description = "The tokens of this API."),
    ),
)]
struct Described;

/// The whole document.
pub(super) fn document(operations: utoipa::openapi::OpenApi) -> Value {
    let mut described = Described::openapi();
    described.merge(operations);
    let mut document = serde_json::to_value(described).unwrap_or_default();
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    document["info"]["description"] = json!(INTRODUCTION);
    document["servers"] = json!([{ "url": "/api/v1" }]);
    document["components"]["schemas"]["FieldInput"] = field_input();
    document["components"]["schemas"]["InteractionEntry"] = interaction_entry();
    document["components"]["securitySchemes"] = json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `drumbeat token create`: `Authorization: Bearer drb_…`",
        },
    });
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                complete(method, path, operation);
            }
        }
    }
    document
}

fn field_input() -> Value {
    let scalar = json!({ "type": ["string", "number", "boolean", "null"] });
    json!({
        "description": "A value of a field: a text, a number or a truth value, a list of them for a \
            many-valued field, null or a blank text to clear it. Dates are `YYYY-MM-DD`, instants RFC 3339.",
        "anyOf": [scalar, { "type": "array", "items": scalar }],
    })
}

fn interaction_entry() -> Value {
    json!({
        "description": "Something that a customer did; anything else is answered as `invalid`.",
        "anyOf": [{ "$ref": "#/components/schemas/WrittenOccurrence" }, {}],
    })
}

/// Adds what goes for every operation of its shape.
fn complete(method: &str, path: &str, operation: &mut Value) {
    operation["operationId"] = json!(name(method, path));
    let is_keyed = method == "post" && !UNKEYED.contains(&path);
    if is_keyed {
        take(operation, idempotency_key());
    }
    if !operation["responses"]["200"]["headers"]["ETag"].is_null() {
        take(operation, if_none_match());
        operation["responses"]["304"] = unmodified();
    }
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    parameters.into_iter().flatten().for_each(narrow);
    let answers = answers(operation, (method, path), is_keyed);
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, response) in answers {
            responses.entry(status).or_insert(response);
        }
    }
}

/// Adds a parameter to those that an operation takes.
fn take(operation: &mut Value, parameter: Value) {
    let parameters = &mut operation["parameters"];
    if !parameters.is_array() {
        *parameters = json!([]);
    }
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(parameter);
    }
}

/// A parameter that may be left out is no null when it is there; some have a form of their own.
fn narrow(parameter: &mut Value) {
    let schema = &mut parameter["schema"];
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            schema["type"] = kind.clone();
        }
    }
    if let Some(parts) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        parts.retain(|part| part["type"] != "null");
        if let [part] = parts.as_slice() {
            *schema = part.clone();
        }
    }
    match parameter["name"].as_str() {
        Some("If-Match" | "If-None-Match") => parameter["schema"]["pattern"] = json!(ENTITY_TAGS),
        Some("cursor") => parameter["schema"]["minLength"] = json!(1),
        Some("id" | "name") => parameter["schema"]["minLength"] = json!(1),
        _ => {}
    }
}

/// `get /customers/{id}` is `get_customers_id`.
fn name(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    [method]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "A key of yours for this request: a repeat within 24 hours gets the first answer \
            again, marked `Idempotency-Replayed: true`, and nothing is done twice.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    })
}

fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "required": false,
        "description": "The entity tag of an answer that is at hand: it is not sent again.",
        "schema": { "type": "string" },
    })
}

fn unmodified() -> Value {
    json!({
        "description": "The answer is the one that `If-None-Match` names.",
        "headers": { "ETag": { "description": "Its entity tag.", "schema": { "type": "string" } } },
    })
}

/// How an operation of this shape may fail.
fn answers(operation: &Value, (method, path): (&str, &str), is_keyed: bool) -> Map<String, Value> {
    let has = |place: &str| {
        let parameters = operation["parameters"].as_array();
        parameters
            .into_iter()
            .flatten()
            .any(|one| one["in"] == place)
    };
    let (has_body, is_tokens) = (!operation["requestBody"].is_null(), path == "/tokens");
    let is_conditional = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["name"] == "If-Match"));
    let mut kinds = vec![
        Kind::Unauthorized,
        Kind::Forbidden,
        Kind::TooMany,
        Kind::Internal,
        Kind::Unavailable,
    ];
    if has("query") || has("path") || has("header") || has_body {
        kinds.push(Kind::BadRequest);
    }
    if has("path") {
        kinds.push(Kind::NotFound);
    }
    if has_body {
        kinds.extend([Kind::TooLarge, Kind::NotJson, Kind::Invalid]);
    }
    if is_keyed {
        kinds.extend([Kind::TooLarge, Kind::InFlight, Kind::KeyReused]);
    }
    if (is_tokens && has_body) || defines(method, path) {
        kinds.push(Kind::Conflict);
    }
    if defines(method, path) {
        kinds.push(Kind::Invalid);
    }
    if is_conditional {
        kinds.push(Kind::Moved);
    }
    kinds.sort_by_key(|kind| kind.status().as_u16());
    let answer = |kind: Kind| (kind.status().as_str().to_owned(), problem(kind, path));
    kinds.into_iter().map(answer).collect()
}

/// Whether a definition is changed: that may collide with a file, or with what customers have.
fn defines(method: &str, path: &str) -> bool {
    let lists = ["/fields", "/tags", "/segments", "/smart-lists"];
    method != "get" && lists.iter().any(|list| path.starts_with(list))
}

fn problem(kind: Kind, path: &str) -> Value {
    let description = match kind {
        Kind::BadRequest => "A parameter, a cursor or the JSON cannot be read.".to_owned(),
        Kind::NotFound => "Nothing has this name.".to_owned(),
        Kind::InFlight => {
            "The first request with this `Idempotency-Key` is not answered yet.".to_owned()
        }
        Kind::Invalid | Kind::KeyReused => {
            "Something in the body is not valid, with its fields; or another \
             request had this `Idempotency-Key`."
                .to_owned()
        }
        Kind::TooLarge => {
            if path == "/imports" {
                let most = MOST_BYTES / BODY as u64;
                return described(kind, &format!("The file has more than {most} MiB."));
            }
            let most = if path.ends_with("/batch") || path == "/interactions" {
                LARGE_BODY
            } else {
                BODY
            };
            format!("The body has more than {} MiB.", most / BODY)
        }
        _ => format!("{}.", kind.title()),
    };
    described(kind, &description)
}

fn described(kind: Kind, description: &str) -> Value {
    let mut response = json!({
        "description": description,
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    let header = |text: &str| json!({ "description": text, "schema": { "type": "string" } });
    match kind {
        Kind::Unauthorized => {
            response["headers"]["WWW-Authenticate"] = header("`Bearer` (RFC 6750).");
        }
        Kind::TooMany | Kind::Unavailable => {
            response["headers"]["Retry-After"] = header("Seconds until it may be tried again.");
        }
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_by_its_method_and_path() {
        let named = name("get", "/customers/{id}/interactions");
        assert_eq!(named, "get_customers_id_interactions");
    }
}
