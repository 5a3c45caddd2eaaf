//! Owns which address of the API leads where, and what every request passes on its way.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::authenticate;
use super::idempotency::once;
use super::limits::{BODY, FILE_TIME, LARGE_BODY, REQUEST_TIME};
use super::precondition::unless_known;
use super::problem::{Kind, MEDIA_TYPE, Problem};
use super::{
    activities, batch, campaigns, customers, devices, explanations, fields, flows, imports,
    interactions, jobs, lists, merging, messages, notes, occurrences, openapi, permissions, person,
    ratings, reports, search, segments, smart_lists, status, statuses, subscriptions, tags, tasks,
    tokens, uncertain,
};
use crate::web::error::caught;
use crate::web::state::WebState;

type Routes = OpenApiRouter<Arc<WebState>>;

/// Everything below `/api`.
pub(in crate::web) fn router(state: &Arc<WebState>) -> Router<Arc<WebState>> {
    let (routes, described) = routes(state).split_for_parts();
    let document = openapi::document(described);
    let described = get(move || async move { Json(document) });
    Router::new()
        .nest(
            "/v1",
            routes
                .route_layer(from_fn(unless_known))
                .route_layer(from_fn_with_state(Arc::clone(state), authenticate))
                .route("/openapi.json", described),
        )
        .fallback(lost)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(CatchPanicLayer::custom(caught))
        .layer(from_fn(in_time))
        .layer(map_response(dress))
}

fn routes(state: &Arc<WebState>) -> Routes {
    let ordinary = Routes::new()
        .routes(routes!(status::show))
        .routes(routes!(flows::list))
        .routes(routes!(flows::report))
        .routes(routes!(flows::pause))
        .routes(routes!(flows::resume))
        .routes(routes!(uncertain::list))
        .routes(routes!(uncertain::resolve))
        .merge(of_customers())
        .merge(of_many())
        .merge(of_definitions());
    // Their answers are never kept: one of them holds a secret.
    let secretive = Routes::new()
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .layer(DefaultBodyLimit::max(BODY));
    // They change nothing, so a repeat does no harm, and their answers are no business of the store.
    let questions = Routes::new()
        .routes(routes!(search::find))
        .routes(routes!(segments::count))
        .layer(DefaultBodyLimit::max(BODY));
    let large = Routes::new()
        .routes(routes!(batch::upsert))
        .routes(routes!(occurrences::record));
    // A file is never held whole, so that no key can tell it from another one.
    let files = Routes::new()
        .routes(routes!(imports::list, imports::bring))
        .layer(DefaultBodyLimit::disable());
    layered(ordinary, state, BODY)
        .merge(layered(large, state, LARGE_BODY))
        .merge(secretive)
        .merge(questions)
        .merge(files)
}

fn of_customers() -> Routes {
    Routes::new()
        .routes(routes!(search::list, customers::add))
        .routes(routes!(search::count))
        .routes(routes!(customers::show, customers::edit, customers::delete))
        .routes(routes!(interactions::list))
        .routes(routes!(occurrences::say_who))
        .routes(routes!(activities::list_messages))
        .routes(routes!(activities::list_items))
        .routes(routes!(activities::list_transactions))
        .routes(routes!(activities::show_totals))
        .routes(routes!(campaigns::list))
        .routes(routes!(campaigns::show))
        .routes(routes!(campaigns::list_ahead))
        .routes(routes!(subscriptions::list, subscriptions::change))
        .routes(routes!(permissions::set_switches))
        .routes(routes!(permissions::set_consents))
        .routes(routes!(subscriptions::dismiss))
        .routes(routes!(statuses::set))
        .routes(routes!(notes::list, notes::add))
        .routes(routes!(notes::remove))
        .routes(routes!(devices::list, devices::register))
        .routes(routes!(devices::remove))
        .routes(routes!(tasks::list, tasks::add))
        .routes(routes!(tasks::edit, tasks::remove))
        .routes(routes!(merging::merge))
        .routes(routes!(messages::send))
        .routes(routes!(person::export))
        .routes(routes!(ratings::list))
        .routes(routes!(explanations::show))
}

/// What is done to many at once, and what comes of it.
fn of_many() -> Routes {
    Routes::new()
        .routes(routes!(imports::show, imports::change))
        .routes(routes!(imports::save))
        .routes(routes!(imports::discard))
        .routes(routes!(imports::revert))
        .routes(routes!(imports::rejects))
        .routes(routes!(jobs::list, jobs::create))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::errors))
        .routes(routes!(jobs::cancel))
        .routes(routes!(reports::list))
        .routes(routes!(reports::show, reports::remove))
        .routes(routes!(reports::file))
        .routes(routes!(lists::list, lists::create))
        .routes(routes!(lists::show, lists::change, lists::remove))
        .routes(routes!(lists::customers))
        .routes(routes!(lists::change_members))
}

fn of_definitions() -> Routes {
    Routes::new()
        .routes(routes!(segments::list, segments::add))
        .routes(routes!(segments::show, segments::change, segments::remove))
        .routes(routes!(segments::customers))
        .routes(routes!(fields::list, fields::add))
        .routes(routes!(fields::show, fields::change, fields::remove))
        .routes(routes!(smart_lists::list, smart_lists::add))
        .routes(routes!(
            smart_lists::show,
            smart_lists::change,
            smart_lists::remove
        ))
        .routes(routes!(tags::list, tags::add))
        .routes(routes!(tags::show, tags::change, tags::remove))
}

fn layered(routes: Routes, state: &Arc<WebState>, body: usize) -> Routes {
    routes
        // Within the keeping of answers, so that a key is given up when its request panics.
        .layer(CatchPanicLayer::custom(caught))
        .layer(from_fn_with_state(Arc::clone(state), once))
        .layer(DefaultBodyLimit::max(body))
}

/// An address below `/api` that leads nowhere.
pub(in crate::web) async fn lost() -> Response {
    Problem::of_status(StatusCode::NOT_FOUND).into_response()
}

async fn in_time(request: Request, next: Next) -> Response {
    let is_file = request.method() == Method::POST && request.uri().path().ends_with("/imports");
    let time = if is_file { FILE_TIME } else { REQUEST_TIME };
    let response = tokio::time::timeout(time, next.run(request)).await;
    response.unwrap_or_else(|_| {
        let detail = "it took too long, and may or may not have been done";
        let problem = Problem::new(Kind::Unavailable, detail).after(1);
        problem.into_response()
    })
}

/// Whatever fails without a problem of its own gets the one of its status.
async fn dress(response: Response) -> Response {
    let status = response.status();
    let is_dressed =
        response.headers().get(CONTENT_TYPE) == Some(&HeaderValue::from_static(MEDIA_TYPE));
    if is_dressed || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut dressed = Problem::of_status(status).into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        dressed.headers_mut().insert(ALLOW, allow.clone());
    }
    dressed
}
