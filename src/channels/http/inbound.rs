//! Owns what people write back, as an HTTP gateway passes it on.

use super::shared::Shared;
use super::told::{Told, missing, unreadable};
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Hook, HookError, HookRequest};
use crate::domain::gateway::HttpInbound;
use crate::domain::news::{News, Reply};

const KEY: &str = "gateway.http.inbound.secret";
const LONGEST_ID: usize = 200;

/// Reads the replies of one gateway.
pub(super) struct Inbound {
    secret: Shared,
    how: HttpInbound,
}

impl Inbound {
    pub(super) fn open(setup: &Setup<'_>, how: &HttpInbound) -> Result<Self, BadGateway> {
        let secret = Shared::open(setup, KEY, (&how.secret, how.header.as_ref()))?;
        let how = how.clone();
        Ok(Self { secret, how })
    }
}

impl Hook for Inbound {
    fn read(&self, request: &HookRequest<'_>) -> Result<Vec<News>, HookError> {
        let how = &self.how;
        let [_] = self.secret.admit(request)?[..] else {
            return Err(HookError::Unknown);
        };
        let told = Told::read(request)?;
        let needed = |what, field: &str| told.text(field).ok_or_else(|| missing(what, field));
        let filled = |what, field: &str| {
            let text = needed(what, field)?;
            (!text.is_empty())
                .then_some(text)
                .ok_or_else(|| unreadable(&format!("`{field}` is empty")))
        };
        let id = filled("id", &how.id)?;
        if id.chars().count() > LONGEST_ID {
            let why = format!("`{}` is too long for an id", how.id);
            return Err(unreadable(&why));
        }
        let to = how.to.as_ref().and_then(|field| told.text(field));
        Ok(vec![News::Reply(Reply {
            from: filled("from", &how.from)?,
            to: to.unwrap_or_default(),
            text: needed("text", &how.text)?,
            id,
        })])
    }
}
