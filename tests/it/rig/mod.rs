//! Owns the counterparts that tests talk to: programs of others, started on free ports and ended with the test.

pub(crate) mod bounce;
pub(crate) mod browser;
pub(crate) mod citus;
pub(crate) mod counterpart;
pub(crate) mod crew;
pub(crate) mod database;
pub(crate) mod dnsmasq;
pub(crate) mod home;
pub(crate) mod http_script;
pub(crate) mod installation;
pub(crate) mod kannel;
pub(crate) mod lines;
pub(crate) mod lmtp;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod port;
pub(crate) mod postfix;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod smsc;
pub(crate) mod smtp_script;
pub(crate) mod smtp_sink;
pub(crate) mod systemd;
pub(crate) mod wire;
