//! The composition root: builds the rooms, starts them in order, and stops them in order.

mod clock;
mod housekeeping;
mod parts;
mod reload;
mod run;
mod signals;
mod systemd;

pub use clock::flow_clock;
pub use run::{Control, Failure, Options, run, run_under};
