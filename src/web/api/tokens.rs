//! Owns `/tokens`: made, listed and revoked by an admin.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Admin, Caller};
use super::idempotency::KEY;
use super::made::{Created, created};
use super::paging::{Page, PageQuery, Paging};
use super::problem::{Kind, Problem};
use super::reading::{Body, Named};
use crate::domain::token::{NewToken, Token, TokenScope, check_name, end_of};
use crate::web::state::WebState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokensPage {
    tokens: Vec<TokenFacts>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// A token without what proves it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenFacts {
    /// Its public id: the first characters after `drb_`.
    #[schema(example = "9f86d081884c7d65")]
    token: String,
    /// The actor that its changes carry.
    #[schema(example = "core banking")]
    name: String,
    scopes: Vec<TokenScope>,
    created_at: Timestamp,
    created_by: String,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenInput {
    /// Shown as the actor of everything that is done with it; no two live tokens share one.
    #[schema(example = "core banking", min_length = 1, max_length = 100)]
    name: String,
    #[schema(min_items = 1)]
    scopes: Vec<TokenScope>,
    /// How long it is good for, such as `90d`; until it is revoked unless given. A day is 24 hours.
    #[schema(example = "90d")]
    expires_in: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedToken {
    #[serde(flatten)]
    facts: TokenFacts,
    /// The token itself. It is shown this once and kept nowhere.
    #[schema(example = "drb_9f86d081884c7d65…")]
    secret: String,
}

/// Tokens, page by page
///
/// All that were ever made, oldest first; the revoked ones stay, because histories show their names.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens", params(PageQuery),
    responses((status = 200, body = TokensPage, description = "A page.",
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`.")))),
    security(("token" = ["admin"])),
)]
pub(super) async fn list(
    State(state): State<Arc<WebState>>,
    _: Caller<Admin>,
    paging: Paging,
) -> Result<Page<TokensPage>, Problem> {
    let all = state.store.tokens().await?;
    let (tokens, next) = paging.part_of(all, |_, token| (token.created_at, token.id.clone()))?;
    let tokens = tokens.into_iter().map(facts).collect();
    Ok(paging.page(next, |next| TokensPage { tokens, next }))
}

/// Create a token
///
/// The secret is in this answer alone. An `Idempotency-Key` is refused: the answer would have to be kept.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", request_body = TokenInput,
    responses((status = 201, body = CreatedToken, description = "Created.",
        headers(("Location" = String, description = "Where it can be revoked.")))),
    security(("token" = ["admin"])),
)]
pub(super) async fn create(
    State(state): State<Arc<WebState>>,
    caller: Caller<Admin>,
    headers: HeaderMap,
    Body(input): Body<TokenInput>,
) -> Result<Created<CreatedToken>, Problem> {
    refuse_key(&headers)?;
    let now = state.clock.machine();
    let new = input.read(now)?;
    let (by, at) = (caller.by(), state.clock.now());
    let (token, secret) = state.store.create_token(new, &by, now, at).await?;
    let id = token.id.clone();
    let body = CreatedToken {
        facts: facts(token),
        secret: secret.reveal().to_owned(),
    };
    Ok(created("tokens", &id, body))
}

impl TokenInput {
    fn read(self, now: Timestamp) -> Result<NewToken, Problem> {
        check_name(&self.name).map_err(|wrong| Problem::field("/name", wrong))?;
        if self.scopes.is_empty() {
            return Err(Problem::field("/scopes", "must name one scope at least"));
        }
        let expires_at = self.expires_in.map(|span| end_of(&span, now)).transpose();
        let expires_at = expires_at.map_err(|wrong| Problem::field("/expires_in", wrong))?;
        let mut scopes = self.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        Ok(NewToken {
            name: self.name,
            scopes,
            expires_at,
        })
    }
}

/// Revoke a token
///
/// It is refused from now on. Revoking it again changes nothing.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "The token's public id.")),
    responses((status = 204, description = "Revoked.")),
    security(("token" = ["admin"])),
)]
pub(super) async fn revoke(
    State(state): State<Arc<WebState>>,
    caller: Caller<Admin>,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    let (now, at) = (state.clock.machine(), state.clock.now());
    state.store.revoke_token(&id, &caller.by(), now, at).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn facts(token: Token) -> TokenFacts {
    TokenFacts {
        token: token.id,
        name: token.name,
        scopes: token.scopes,
        created_at: token.created_at,
        created_by: token.created_by,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
        last_used_at: token.last_used_at,
    }
}

/// A key would have the answer kept, and with it the secret.
fn refuse_key(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(KEY) {
        let detail =
            "a token cannot be created under an `Idempotency-Key`: its secret would be kept";
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    Ok(())
}
