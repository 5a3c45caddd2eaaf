//! Owns time as people mean it: delays in a zone, times of day, quiet hours, windows, holidays.

mod dates;
mod opening;
mod planning;
mod window;

pub use dates::{Anchored, Reckoning};
pub use opening::{Opening, opens};
pub use planning::{after, before, instant, planned, zone_named};
pub use window::{Days, WEEK, Window, WindowZone};
