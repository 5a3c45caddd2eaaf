//! Owns finding customers: `/customers` by parameters, `/customers/search` by a body, and their counts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{OriginalUri, State};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::filters::{Conditions, SearchInput, Wanted, Wrong};
use super::paging::{Page, Paging};
use super::problem::{Kind, Problem};
use super::reading::{Asked, Body};
use crate::customers::briefs::{CustomerBrief, briefs};
use crate::customers::search::{self, Cursor};
use crate::domain::customer::Status;
use crate::domain::rating::Rating;
use crate::store::Published;
use crate::web::state::WebState;

/// After it a count is given up, in time for an answer that says so.
const COUNTING_TIME: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// What people type: an id, an e-mail address, a number, a name, or any other text of the customer,
    /// whole or in part. Case and accents do not matter; of several words all must be there.
    #[param(example = "ana", max_length = 200)]
    text: Option<String>,
    /// A condition of the flow language as JSON.
    #[serde(rename = "where")]
    #[param(example = json!("{\"field\":\"city\",\"is\":\"Lyon\"}"))]
    condition: Option<String>,
    /// A tag that they have.
    #[param(example = "vip")]
    tag: Option<String>,
    /// A fixed list that they are on.
    #[param(example = "spring-fair")]
    list: Option<String>,
    /// The id of a segment that they are in.
    segment: Option<String>,
    /// The status that they have.
    #[param(inline)]
    status: Option<Status>,
    /// The rating that they have.
    #[param(inline)]
    rating: Option<Rating>,
    /// Whether it is known who they are.
    identified: Option<bool>,
    /// A campaign or flow in which they converted.
    converted: Option<String>,
    /// `id`, `created`, `last-activity`, `last-engagement`, `last-transaction` or a field with one value;
    /// `-` before it for the other direction. Who has no value comes last.
    #[param(example = "-last-activity")]
    sort: Option<String>,
    /// The fields that are shown, with commas between them; all unless given.
    #[param(example = "city,zip")]
    fields: Option<String>,
    /// How many customers are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CountQuery {
    /// As in the list.
    #[param(example = "ana", max_length = 200)]
    text: Option<String>,
    /// A condition of the flow language as JSON.
    #[serde(rename = "where")]
    #[param(example = json!("{\"field\":\"city\",\"is\":\"Lyon\"}"))]
    condition: Option<String>,
    /// A tag that they have.
    #[param(example = "vip")]
    tag: Option<String>,
    /// A fixed list that they are on.
    #[param(example = "spring-fair")]
    list: Option<String>,
    /// The id of a segment that they are in.
    segment: Option<String>,
    /// The status that they have.
    #[param(inline)]
    status: Option<Status>,
    /// The rating that they have.
    #[param(inline)]
    rating: Option<Rating>,
    /// Whether it is known who they are.
    identified: Option<bool>,
    /// A campaign or flow in which they converted.
    converted: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustomersPage {
    customers: Vec<CustomerBrief>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
    /// About how many customers a `text` does not find yet, or finds by older values; 0 without a `text`.
    indexing: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustomersCount {
    count: u64,
    /// About how many customers a `text` does not find yet, or finds by older values; 0 without a `text`.
    indexing: u64,
}

/// Customers, page by page
///
/// All of them, or those who have the `text` and meet the conditions, all that are given. Whoever has
/// the `text` for an id comes first, unless there is a `sort`. A customer who comes or goes meanwhile
/// may be missed; nobody is listed twice.
#[utoipa::path(
    get, path = "/customers", tag = "customers", params(ListQuery),
    responses((status = 200, body = CustomersPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<ListQuery>,
) -> Result<Page<CustomersPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor.clone())?;
    let published = state.daemon.published();
    let (conditions, sort, fields) = query.taken()?;
    let chosen = fields.map(|fields| fields.split(',').map(str::to_owned).collect());
    let search = conditions
        .search(&published.revision)
        .and_then(|search| search.sorted(sort, chosen, &published.revision))
        .map_err(Wrong::of_parameters)?;
    let body = found(&state, &published, &search, &paging).await?;
    Ok(paging.page(body.next.clone(), |_| body))
}

/// Customers, page by page, by a body
///
/// The same as the list, for conditions that are too long for an address.
#[utoipa::path(
    post, path = "/customers/search", tag = "customers", request_body = SearchInput,
    responses((status = 200, body = CustomersPage, description = "A page.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn find(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Body(input): Body<SearchInput>,
) -> Result<Json<CustomersPage>, Problem> {
    let published = state.daemon.published();
    let asked = input.to_string();
    let (conditions, rest) = input.taken();
    let paging = Paging::new(&uri, rest.limit, rest.cursor)
        .map_err(Problem::of_body)?
        .of(&asked);
    let search = conditions
        .search(&published.revision)
        .and_then(|search| search.sorted(rest.sort, rest.fields, &published.revision))
        .map_err(Wrong::of_body)?;
    found(&state, &published, &search, &paging).await.map(Json)
}

/// How many customers
///
/// Those whom the list with the same parameters would show, counted one by one.
#[utoipa::path(
    get, path = "/customers/count", tag = "customers", params(CountQuery),
    responses((status = 200, body = CustomersCount, description = "The count.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn count(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Asked(query): Asked<CountQuery>,
) -> Result<Json<CustomersCount>, Problem> {
    let published = state.daemon.published();
    let search = query
        .taken()?
        .search(&published.revision)
        .map_err(Wrong::of_parameters)?;
    let now = state.clock.now();
    let counting = search::count(&state.store, &published, &search.search, now);
    let (count, indexing) = in_time(counting).await??;
    Ok(Json(CustomersCount { count, indexing }))
}

/// Waits for a count, but not for ever.
pub(super) async fn in_time<T>(counting: impl Future<Output = T>) -> Result<T, Problem> {
    let counted = tokio::time::timeout(COUNTING_TIME, counting).await;
    counted.map_err(|_| {
        let detail = format!(
            "counting takes longer than {} s: ask for fewer conditions at once, or try again when less \
             is going on",
            COUNTING_TIME.as_secs()
        );
        Problem::new(Kind::Unavailable, detail).after(5)
    })
}

async fn found(
    state: &WebState,
    published: &Published,
    search: &Wanted,
    paging: &Paging,
) -> Result<CustomersPage, Problem> {
    let after: Option<Cursor> = paging.after()?;
    let (store, now) = (&state.store, state.clock.now());
    let page = search::page(
        store,
        published,
        &search.search,
        now,
        after.as_ref(),
        paging.one_more(),
    );
    let mut page = page.await?;
    let next = paging.cut(&mut page.customers, |found| {
        found.last().map(|(_, cursor)| cursor.clone())
    });
    let customers = briefs(store, &published.revision, &page.ids(), now).await?;
    let chosen = |brief: CustomerBrief| match &search.fields {
        Some(fields) => brief.with_fields(fields),
        None => brief,
    };
    Ok(CustomersPage {
        customers: customers.into_iter().map(chosen).collect(),
        next,
        indexing: page.indexing,
    })
}

impl CustomersPage {
    /// A page of customers who were not looked for by a text.
    pub(super) fn of(customers: Vec<CustomerBrief>, next: Option<String>) -> Self {
        Self {
            customers,
            next,
            indexing: 0,
        }
    }
}

impl ListQuery {
    fn taken(self) -> Result<(Conditions, Option<String>, Option<String>), Problem> {
        let conditions = CountQuery {
            text: self.text,
            condition: self.condition,
            tag: self.tag,
            list: self.list,
            segment: self.segment,
            status: self.status,
            rating: self.rating,
            identified: self.identified,
            converted: self.converted,
        };
        Ok((conditions.taken()?, self.sort, self.fields))
    }
}

impl CountQuery {
    fn taken(self) -> Result<Conditions, Problem> {
        let condition: Option<Json_> = self
            .condition
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| {
                let detail = format!("`where` is no JSON: {error}");
                Problem::new(Kind::BadRequest, detail)
            })?;
        Ok(Conditions {
            text: self.text,
            condition,
            tag: self.tag,
            list: self.list,
            segment: self.segment,
            status: self.status,
            rating: self.rating,
            identified: self.identified,
            converted: self.converted,
        })
    }
}
