//! Owns what `drumbeat explain` is asked, and what everything about it is looked up in.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::moments::moment;
use super::session::Session;
use crate::domain::customer::Customer;
use crate::domain::flow::Flow;
use crate::domain::ids::NameNo;
use crate::engine::Catalog;
use crate::store::Frame;

/// One customer and one flow.
pub(super) struct Question<'a> {
    pub(super) session: &'a Session,
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
