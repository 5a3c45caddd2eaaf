//! Owns what an HTTP gateway's callbacks tell: whether they are its own, which message they are about, and
//! what became of it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret as _, SecretString};

use super::told::{Told, header, unreadable};
use crate::channels::detail::{clean, shorten};
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Hook, HookError, HookRequest};
use crate::domain::gateway::{HttpReceipts, ReceiptId};
use crate::domain::ids::DispatchId;
use crate::domain::message::Message;
use crate::domain::news::{About, News, Receipt};

/// The first part of the address behind the channel.
const STATUS: &str = "status";
const KEY: &str = "gateway.http.receipts.secret";
/// Guessing fewer is not out of reach.
const SHORTEST: usize = 16;
const LONGEST_ID: usize = 200;
/// Messages that one request tells of.
const MOST: usize = 10_000;

/// Reads the callbacks of one gateway.
pub(super) struct Receipts {
    secret: SecretString,
    how: HttpReceipts,
}

impl Receipts {
    pub(super) fn open(setup: &Setup<'_>, how: &HttpReceipts) -> Result<Self, BadGateway> {
        let secret = setup.secret(KEY, &how.secret)?;
        let text = secret.expose_secret();
        if text.chars().count() < SHORTEST {
            let why = format!("it must have at least {SHORTEST} characters");
            return Err(setup.bad(KEY, &why));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        if how.header.is_none() && !text.chars().all(is_plain) {
            let why = "in an address it may hold letters, digits, `-`, `_`, `.` and `~` only: \
                       set `header`, or another secret";
            return Err(setup.bad(KEY, why));
        }
        Ok(Self {
            secret,
            how: how.clone(),
        })
    }

    /// Where the gateway is to tell of a message.
    pub(super) fn url(&self, message: &Message) -> Option<String> {
        let url = message.receipt_url.as_ref()?;
        Some(match &self.how.header {
            Some(_) => url.clone(),
            None => format!("{url}/{}", self.secret.expose_secret()),
        })
    }

    /// The part of the path that names the dispatch, once the secret is known to be right.
    fn admit<'a>(&self, request: &HookRequest<'a>) -> Result<Option<&'a str>, HookError> {
        let path = request.path.trim_matches('/');
        let mut parts: Vec<&str> = path.split('/').collect();
        if parts.first() != Some(&STATUS) {
            return Err(HookError::Unknown);
        }
        let given = match &self.how.header {
            Some(name) => header(request, name),
            None if parts.len() > 1 => parts.pop(),
            None => None,
        };
        let given = given.ok_or_else(|| HookError::Unsigned("the secret is missing".to_owned()))?;
        verify_slices_are_equal(given.as_bytes(), self.secret.expose_secret().as_bytes())
            .map_err(|_| HookError::Unsigned("the secret is another one".to_owned()))?;
        match parts[..] {
            [_] => Ok(None),
            [_, id] => Ok(Some(id)),
            _ => Err(HookError::Unknown),
        }
    }

    fn receipt(&self, told: &Told, place: Option<&str>) -> Result<Option<News>, HookError> {
        let Some(word) = told.text(&self.how.status) else {
            return Err(missing("status", &self.how.status));
        };
        let about = self.about(told, place)?;
        let Some(fate) = self.how.words.fate(&word) else {
            return Ok(None);
        };
        let words = self.how.detail.as_ref().and_then(|field| told.text(field));
        let detail = words.filter(|words| !words.is_empty());
        let detail = detail.unwrap_or_else(|| format!("{}={word}", self.how.status));
        Ok(Some(News::Receipt(Receipt {
            about,
            fate,
            at: None,
            detail: clean(&detail),
        })))
    }

    fn about(&self, told: &Told, place: Option<&str>) -> Result<About, HookError> {
        let ours = |text: &str| {
            let id: Result<DispatchId, _> = text.parse();
            id.map(About::Dispatch)
                .map_err(|_| unreadable(&format!("`{}` is no id of ours", shorten(text, 60))))
        };
        match &self.how.id {
            ReceiptId::Address => {
                ours(place.ok_or_else(|| {
                    unreadable("the address does not say which message it is about")
                })?)
            }
            ReceiptId::Ours(field) => ours(&told.text(field).ok_or_else(|| missing("id", field))?),
            ReceiptId::Theirs(field) => {
                let id = told.text(field).filter(|id| !id.is_empty());
                let id = id.ok_or_else(|| missing("gateway-id", field))?;
                if id.chars().count() > LONGEST_ID {
                    return Err(unreadable(&format!("`{field}` is too long for an id")));
                }
                Ok(About::Gateway(id))
            }
        }
    }
}

impl Hook for Receipts {
    fn read(&self, request: &HookRequest<'_>) -> Result<Vec<News>, HookError> {
        let place = self.admit(request)?;
        let told = Told::read(request)?;
        let each = match &self.how.each {
            Some(pointer) => told.each(pointer)?,
            None => vec![told],
        };
        if each.len() > MOST {
            return Err(unreadable(&format!(
                "it tells of more than {MOST} messages"
            )));
        }
        let news = each
            .iter()
            .filter_map(|told| self.receipt(told, place).transpose());
        news.collect()
    }
}

fn missing(what: &str, field: &str) -> HookError {
    unreadable(&format!("`{field}` is not there, which holds the `{what}`"))
}
