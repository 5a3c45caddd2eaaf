//! Owns what comes back by mail: reports of servers (RFC 3464) and of mailbox providers (RFC 5965), from the bytes of
//! a mail to news of the message that it is about.

mod arf;
mod desk;
mod dsn;
mod fields;
mod intake;
mod limits;
mod lmtp;
mod maildir;
mod mime;
mod notice;
mod reading;
mod slip;
mod status;
mod telling;

pub use self::intake::Intake;
pub use self::limits::Limits;
