//! Owns windows: on which days and between which hours messages may go out, and by whose clock.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// When messages may go out: days, hours, and whose clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub days: Days,
    /// `from` included, `until` not; equal means the whole day; it may run over midnight, and
    /// then belongs to the day on which it opened.
    pub from: Time,
    pub until: Time,
    pub zone: WindowZone,
}

/// Which weekdays; `business` is Monday to Friday minus the policy's holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// Bit 0 is Monday.
    pub weekdays: u8,
    pub except_holidays: bool,
}

/// The names of the days, as people write them; Monday comes first.
pub const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Days {
    pub const EVERY: Self = Self {
        weekdays: 0b111_1111,
        except_holidays: false,
    };
    pub const BUSINESS: Self = Self {
        weekdays: 0b1_1111,
        except_holidays: true,
    };

    pub fn includes(self, day: Date, holidays: &BTreeSet<Date>) -> bool {
        let bit = 1 << day.weekday().to_monday_zero_offset();
        self.weekdays & bit != 0 && !(self.except_holidays && holidays.contains(&day))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowZone {
    #[default]
    Customer,
    Workspace,
}
