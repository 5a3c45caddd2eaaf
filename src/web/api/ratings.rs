//! Owns `/ratings`: how many customers have each rating now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Caller, CustomersRead};
use super::problem::Problem;
use crate::customers::ratings;
use crate::domain::rating::Rating;
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ratings {
    now: Timestamp,
    /// Every rating, also those that nobody has.
    ratings: Vec<RatingCount>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RatingCount {
    rating: Rating,
    customers: u64,
}

/// Counts by rating
///
/// In one pass over everybody.
#[utoipa::path(
    get, path = "/ratings", tag = "customers",
    responses((status = 200, body = Ratings, description = "The counts.")),
    security(("token" = ["customers:read"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<CustomersRead>,
) -> Result<Json<Ratings>, Problem> {
    let published = state.daemon.published();
    let now = state.clock.now();
    let counts = ratings::counts(&state.store, &published.revision, now).await?;
    let ratings = Rating::ALL.map(|rating| RatingCount {
        rating,
        customers: counts.of(rating),
    });
    Ok(Json(Ratings {
        now,
        ratings: ratings.into(),
    }))
}
