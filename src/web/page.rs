//! Owns the frame that every page stands in, and the pages that say what went wrong.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::error::Error;
use super::language::Language;
use super::state::WebState;
use crate::domain::policy::Policy;

/// What every page shows: whose it is, in the reader's language.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) language: Language,
    pub(super) organization: String,
    pub(super) postal_address: String,
}

impl Frame {
    /// The customer's own language goes before the browser's, and that before the workspace's first.
    pub(super) fn new(policy: &Policy, customer: Option<&str>, headers: &HeaderMap) -> Self {
        let language = customer
            .and_then(Language::of_tag)
            .or_else(|| Language::accepted(headers))
            .or_else(|| Language::of_tag(policy.languages.first()?))
            .unwrap_or(Language::English);
        Self {
            language,
            organization: policy.organization.name.clone(),
            postal_address: policy.organization.postal_address.clone(),
        }
    }

    pub(super) fn say<'a>(&self, english: &'a str, spanish: &'a str) -> &'a str {
        self.language.say(english, spanish)
    }
}

pub(super) fn html(page: &impl Template) -> Result<Response, Error> {
    Ok(Html(page.render()?).into_response())
}

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedPage {
    frame: Frame,
    status: StatusCode,
}

impl FailedPage {
    fn title(&self) -> &'static str {
        let say = |english, spanish| self.frame.say(english, spanish);
        match self.status {
            StatusCode::NOT_FOUND => say("This link does not work", "Este enlace no funciona"),
            status if status.is_client_error() => say(
                "We could not read that request",
                "No pudimos leer esa solicitud",
            ),
            _ => say("Please try again later", "Inténtelo más tarde, por favor"),
        }
    }

    fn text(&self) -> &'static str {
        let say = |english, spanish| self.frame.say(english, spanish);
        match self.status {
            StatusCode::NOT_FOUND => say(
                "It may have been cut off or changed on its way. Open it once more from the message, or get in touch with us.",
                "Es posible que se haya cortado o cambiado en el camino. Ábralo de nuevo desde el mensaje o póngase en contacto con nosotros.",
            ),
            status if status.is_client_error() => say(
                "Nothing was changed. Open the link once more from the message.",
                "No se ha cambiado nada. Abra el enlace de nuevo desde el mensaje.",
            ),
            _ => say(
                "We could not save your choice just now. Nothing was changed; the link keeps working.",
                "No pudimos guardar su elección en este momento. No se ha cambiado nada; el enlace sigue funcionando.",
            ),
        }
    }
}

/// Gives every failure a page in the reader's language.
pub(super) async fn dress_failures(
    State(state): State<Arc<WebState>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let published = state.daemon.published();
    let page = FailedPage {
        frame: Frame::new(&published.revision.policy, None, &headers),
        status,
    };
    let mut dressed = html(&page).unwrap_or_else(IntoResponse::into_response);
    *dressed.status_mut() = status;
    dressed
}
