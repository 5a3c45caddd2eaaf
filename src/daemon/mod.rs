//! The composition root: builds the rooms, starts them in order, and stops them in order.

mod agreement;
mod clock;
mod housekeeping;
mod imports;
mod jobs;
mod listening;
mod opening;
mod options;
mod parts;
mod reading;
mod reload;
mod run;
mod signals;
mod site;
mod systemd;
mod trial;
mod webhooks;

pub use clock::flow_clock;
pub use options::{Failure, Options};
pub use run::{Control, run, run_under};
pub use trial::send_trial;
