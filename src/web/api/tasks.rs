//! Owns `/customers/{id}/tasks`: what people are to do about a customer.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead, CustomersWrite};
use super::paging::{Page, PageQuery, Paging};
use super::problem::Problem;
use super::reading::{Body, Named, Numbered};
use crate::customers::facts::TaskFacts;
use crate::customers::tasks::{self, TaskEdit};
use crate::domain::task::{TaskPriority, TaskStatus, TaskText};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TasksPage {
    /// What is open first, the most important of it before others.
    tasks: Vec<TaskFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskInput {
    #[schema(example = "call about the gold card", min_length = 1, max_length = 255)]
    name: String,
    #[schema(max_length = 10000)]
    description: Option<String>,
    #[serde(default)]
    status: TaskStatus,
    #[serde(default)]
    priority: TaskPriority,
    /// Who is to do it.
    #[schema(example = "carla", max_length = 255)]
    assignee: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
}

/// What of a task is to be otherwise; a blank text takes a description or an assignee away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskPatch {
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    #[schema(max_length = 10000)]
    description: Option<String>,
    status: Option<TaskStatus>,
    priority: Option<TaskPriority>,
    #[schema(max_length = 255)]
    assignee: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TaskAdded {
    /// Its number among the customer's tasks.
    task: i64,
}

/// Tasks on a customer, page by page
///
/// What is open first, the most important of it before others.
#[utoipa::path(
    get, path = "/customers/{id}/tasks", tag = "customers",
    params(("id" = String, Path, description = "The unique id."), PageQuery),
    responses((status = 200, body = TasksPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
    Named(customer): Named,
    paging: Paging,
) -> Result<Page<TasksPage>, Problem> {
    let all = tasks::list(&state.store, &customer).await?;
    let (tasks, next) = paging.part_of(all, |_, task| {
        let importance = Reverse(task.text.priority.number());
        (task.text.status.number(), importance, task.number)
    })?;
    let tasks = tasks.iter().map(TaskFacts::of).collect();
    Ok(paging.page(next, |next| TasksPage { tasks, next }))
}

/// Add a task
///
/// Open and of normal priority unless it is said.
#[utoipa::path(
    post, path = "/customers/{id}/tasks", tag = "customers", request_body = TaskInput,
    params(("id" = String, Path, description = "The unique id.")),
    responses((status = 201, body = TaskAdded, description = "Added.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn add(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    Named(customer): Named,
    Body(input): Body<TaskInput>,
) -> Result<(StatusCode, Json<TaskAdded>), Problem> {
    let text = TaskText {
        name: input.name,
        description: input.description,
        status: input.status,
        priority: input.priority,
        assignee: input.assignee,
        due_on: input.due_on,
    };
    let (by, at) = (caller.by(), state.clock.now());
    let task = tasks::add(&state.store, &customer, &text, &by, at).await?;
    Ok((StatusCode::CREATED, Json(TaskAdded { task })))
}

/// Edit a task
///
/// Sets what is named.
#[utoipa::path(
    patch, path = "/customers/{id}/tasks/{number}", tag = "customers", request_body = TaskPatch,
    params(("id" = String, Path, description = "The unique id."),
        ("number" = i64, Path, description = "The task's number.")),
    responses((status = 204, description = "It is so.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn edit(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    task: Numbered,
    Body(patch): Body<TaskPatch>,
) -> Result<StatusCode, Problem> {
    let edit = TaskEdit {
        name: patch.name,
        description: patch.description,
        status: patch.status,
        priority: patch.priority,
        assignee: patch.assignee,
        due_on: patch.due_on,
    };
    let (by, at) = (caller.by(), state.clock.now());
    let is_there = tasks::edit(&state.store, &task.of, task.number, &edit, &by, at).await?;
    task.done("task", is_there)
}

/// Remove a task
///
/// The history keeps that there was one, and not what it said.
#[utoipa::path(
    delete, path = "/customers/{id}/tasks/{number}", tag = "customers",
    params(("id" = String, Path, description = "The unique id."),
        ("number" = i64, Path, description = "The task's number.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["customers:write"])),
)]
pub(super) async fn remove(
    State(state): State<Arc<WebState>>,
    caller: Caller<CustomersWrite>,
    task: Numbered,
) -> Result<StatusCode, Problem> {
    let (by, at) = (caller.by(), state.clock.now());
    let was_there = tasks::remove(&state.store, &task.of, task.number, &by, at).await?;
    task.done("task", was_there)
}
