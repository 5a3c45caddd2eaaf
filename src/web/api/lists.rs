//! Owns `/lists`: fixed sets of customers, made, named anew, filled and removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite, DefinitionsRead, DefinitionsWrite};
use super::made::{Created, created};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named, bad_ids};
use super::search::CustomersPage;
use crate::customers::briefs::briefs;
use crate::customers::error::Error;
use crate::customers::lists::{self, ListFacts, MembersChange};
use crate::customers::remarks::remark;
use crate::domain::ids::CustomerId;
use crate::domain::list::check_name;
use crate::web::state::WebState;

const MOST: usize = 1_000;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListsPage {
    lists: Vec<ListFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListInput {
    /// 1 to 100 characters, none of them a slash; conditions call it so.
    #[schema(example = "spring-fair", min_length = 1, max_length = 100)]
    list: String,
    #[schema(max_length = 1000, example = "Guests of the spring fair")]
    description: Option<String>,
}

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListPatch {
    /// A name that no list ever had.
    #[schema(min_length = 1, max_length = 100)]
    list: Option<String>,
    /// A blank text takes it away.
    #[schema(max_length = 1000)]
    description: Option<String>,
}

/// Up to 1,000 customers together, by their unique ids.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MembersInput {
    #[serde(default)]
    #[schema(max_items = 1000, example = json!(["ana"]))]
    add: Vec<String>,
    #[serde(default)]
    #[schema(max_items = 1000)]
    remove: Vec<String>,
}

/// Lists, page by page
///
/// By name, each with how many customers are on it.
#[utoipa::path(
    get, path = "/lists", tag = "definitions", params(PageQuery),
    responses((status = 200, body = ListsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    paging: Paging,
) -> Result<Page<ListsPage>, Problem> {
    let all = state.store.lists().await?;
    let (lists, next) = paging.part_of(all, |_, list| list.name.clone())?;
    let lists = lists.iter().map(ListFacts::of).collect();
    Ok(paging.page(next, |next| ListsPage { lists, next }))
}

/// Make a list
///
/// An empty one.
#[utoipa::path(
    post, path = "/lists", tag = "definitions", request_body = ListInput,
    responses(
        (status = 201, body = ListFacts, description = "Made.",
            headers(("Location" = String, description = "Where it is."))),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "There is a list of this name; or the first request with this `Idempotency-Key` \
                is not answered yet."),
    ),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn create(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Body(input): Body<ListInput>,
) -> Result<Created<ListFacts>, Problem> {
    check_name(&input.list).map_err(|wrong| Problem::field("/list", wrong))?;
    let description = remark("description", input.description.as_deref())?;
    let (by, at) = (caller.by(), state.clock.now());
    let made = state.store.add_list(&input.list, description, &by, at);
    made.await?;
    let facts = found(&state, &input.list).await?;
    Ok(created("lists", &input.list, facts))
}

/// A list
///
/// With the number of customers on it.
#[utoipa::path(
    get, path = "/lists/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The list's name.")),
    responses((status = 200, body = ListFacts, description = "The list.")),
    security(("token" = ["definitions:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<DefinitionsRead>,
    Named(name): Named,
) -> Result<Json<ListFacts>, Problem> {
    found(&state, &name).await.map(Json)
}

/// Change a list
///
/// Its name or its description. What a condition of the revision in force names keeps its name.
#[utoipa::path(
    patch, path = "/lists/{name}", tag = "definitions", request_body = ListPatch,
    params(("name" = String, Path, description = "The list's name.")),
    responses(
        (status = 200, body = ListFacts, description = "As it is now."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "A condition names it, or another list has, or had, the new name."),
    ),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn change(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
    Body(input): Body<ListPatch>,
) -> Result<Json<ListFacts>, Problem> {
    let new = input.list.as_deref();
    new.map_or(Ok(()), check_name)
        .map_err(|wrong| Problem::field("/list", wrong))?;
    let description = match &input.description {
        Some(text) => Some(remark("description", Some(text))?),
        None => None,
    };
    let published = state.daemon.published();
    let (by, at) = (caller.by(), state.clock.now());
    let to = (new, description);
    let changed = lists::change(&state.store, &published.revision, &name, to, (&by, at));
    changed.await.map_err(missing)?;
    found(&state, new.unwrap_or(&name)).await.map(Json)
}

/// Remove a list
///
/// The customers on it stay.
#[utoipa::path(
    delete, path = "/lists/{name}", tag = "definitions",
    params(("name" = String, Path, description = "The list's name.")),
    responses(
        (status = 204, description = "Removed."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "A condition of the revision in force names it."),
    ),
    security(("token" = ["definitions:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<DefinitionsWrite>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    let published = state.daemon.published();
    let (by, at) = (caller.by(), state.clock.now());
    let removed = lists::remove(&state.store, &published.revision, &name, (&by, at));
    removed.await.map_err(missing)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The customers on a list, page by page
///
/// In no particular order.
#[utoipa::path(
    get, path = "/lists/{name}/customers", tag = "customers",
    params(("name" = String, Path, description = "The list's name."), PageQuery),
    responses((status = 200, body = CustomersPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn customers(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(name): Named,
    paging: Paging,
) -> Result<Page<CustomersPage>, Problem> {
    let after: Option<i64> = paging.after()?;
    let store = &state.store;
    let list = lists::number(store, &name).await.map_err(missing)?;
    let ids = store.list_members_after(list, after.map(CustomerId), paging.one_more());
    let published = state.daemon.published();
    let (revision, now) = (&published.revision, state.clock.now());
    let mut ids = ids.await?;
    let next = paging.cut(&mut ids, |found| found.last().map(|id| id.0));
    let customers = briefs(store, revision, &ids, now).await?;
    Ok(paging.page(next, |next| CustomersPage::of(customers, next)))
}

/// Put customers on a list, or take them off
///
/// Up to 1,000 by their unique ids; of a customer in both, the removal counts. More of them are a job.
#[utoipa::path(
    post, path = "/lists/{name}/members", tag = "customers", request_body = MembersInput,
    params(("name" = String, Path, description = "The list's name.")),
    responses((status = 200, body = MembersChange, description = "What it came to.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn change_members(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(name): Named,
    Body(input): Body<MembersInput>,
) -> Result<Json<MembersChange>, Problem> {
    input.check()?;
    let both = (input.add.as_slice(), input.remove.as_slice());
    let (by, at) = (caller.by(), state.clock.now());
    let changed = lists::change_members(&state.store, &name, both, (&by, at));
    changed.await.map(Json).map_err(missing)
}

impl MembersInput {
    fn check(&self) -> Result<(), Problem> {
        if self.add.len() + self.remove.len() > MOST {
            let told = "names more than 1,000 customers: queue a job for them";
            return Err(Problem::field("", told));
        }
        let bad = [bad_ids("/add", &self.add), bad_ids("/remove", &self.remove)];
        Problem::unless_none(bad.concat())
    }
}

async fn found(state: &WebState, name: &str) -> Result<ListFacts, Problem> {
    let list = lists::list(&state.store, name).await.map_err(missing)?;
    Ok(ListFacts::of(&list))
}

/// What the path names and is not there is no field of the body.
fn missing(error: Error) -> Problem {
    match error {
        Error::UnknownName(unknown) => Problem::not_found(unknown.to_string()),
        other => other.into(),
    }
}
