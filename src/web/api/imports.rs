//! Owns `/imports`: files of customers brought, looked at, saved, discarded and taken back.

use std::sync::Arc;

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::limits::FILE_PAUSE;
use super::made::{Created, created};
use super::paging::{Page, PageQuery, Paging};
use super::problem::{Kind, Problem};
use super::reading::{Asked, Body, Named};
use crate::customers::imports::facts::{ImportDetail, ImportFacts, PlanPatch};
use crate::customers::imports::plan;
use crate::customers::imports::reject_lines::RejectLines;
use crate::customers::imports::spool::{MOST_BYTES, Spool, Spooled};
use crate::customers::imports::staging::{self, Brought};
use crate::domain::import::{Import, ImportNo, ImportState};
use crate::domain::import_plan::{ImportKind, ImportPlan};
use crate::domain::job::JobNo;
use crate::web::state::WebState;

const PREVIEW_ROWS: usize = 10;
const FIRST_REJECTS: u32 = 20;
const LONGEST_NAME: usize = 255;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BringQuery {
    /// The name of the file; its ending says what it is where its content does not.
    #[param(example = "people.csv", min_length = 1, max_length = 255)]
    name: String,
    /// What its rows are; `customers` unless given.
    #[param(inline)]
    kind: Option<ImportKind>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportsPage {
    imports: Vec<ImportFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// Work that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Begun {
    import: ImportNo,
    state: ImportState,
    /// The job that does it.
    job: JobNo,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevertInput {
    /// Only says, in the job, what would be taken back and what would be left.
    #[serde(default)]
    dry_run: bool,
}

/// Imports
///
/// The newest first.
#[utoipa::path(
    get, path = "/imports", tag = "imports", params(PageQuery),
    responses((status = 200, body = ImportsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    paging: Paging,
) -> Result<Page<ImportsPage>, Problem> {
    let below: Option<i64> = paging.after()?;
    let limit = paging.one_more();
    let mut found = state
        .store
        .imports(None, below.map(ImportNo), limit)
        .await?;
    let next = paging.cut(&mut found, |found| found.last().map(|import| import.number));
    let imports = found.iter().map(ImportFacts::from).collect();
    Ok(paging.page(next, |next| ImportsPage { imports, next }))
}

/// Bring a file
///
/// CSV, XLSX or JSON Lines of up to 1 GiB; which one it is is told by its content. The body is the file.
/// All of its rows are looked at, by a job, and nothing is stored of them until it is saved; what nobody
/// saves within a day is removed.
#[utoipa::path(
    post, path = "/imports", tag = "imports", params(BringQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses((status = 201, body = Begun, description = "Brought, and being looked at.",
        headers(("Location" = String, description = "Where it is.")))),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn bring(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Asked(query): Asked<BringQuery>,
    body: Bytes,
) -> Result<Created<Begun>, Problem> {
    check_name(&query.name)?;
    let plan = ImportPlan {
        kind: query.kind.unwrap_or_default(),
        ..ImportPlan::default()
    };
    let (store, published) = (&state.store, state.daemon.published());
    plan::check(store, &published.revision, &plan).await?;
    let file = spool(&state, body).await?;
    if file.size == 0 {
        return Err(Problem::new(
            Kind::BadRequest,
            "the body is empty: send the file",
        ));
    }
    let brought = Brought {
        file,
        name: &query.name,
        plan: &plan,
        is_dropped: false,
    };
    let (by, at) = (caller.by(), state.clock.now());
    let import = staging::bring(store, brought, (&by, at)).await?;
    let job = staging::look(store, import, &by, at).await?;
    let begun = Begun {
        import,
        state: ImportState::Checking,
        job,
    };
    Ok(created("imports", &import.to_string(), begun))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let is_long = name.chars().count() > LONGEST_NAME;
    if name.trim().is_empty() || is_long || name.chars().any(|c| c.is_control() || c == '/') {
        let detail = "`name` must have 1 to 255 characters, no slash and no control character";
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    Ok(())
}

/// Writes the body down as it comes, and holds no more of it than comes at a time.
async fn spool(state: &WebState, body: Bytes) -> Result<Spooled, Problem> {
    let mut spool = Spool::begin(&state.store, MOST_BYTES)?;
    let mut body = body.into_data_stream();
    loop {
        let next = tokio::time::timeout(FILE_PAUSE, body.next()).await;
        let next = next.map_err(|_| broke_off("nothing came for 30 s"))?;
        match next {
            None => return Ok(spool.finish()),
            Some(Err(error)) => return Err(broke_off(&error.to_string())),
            Some(Ok(bytes)) => spool.write(&bytes)?,
        }
    }
}

fn broke_off(why: &str) -> Problem {
    let detail = format!("the file broke off: {why}; send it again, from its beginning");
    Problem::new(Kind::BadRequest, detail)
}

/// One import
///
/// With its first rows as they would be imported, the field that each column would fill, and the first rows
/// that are not taken.
#[utoipa::path(
    get, path = "/imports/{import}", tag = "imports",
    params(("import" = String, Path, description = "The number of the import.")),
    responses((status = 200, body = ImportDetail, description = "The import.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn show(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(import): Named,
) -> Result<Json<ImportDetail>, Problem> {
    let import = find(&state, &import).await?;
    detail(&state, &import).await.map(Json)
}

async fn detail(state: &WebState, import: &Import) -> Result<ImportDetail, Problem> {
    let (store, published) = (&state.store, state.daemon.published());
    let rejects = store
        .import_rejects(import.number, None, FIRST_REJECTS)
        .await?;
    let preview = staging::first_rows(store, &published.revision, import, PREVIEW_ROWS);
    Ok(ImportDetail {
        import: ImportFacts::from(import),
        preview: preview.await?,
        first_rejects: rejects.into_iter().map(|(_, row)| row.into()).collect(),
    })
}

/// Change how a file is imported
///
/// Before it is saved. All of its rows are looked at again.
#[utoipa::path(
    patch, path = "/imports/{import}", tag = "imports", request_body = PlanPatch,
    params(("import" = String, Path, description = "The number of the import.")),
    responses(
        (status = 200, body = ImportDetail, description = "The import as it is now."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "It is saved, discarded, or being worked on."),
    ),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn change(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(import): Named,
    Body(patch): Body<PlanPatch>,
) -> Result<Json<ImportDetail>, Problem> {
    let known = find(&state, &import).await?;
    let plan = patch.applied(&known.plan)?;
    let (store, published) = (&state.store, state.daemon.published());
    let (by, at) = (caller.by(), state.clock.now());
    let changed = (known.number, &plan);
    staging::change(store, &published.revision, changed, (&by, at)).await?;
    let import = staging::find(store, known.number).await?;
    detail(&state, &import).await.map(Json)
}

/// Save an import
///
/// Its customers are stored by a job, which goes on where it was after whatever happens. Saving one that
/// was stopped goes on with it.
#[utoipa::path(
    post, path = "/imports/{import}/save", tag = "imports",
    params(("import" = String, Path, description = "The number of the import.")),
    responses(
        (status = 202, body = Begun, description = "Being saved."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "It cannot be imported as it is, is saved, discarded, or being worked on."),
    ),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn save(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(import): Named,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let import = find(&state, &import).await?.number;
    let (by, at) = (caller.by(), state.clock.now());
    let job = staging::save(&state.store, import, &by, at).await?;
    Ok(begun(import, ImportState::Saving, job))
}

fn begun(import: ImportNo, state: ImportState, job: JobNo) -> (StatusCode, Json<Begun>) {
    (StatusCode::ACCEPTED, Json(Begun { import, state, job }))
}

/// Discard an import
///
/// Its file goes, and nothing of it is stored.
#[utoipa::path(
    post, path = "/imports/{import}/discard", tag = "imports",
    params(("import" = String, Path, description = "The number of the import.")),
    responses(
        (status = 204, description = "Discarded."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "It is saved or discarded already."),
    ),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn discard(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(import): Named,
) -> Result<StatusCode, Problem> {
    let import = find(&state, &import).await?.number;
    let (by, at) = (caller.by(), state.clock.now());
    staging::discard(&state.store, import, &by, at).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take an import back
///
/// By a job: customers whom it made are deleted as if they had never been there, unless they were written to
/// or did something since; what it changed of others is as it was, unless it was changed since. Who is left
/// as they are is among the errors of the job.
#[utoipa::path(
    post, path = "/imports/{import}/revert", tag = "imports", request_body = RevertInput,
    params(("import" = String, Path, description = "The number of the import.")),
    responses(
        (status = 202, body = Begun, description = "Being taken back."),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "Nothing of it is stored, or it is being worked on."),
    ),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn revert(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(import): Named,
    Body(input): Body<RevertInput>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let known = find(&state, &import).await?;
    let (by, at) = (caller.by(), state.clock.now());
    let job = staging::revert(&state.store, known.number, input.dry_run, (&by, at)).await?;
    let state = if input.dry_run {
        known.state
    } else {
        ImportState::Reverting
    };
    Ok(begun(known.number, state, job))
}

/// Rows that were not taken
///
/// As a CSV file with the columns of the import and, behind them, `line` and `reason`: it can be corrected
/// and imported again. They are kept as long as the import can be taken back.
#[utoipa::path(
    get, path = "/imports/{import}/rejects", tag = "imports",
    params(("import" = String, Path, description = "The number of the import.")),
    responses((status = 200, body = String, content_type = "text/csv", description = "The rows.",
        headers(("Content-Disposition" = String, description = "The name of the file.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn rejects(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(import): Named,
) -> Result<impl IntoResponse, Problem> {
    let import = find(&state, &import).await?;
    let name = format!(
        "attachment; filename=\"import-{}.rejects.csv\"",
        import.number
    );
    let lines = RejectLines::new(state.store.clone(), import);
    let parts = stream::try_unfold(lines, async |mut lines| {
        let part = lines.next().await?;
        Ok::<_, crate::customers::error::Error>(part.map(|part| (part, lines)))
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Bytes::from_stream(parts.into_stream())))
}

async fn find(state: &WebState, number: &str) -> Result<Import, Problem> {
    let unknown = || Problem::not_found(format!("there is no import `{number}`"));
    let parsed = number.parse().map_err(|_| unknown())?;
    let found = state.store.import(ImportNo(parsed)).await?;
    found.ok_or_else(unknown)
}
