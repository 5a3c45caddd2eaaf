//! Owns the HTTP API: who may ask, how questions and answers look, and one file for each noun.

mod auth;
mod batch;
mod customers;
mod data_model;
mod explanations;
mod flows;
mod idempotency;
mod imports;
mod interactions;
pub(super) mod limits;
mod openapi;
mod paging;
mod permissions;
mod precondition;
mod problem;
mod reading;
mod routes;
mod segments;
mod status;
mod subscriptions;
mod tokens;

pub(super) use routes::{lost, router};
