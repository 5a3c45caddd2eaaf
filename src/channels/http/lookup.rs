//! Owns asking an HTTP gateway what became of a message whose answer was lost.

use futures_util::future::BoxFuture;
use reqwest::header::HeaderName;
use reqwest::{Client, RequestBuilder};
use serde::Serialize;

use super::blueprint::{header_value, headers, web_address};
use super::texts::{Reader, Text, Texts};
use super::told::Told;
use crate::channels::detail::clean;
use crate::channels::exchange::{Answer, ask};
use crate::channels::setup::{BadGateway, Setup};
use crate::channels::{Finding, Inquiry};
use crate::domain::gateway::{HttpLookup, Missing};
use crate::domain::ids::DispatchId;

/// One way of asking.
pub(super) struct Lookup {
    client: Client,
    url: Text,
    headers: Vec<(HeaderName, Text)>,
    texts: Texts,
    how: HttpLookup,
}

/// What the texts of a lookup can name.
#[derive(Serialize)]
struct Context {
    message: About,
}

#[derive(Serialize)]
struct About {
    id: String,
}

impl Lookup {
    pub(super) fn open(
        setup: &Setup<'_>,
        how: &HttpLookup,
        client: &Client,
    ) -> Result<Self, BadGateway> {
        let mut reader = Reader::new(setup);
        Ok(Self {
            client: client.clone(),
            url: reader.text("lookup.url", &how.url)?,
            headers: headers(&mut reader, "lookup.headers", &how.headers)?,
            texts: reader.finish()?,
            how: how.clone(),
        })
    }

    fn request(&self, id: DispatchId) -> Result<RequestBuilder, String> {
        let about = About { id: id.to_string() };
        let context = Context { message: about };
        let url = web_address(&self.texts.write(&self.url, &context)?)?;
        let mut request = self.client.get(url);
        for (name, text) in &self.headers {
            let value = self.texts.write(text, &context)?;
            request = request.header(name, header_value(name, &value)?);
        }
        Ok(request)
    }

    async fn find(&self, id: DispatchId) -> Finding {
        let request = match self.request(id) {
            Ok(request) => request,
            Err(reason) => return Finding::Nothing(clean(&reason)),
        };
        match ask(request).await {
            Ok(answer) => self.read(&answer),
            Err(silence) => Finding::Nothing(silence.words().to_owned()),
        }
    }

    fn read(&self, answer: &Answer) -> Finding {
        match answer.status {
            200..300 => {}
            404 | 410 if self.how.missing == Missing::Failed => {
                return Finding::Missing(answer.detail());
            }
            _ => return Finding::Nothing(answer.detail()),
        }
        let Ok(body) = serde_json::from_str(answer.text()) else {
            let why = format!("the answer is not JSON: {}", answer.detail());
            return Finding::Nothing(why);
        };
        let told = Told::Json(body, Vec::new());
        let field = &self.how.status;
        let Some(word) = told.text(field) else {
            return Finding::Nothing(format!("`{field}` is not there: {}", answer.detail()));
        };
        let words = self.how.detail.as_ref().and_then(|field| told.text(field));
        let words = words.filter(|words| !words.is_empty());
        let words = words.unwrap_or_else(|| format!("{field}={word}"));
        match self.how.words.fate(&word) {
            Some(fate) => Finding::Known(fate, clean(&words)),
            None => Finding::Nothing(clean(&format!("{field}={word} means nothing here"))),
        }
    }
}

impl Inquiry for Lookup {
    fn ask(&self, id: DispatchId) -> BoxFuture<'_, Finding> {
        Box::pin(self.find(id))
    }
}
