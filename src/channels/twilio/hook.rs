//! Owns what Twilio's callbacks tell: status of messages at `status/DISPATCH`, what people write back at `inbound`.
//!
//! Source: <https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>.

use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::signature::{Signature, is_body};
use crate::channels::detail::{clean, shorten};
use crate::channels::{Hook, HookError, HookRequest};
use crate::domain::ids::DispatchId;
use crate::domain::news::{About, Bounce, Fate, News, Receipt, Reply};

const LONGEST_ID: usize = 200;

pub(super) struct Callbacks(Signature);

type Fields = Vec<(String, String)>;

impl Callbacks {
    pub(super) fn new(token: &SecretString) -> Self {
        Self(Signature::new(token))
    }

    /// The fields of a request that is Twilio's own.
    fn admit(&self, request: &HookRequest<'_>) -> Result<Fields, HookError> {
        let given = header(request, "x-twilio-signature");
        let given = given.ok_or_else(|| unsigned("there is no `X-Twilio-Signature`"))?;
        let query = pairs(request.query);
        let kind = header(request, "content-type").unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let form = if is_form {
            pairs(text(request.body)?)
        } else {
            Fields::new()
        };
        if !self.0.fits(given, request.url, &form) {
            return Err(unsigned("`X-Twilio-Signature` is another one"));
        }
        if is_form || request.body.is_empty() {
            return Ok(query.into_iter().chain(form).collect());
        }
        let named = field(&query, "bodySHA256").unwrap_or_default();
        if !is_body(request.body, named) {
            return Err(unsigned("`bodySHA256` is not that of the body"));
        }
        json(request.body)
    }
}

impl Hook for Callbacks {
    fn read(&self, request: &HookRequest<'_>) -> Result<Vec<News>, HookError> {
        let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match parts[..] {
            ["status", id] => {
                let fields = self.admit(request)?;
                receipt(id, &fields).map(|news| news.into_iter().collect())
            }
            ["inbound"] => Ok(vec![reply(&self.admit(request)?)?]),
            _ => Err(HookError::Unknown),
        }
    }
}

/// None: a word that is news of nothing.
fn receipt(id: &str, fields: &Fields) -> Result<Option<News>, HookError> {
    let id: DispatchId = id
        .parse()
        .map_err(|_| unreadable(&format!("`{}` is no id of ours", shorten(id, 60))))?;
    let word = needed(fields, "MessageStatus")?;
    let code = field(fields, "ErrorCode").and_then(|code| code.parse().ok());
    let Some(fate) = fate(word, code) else {
        return Ok(None);
    };
    let mut detail = format!("MessageStatus={word}");
    for name in ["ErrorCode", "ErrorMessage"] {
        if let Some(value) = field(fields, name).filter(|value| !value.is_empty()) {
            detail = format!("{detail} {name}={value}");
        }
    }
    Ok(Some(News::Receipt(Receipt {
        about: About::Dispatch(id),
        fate,
        at: None,
        detail: clean(&detail),
    })))
}

fn fate(word: &str, code: Option<u32>) -> Option<Fate> {
    Some(match word {
        "accepted" | "scheduled" | "queued" | "sending" | "sent" => Fate::Accepted,
        "delivered" | "read" => Fate::Delivered,
        "undelivered" | "failed" => code.map_or(Fate::Failed, given_up),
        "canceled" => Fate::Failed,
        _ => return None,
    })
}

/// <https://www.twilio.com/docs/api/errors#3-anchor>
fn given_up(code: u32) -> Fate {
    match code {
        // Unknown or no longer in service; a landline, or a carrier that cannot be reached.
        21211 | 21614 | 30005 | 30006 => Fate::Bounced(Bounce::Hard),
        // Switched off or out of reach; the network is congested.
        30003 | 30017 => Fate::Bounced(Bounce::Soft),
        // Filtered by the carrier or by Twilio; a sender that is not registered.
        30007 | 30032 | 30034 => Fate::Bounced(Bounce::Policy),
        30036 => Fate::Expired,
        _ => Fate::Failed,
    }
}

fn reply(fields: &Fields) -> Result<News, HookError> {
    let id = field(fields, "MessageSid").or_else(|| field(fields, "SmsMessageSid"));
    let id = id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let id = id.ok_or_else(|| unreadable("`MessageSid` is not there"))?;
    Ok(News::Reply(Reply {
        from: needed(fields, "From")?.to_owned(),
        to: needed(fields, "To")?.to_owned(),
        text: field(fields, "Body").unwrap_or_default().to_owned(),
        id: id.to_owned(),
    }))
}

fn header<'a>(request: &HookRequest<'a>, name: &str) -> Option<&'a str> {
    let mut named = request.headers.iter().filter(|(known, _)| known == name);
    named.next().map(|(_, value)| value.as_str())
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let mut named = fields.iter().filter(|(known, _)| known == name);
    named.next().map(|(_, value)| value.as_str())
}

fn needed<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, HookError> {
    field(fields, name).ok_or_else(|| unreadable(&format!("`{name}` is not there")))
}

/// The fields of a query or of a form.
fn pairs(text: &str) -> Fields {
    let Ok(mut url) = Url::parse("http://form/") else {
        return Fields::new();
    };
    url.set_query(Some(text));
    let pairs = url
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

fn text(body: &[u8]) -> Result<&str, HookError> {
    std::str::from_utf8(body).map_err(|_| unreadable("the body is not UTF-8"))
}

/// The texts and numbers of an object.
fn json(body: &[u8]) -> Result<Fields, HookError> {
    let whole: serde_json::Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| unreadable(&format!("the body is neither a form nor JSON: {error}")))?;
    let fields = whole.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        _ => None,
    });
    Ok(fields.collect())
}

fn unsigned(why: &str) -> HookError {
    HookError::Unsigned(why.to_owned())
}

fn unreadable(why: &str) -> HookError {
    HookError::Unreadable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("queued", None, Some(Fate::Accepted))]
    #[case("sent", None, Some(Fate::Accepted))]
    #[case("delivered", None, Some(Fate::Delivered))]
    #[case("undelivered", Some(30003), Some(Fate::Bounced(Bounce::Soft)))]
    #[case("undelivered", Some(30005), Some(Fate::Bounced(Bounce::Hard)))]
    #[case("undelivered", Some(30006), Some(Fate::Bounced(Bounce::Hard)))]
    #[case("undelivered", Some(30007), Some(Fate::Bounced(Bounce::Policy)))]
    #[case("undelivered", Some(30008), Some(Fate::Failed))]
    #[case("undelivered", Some(21610), Some(Fate::Failed))]
    #[case("failed", Some(30036), Some(Fate::Expired))]
    #[case("failed", None, Some(Fate::Failed))]
    #[case("receiving", None, None)]
    #[case("something-new", None, None)]
    fn each_status_has_its_fate(
        #[case] word: &str,
        #[case] code: Option<u32>,
        #[case] expected: Option<Fate>,
    ) {
        assert_eq!(fate(word, code), expected);
    }
}
