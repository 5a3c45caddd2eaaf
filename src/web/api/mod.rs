//! Owns the HTTP API: who may ask, how questions and answers look, and one file for each noun.

mod auth;
mod batch;
mod customers;
mod defining;
mod explanations;
mod fields;
mod flows;
mod idempotency;
mod interactions;
pub(super) mod limits;
mod openapi;
mod paging;
mod permissions;
mod precondition;
mod problem;
mod reading;
mod routes;
mod segment_input;
mod segments;
mod smart_lists;
mod status;
mod subscriptions;
mod tags;
mod tokens;

pub(super) use routes::{lost, router};
