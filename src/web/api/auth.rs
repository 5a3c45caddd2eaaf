//! Owns who asks: the token of a request, and what it permits.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem};
use crate::domain::audit::{Actor, By, Source};
use crate::domain::token::{Secret, Token, TokenScope};
use crate::web::door::Peer;
use crate::web::state::WebState;

/// What a handler asks of the token, as a type: a handler without one cannot be reached by anybody.
pub(super) trait Needs {
    const SCOPE: TokenScope;
}

macro_rules! needs {
    ($($name:ident)*) => {$(
        pub(super) struct $name;

        impl Needs for $name {
            const SCOPE: TokenScope = TokenScope::$name;
        }
    )*};
}

needs! { CustomersRead CustomersWrite InteractionsWrite DefinitionsRead DefinitionsWrite OperationsRead OperationsWrite Admin }

/// Whoever asks, permitted to.
pub(super) struct Caller<S> {
    token: Arc<Token>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// The token as the actor of a change.
    pub(super) fn by(&self) -> By {
        By::new(Actor::named(self.token.name.as_str()), Source::Api)
    }
}

impl<S: Needs> FromRequestParts<Arc<WebState>> for Caller<S> {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &Arc<WebState>,
    ) -> Result<Self, Self::Rejection> {
        let token = parts.extensions.get::<Arc<Token>>().cloned();
        let token = token.ok_or_else(missing)?;
        if !token.may(S::SCOPE) {
            let (name, scope) = (&token.name, S::SCOPE);
            let detail = format!(
                "the token `{name}` lacks the scope `{scope}`: create one that has it with \
                 `drumbeat token create`"
            );
            return Err(Problem::new(Kind::Forbidden, detail));
        }
        Ok(Self {
            token,
            scope: PhantomData,
        })
    }
}

/// Lets a request on whose token is known and live, and counts it.
pub(super) async fn authenticate(
    State(state): State<Arc<WebState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let token = match known(&state, request.headers(), peer).await {
        Ok(token) => token,
        Err(problem) => return problem.into_response(),
    };
    if let Err(seconds) = state.limiter.count(&token.id) {
        let detail = format!("the token `{}` asks too often: come back later", token.name);
        let problem = Problem::new(Kind::TooMany, detail).after(seconds);
        return problem.into_response();
    }
    request.extensions_mut().insert(Arc::new(token));
    next.run(request).await
}

/// An unknown, a mistyped, a revoked and an expired token look the same from outside, and take about
/// as long: the secret is compared in constant time, and before anything else is.
///
/// What cannot be a token is no guess of one.
async fn known(
    state: &WebState,
    headers: &HeaderMap,
    peer: Option<Peer>,
) -> Result<Token, Problem> {
    let secret = bearer(headers)?;
    let (now, guesses) = (state.clock.machine(), &state.limiter.guesses);
    guesses.check(peer, now).map_err(|seconds| {
        let detail = "too many tokens from this address were no good: come back later";
        Problem::new(Kind::TooMany, detail).after(seconds)
    })?;
    let found = state.store.token(secret.id()).await?;
    let good = found.filter(|(token, hash)| hash.is_of(&secret) && token.is_live(now));
    let Some((token, _)) = good else {
        guesses.failed(peer, &secret, now);
        return Err(unknown());
    };
    if let Err(error) = state.store.token_used(&token, now).await {
        tracing::warn!(%error, token = token.name, "cannot write down that a token was used");
    }
    Ok(token)
}

/// RFC 6750 §2.1; the name of the scheme is written in any case (RFC 9110 §11.1).
pub(super) fn bearer(headers: &HeaderMap) -> Result<Secret, Problem> {
    let value = headers.get(AUTHORIZATION).ok_or_else(missing)?;
    let value = value.to_str().unwrap_or_default();
    let (scheme, text) = value.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    Secret::parse(text.trim()).ok_or_else(unknown)
}

fn missing() -> Problem {
    let detail = "send `Authorization: Bearer drb_…` with a token of `drumbeat token create`";
    Problem::new(Kind::Unauthorized, detail)
}

fn unknown() -> Problem {
    let detail = "the token is unknown, mistyped, expired or revoked";
    Problem::new(Kind::Unauthorized, detail)
}
