//! Owns which lines of a history somebody asks for: by campaign, category, month, direction, channel, kind.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::channel::Channel;
use crate::domain::interaction::Direction;
use crate::domain::revision::Revision;
use crate::store::HistoryFilter;

/// What is asked for; what is not named is not narrowed.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// A campaign or a flow.
    pub campaign: Option<String>,
    /// The category of campaigns and flows.
    pub category: Option<String>,
    /// A month on the workspace's calendar, such as `2026-01`.
    pub month: Option<String>,
    pub direction: Option<Direction>,
    pub channel: Option<Channel>,
    /// Any of these.
    pub kinds: Vec<String>,
}

/// A text that is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`month` must be a year and a month, such as `2026-01`")]
pub struct BadMonth;

impl Narrowed {
    pub fn filter(self, revision: &Revision) -> Result<HistoryFilter, BadMonth> {
        let month = self.month.as_deref();
        let month = month.map(|month| bounds(month, &revision.time_zone()));
        let (from, until) = month.transpose()?.unzip();
        let category = self.category;
        Ok(HistoryFilter {
            from,
            until,
            kinds: self.kinds,
            direction: self.direction,
            channel: self.channel,
            campaign: self.campaign,
            within: category.map(|category| of_category(revision, &category)),
            reuses: revision.reuses(),
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
fn bounds(month: &str, zone: &TimeZone) -> Result<(Timestamp, Timestamp), BadMonth> {
    let bad = || BadMonth;
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
