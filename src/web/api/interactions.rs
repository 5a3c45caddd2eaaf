//! Owns `/customers/{id}/interactions`: the history of a customer, page by page, newest first.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::paging::{Page, Paging};
use super::problem::{Kind, Problem};
use super::reading::{Asked, Named};
use crate::customers::facts::InteractionFacts;
use crate::customers::histories::Narrowed;
use crate::customers::profiles;
use crate::domain::channel::Channel;
use crate::domain::interaction::Direction;
use crate::domain::revision::Revision;
use crate::store::{HistoryFilter, HistoryLine};
use crate::web::state::WebState;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// A campaign or a flow.
    campaign: Option<String>,
    /// The category of campaigns and flows.
    category: Option<String>,
    /// A month on the workspace's calendar.
    #[param(example = "2026-01", pattern = r"^\d{4}-\d{2}$")]
    month: Option<String>,
    /// Whether we spoke, they spoke, or something about them was changed.
    #[param(inline)]
    direction: Option<Direction>,
    /// The medium.
    #[param(inline)]
    channel: Option<Channel>,
    /// The kind of a line, such as `email-sent`; several with commas between them.
    #[param(example = "email-sent,email-opened")]
    kind: Option<String>,
    /// How many lines are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InteractionsPage {
    interactions: Vec<InteractionFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// The last line of a page: its instant in microseconds, and how many lines of it were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    at: i64,
    shown: usize,
}

/// The history of a customer
///
/// What was sent, what they did, what was changed; newest first. Filters narrow each other.
#[utoipa::path(
    get, path = "/customers/{id}/interactions", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), HistoryQuery),
    responses((status = 200, body = InteractionsPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    OriginalUri(uri): OriginalUri,
    Named(id): Named,
    Asked(mut query): Asked<HistoryQuery>,
) -> Result<Page<InteractionsPage>, Problem> {
    let paging = Paging::new(&uri, query.limit, query.cursor.take())?;
    let after: Option<Place> = paging.after()?;
    let published = state.daemon.published();
    let mut filter = query.filter(&published.revision)?;
    let id = profiles::id_of(&state.store, &id).await?;
    if let Some(after) = after {
        let until = after.until()?;
        filter.until = Some(filter.until.map_or(until, |end| end.min(until)));
    }
    let shown = after.map_or(0, |after| after.shown);
    let wanted = paging.one_more() as usize + shown;
    let mut lines = state.store.history(id, &filter, wanted).await?;
    lines.drain(..shown.min(lines.len()));
    let next = paging.cut(&mut lines, |lines| Place::of(lines, after));
    let interactions = lines.iter().map(InteractionFacts::of).collect();
    Ok(paging.page(next, |next| InteractionsPage { interactions, next }))
}

impl HistoryQuery {
    fn filter(self, revision: &Revision) -> Result<HistoryFilter, Problem> {
        let kinds = self.kind.as_deref().unwrap_or_default().split(',');
        let kinds = kinds.filter(|kind| !kind.is_empty());
        let narrowed = Narrowed {
            campaign: self.campaign,
            category: self.category,
            month: self.month,
            direction: self.direction,
            channel: self.channel,
            kinds: kinds.map(str::to_owned).collect(),
        };
        let filter = narrowed.filter(revision);
        filter.map_err(|bad| Problem::new(Kind::BadRequest, bad.to_string()))
    }
}

impl Place {
    fn of(lines: &[HistoryLine], after: Option<Self>) -> Option<Self> {
        let at = lines.last()?.at;
        let shown = lines.iter().filter(|line| line.at == at).count();
        let at = at.as_microsecond();
        let before = after.filter(|after| after.at == at);
        Some(Self {
            at,
            shown: shown + before.map_or(0, |before| before.shown),
        })
    }

    /// The instant of the last line is looked at again: others may be of the same.
    fn until(self) -> Result<Timestamp, Problem> {
        let at = Timestamp::from_microsecond(self.at).ok();
        let until = at.and_then(|at| at.checked_add(SignedDuration::from_micros(1)).ok());
        until.ok_or_else(|| Problem::new(Kind::BadCursor, "the cursor was damaged"))
    }
}
