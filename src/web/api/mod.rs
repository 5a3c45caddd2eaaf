//! Owns the HTTP API: who may ask, how questions and answers look, and one file for each noun.

mod auth;
mod batch;
mod customers;
mod data_model;
mod explanations;
mod flows;
mod idempotency;
mod interactions;
mod job_input;
mod jobs;
pub(super) mod limits;
mod lists;
mod merging;
mod messages;
mod notes;
mod openapi;
mod paging;
mod permissions;
mod person;
mod precondition;
mod problem;
mod ratings;
mod reading;
mod reports;
mod routes;
mod sealing;
mod segments;
mod status;
mod statuses;
mod subscriptions;
mod tasks;
mod tokens;

pub(super) use routes::{lost, router};
