//! Owns what an explanation is asked, and what everything about it is looked up in.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::customer::Customer;
use crate::domain::flow::Flow;
use crate::domain::ids::NameNo;
use crate::domain::moment::moment;
use crate::engine::catalog::Catalog;
use crate::store::{Frame, Store};

/// One customer and one flow.
pub(super) struct Question<'a> {
    pub(super) store: &'a Store,
    pub(super) catalog: &'a Catalog,
    pub(super) customer: &'a Customer,
    pub(super) flow: &'a Flow,
    pub(super) number: NameNo,
    /// The customer's zone.
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

impl Question<'_> {
    pub(super) fn frame(&self) -> Frame<'_> {
        self.catalog.frame(self.now)
    }

    pub(super) fn told(&self, at: Timestamp) -> String {
        moment(at, &self.zone)
    }
}
