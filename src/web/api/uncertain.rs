//! Owns `/uncertain`: messages of which nobody knows whether the gateway took them, and what people say of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, OperationsRead, OperationsWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named};
use crate::customers::remarks::remark;
use crate::engine::Catalog;
use crate::engine::ledger::{self, DispatchFacts, ResolvedFacts};
use crate::store::{LedgerLine, Published};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UncertainPage {
    /// Those that wait longest first.
    dispatches: Vec<DispatchFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResolveInput {
    /// Whether the gateway took the message.
    taken: bool,
    /// How you know, for the record.
    #[schema(example = "the provider's log has it")]
    note: Option<String>,
}

/// Messages of which nobody knows, page by page
///
/// They were handed over, and no answer came: whether the gateway took them is not known. A receipt settles
/// them by itself.
#[utoipa::path(
    get, path = "/uncertain", tag = "operations", params(PageQuery),
    responses((status = 200, body = UncertainPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["operations:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<OperationsRead>,
    paging: Paging,
) -> Result<Page<UncertainPage>, Problem> {
    let tag = state.store.instance_tag().await?;
    let lines = state
        .store
        .uncertain(None, paging.after()?, paging.one_more());
    let mut lines = lines.await?;
    let next = paging.cut(&mut lines, |left| left.last().map(LedgerLine::place));
    let lines = lines.into_iter();
    let dispatches = lines.map(|line| DispatchFacts::of(line, tag)).collect();
    Ok(paging.page(next, |next| UncertainPage { dispatches, next }))
}

/// Say what became of one
///
/// What the gateway took stands as sent; what it did not take is refused, and not sent again. A message that is
/// not uncertain any more stays as it is.
#[utoipa::path(
    post, path = "/uncertain/{id}", tag = "operations", request_body = ResolveInput,
    params(("id" = String, Path, description = "The dispatch.")),
    responses((status = 200, body = ResolvedFacts, description = "How it stands now.")),
    security(("token" = ["operations:write"])),
)]
pub(super) async fn resolve(
    State(state): State<Arc<WebState>>,
    caller: Caller<OperationsWrite>,
    Named(id): Named,
    Body(input): Body<ResolveInput>,
) -> Result<Json<ResolvedFacts>, Problem> {
    let missing = || Problem::not_found(format!("there is no dispatch `{id}`"));
    let dispatch = id.parse().map_err(|_| missing())?;
    let note = remark("note", input.note.as_deref())?;
    let published = state.daemon.published();
    let catalog = Catalog::new(Published::clone(&published), Vec::new());
    let (said, by) = ((input.taken, note), caller.by());
    let resolved = ledger::resolve(
        &state.store,
        &catalog,
        dispatch,
        said,
        (&by, state.clock.now()),
    );
    Ok(Json(resolved.await?))
}
