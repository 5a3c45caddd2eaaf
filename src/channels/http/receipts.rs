//! Owns what an HTTP gateway's callbacks tell: whether they are its own, which message they are about, and
//! what became of it.

use super::shared::Shared;
use super::told::{Told, missing, unreadable};
use crate::channels::detail::{clean, shorten};
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Hook, HookError, HookRequest};
use crate::domain::gateway::{HttpReceipts, ReceiptId};
use crate::domain::ids::DispatchId;
use crate::domain::message::Message;
use crate::domain::news::{About, News, Receipt};

const KEY: &str = "gateway.http.receipts.secret";
const LONGEST_ID: usize = 200;
/// Messages that one request tells of.
const MOST: usize = 10_000;

/// Reads the callbacks of one gateway.
pub(super) struct Receipts {
    secret: Shared,
    how: HttpReceipts,
}

impl Receipts {
    pub(super) fn open(setup: &Setup<'_>, how: &HttpReceipts) -> Result<Self, BadGateway> {
        let secret = Shared::open(setup, KEY, (&how.secret, how.header.as_ref()))?;
        let how = how.clone();
        Ok(Self { secret, how })
    }

    /// Where the gateway is to tell of a message.
    pub(super) fn url(&self, message: &Message) -> Option<String> {
        let url = message.receipt_url.as_ref()?;
        Some(self.secret.address(url))
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
        // Which dispatch it is about, where the address says it.
        let place = match self.secret.admit(request)?[..] {
            [_] => None,
            [_, id] => Some(id),
            _ => return Err(HookError::Unknown),
        };
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
