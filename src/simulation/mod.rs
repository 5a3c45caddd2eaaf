//! Owns trying flows on a clock of their own: the real engine over a private store, its gateways replaced by
//! recorders.

mod happening;
mod play;
mod recorder;
mod simulate;
mod tally;
mod timeline;
mod trouble;
mod verdict;

pub use play::{Played, play};
pub use simulate::{Request, Simulated, simulate};
pub use tally::{Slot, Tally, busiest, by_day};
pub use timeline::{Came, Line};
pub use trouble::Trouble;
pub use verdict::{Row, Verdict, judge};
