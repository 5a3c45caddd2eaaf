//! Owns the counterparts that tests talk to: programs of others, started on free ports and ended with the test.

pub(crate) mod systemd;
