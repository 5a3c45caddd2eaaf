//! Owns `/customers/{id}/interactions`: the history of a customer, page by page, newest first.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::paging::{Page, Paging};
use super::problem::{Kind, Problem};
use super::reading::{Asked, Named};
use crate::customers::facts::InteractionFacts;
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
    let body = InteractionsPage {
        interactions: lines.iter().map(InteractionFacts::of).collect(),
        next: next.clone(),
    };
    Ok(paging.page(body, next.as_deref()))
}

impl HistoryQuery {
    fn filter(self, revision: &Revision) -> Result<HistoryFilter, Problem> {
        let month = self.month.as_deref();
        let month = month.map(|month| bounds(month, &revision.time_zone()));
        let (from, until) = month.transpose()?.unzip();
        Ok(HistoryFilter {
            from,
            until,
            kinds: self
                .kind
                .iter()
                .flat_map(|kinds| kinds.split(','))
                .map(str::to_owned)
                .collect(),
            direction: self.direction,
            reuses: revision.reuses(),
            channel: self.channel,
            campaign: self.campaign,
            within: self
                .category
                .map(|category| of_category(revision, &category)),
            ..HistoryFilter::default()
        })
    }
}

/// The campaigns and flows of a category.
fn of_category(revision: &Revision, category: &str) -> Vec<String> {
    let is = |of: &Option<String>| of.as_deref() == Some(category);
    let campaigns = revision.campaigns.values();
    let campaigns = campaigns.filter(|campaign| is(&campaign.category));
    let campaigns = campaigns.map(|campaign| campaign.id.clone());
    let flows = revision.flows.values().filter(|flow| is(&flow.category));
    campaigns.chain(flows.map(|flow| flow.id.clone())).collect()
}

/// From the first instant of a month up to the first of the next.
fn bounds(month: &str, zone: &TimeZone) -> Result<(Timestamp, Timestamp), Problem> {
    let bad = || {
        let detail = "`month` must be a year and a month, such as `2026-01`";
        Problem::new(Kind::BadRequest, detail)
    };
    let is_plain = month.len() == 7 && month.is_char_boundary(4);
    let first: Option<Date> = is_plain
        .then(|| format!("{month}-01").parse().ok())
        .flatten();
    let first = first.ok_or_else(bad)?;
    let next = first.checked_add(1.month()).map_err(|_| bad())?;
    let start = |day: Date| zone.to_zoned(day.into()).map(|day| day.timestamp());
    let start = |day: Date| start(day).map_err(|_| bad());
    Ok((start(first)?, start(next)?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_that_of_the_zone() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let (from, until) = bounds("2026-03", &zone).unwrap();
        assert_eq!(from.to_string(), "2026-03-01T05:00:00Z");
        assert_eq!(until.to_string(), "2026-04-01T04:00:00Z");
        for bad in [
            "",
            "2026",
            "2026-13",
            "2026-1",
            "1 month",
            "2026-01-01",
            "ñ026-1",
        ] {
            assert!(bounds(bad, &zone).is_err(), "{bad}");
        }
    }
}
