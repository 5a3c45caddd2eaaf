//! Owns the request of an HTTP gateway: its texts are read once, and written for each message.

use std::collections::BTreeMap;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::{Map, Value};

use super::fields::{Context, Fields};
use super::texts::{Reader, Text, Texts};
use crate::channels::setup::{BadGateway, Setup};
use crate::domain::gateway::{HttpBody, HttpGateway, Secretive};
use crate::domain::message::Message;

/// A request with holes for a message.
pub(super) struct Blueprint {
    method: Method,
    url: Text,
    headers: Vec<(HeaderName, Text)>,
    body: Body,
    /// The header that carries the dispatch id.
    key: Option<HeaderName>,
    /// The channel's own sender.
    from: Option<String>,
    texts: Texts,
}

enum Body {
    Json(Node),
    Form(Vec<(String, Text)>),
}

/// A JSON value whose texts may be templates.
enum Node {
    Text(Text),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A number, a truth value, null.
    Fixed(Value),
}

impl Blueprint {
    pub(super) fn read(setup: &Setup<'_>, http: &HttpGateway) -> Result<Self, BadGateway> {
        let mut reader = Reader::new(setup);
        let from = setup.optional(setup.config.from.as_ref(), |text| setup.text("from", text))?;
        let blueprint = Self {
            method: method(setup, &http.method)?,
            url: reader.text("url", &http.url)?,
            headers: headers(&mut reader, "headers", &http.headers)?,
            body: body(&mut reader, &http.body)?,
            key: http
                .idempotency_header
                .as_deref()
                .map(|name| header_name(setup, "gateway.http.idempotency-header", name))
                .transpose()?,
            from,
            texts: reader.finish()?,
        };
        if let Text::Fixed(url) = &blueprint.url {
            web_address(url).map_err(|error| setup.bad("gateway.http.url", &error))?;
        }
        Ok(blueprint)
    }

    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The request for one message; the error says which text could not be written, and why.
    pub(super) fn request(
        &self,
        client: &Client,
        message: &Message,
        receipt_url: Option<String>,
    ) -> Result<RequestBuilder, String> {
        let context = Context {
            message: Fields::of(message, self.from.as_deref()),
            receipt_url,
        };
        let url = web_address(&self.texts.write(&self.url, &context)?)?;
        let mut request = client.request(self.method.clone(), url);
        for (name, text) in &self.headers {
            let value = self.texts.write(text, &context)?;
            request = request.header(name, header_value(name, &value)?);
        }
        if let Some(key) = &self.key {
            request = request.header(key, &context.message.id);
        }
        Ok(match &self.body {
            Body::Json(node) => request.json(&self.json(node, &context)?),
            Body::Form(pairs) => request.form(&self.form(pairs, &context)?),
        })
    }

    fn json(&self, node: &Node, context: &Context<'_>) -> Result<Value, String> {
        Ok(match node {
            Node::Fixed(value) => value.clone(),
            Node::Text(text) => Value::String(self.texts.write(text, context)?),
            Node::Array(nodes) => {
                let values = nodes.iter().map(|node| self.json(node, context));
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            Node::Object(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, node)| Ok((key.clone(), self.json(node, context)?)));
                Value::Object(pairs.collect::<Result<Map<_, _>, String>>()?)
            }
        })
    }

    fn form<'a>(
        &self,
        pairs: &'a [(String, Text)],
        context: &Context<'_>,
    ) -> Result<Vec<(&'a str, String)>, String> {
        pairs
            .iter()
            .map(|(key, text)| Ok((key.as_str(), self.texts.write(text, context)?)))
            .collect()
    }
}

fn method(setup: &Setup<'_>, name: &str) -> Result<Method, BadGateway> {
    let key = "gateway.http.method";
    Method::from_bytes(name.as_bytes()).map_err(|error| setup.bad(key, &error))
}

fn header_name(setup: &Setup<'_>, key: &str, name: &str) -> Result<HeaderName, BadGateway> {
    name.parse()
        .map_err(|_| setup.bad(key, &format!("`{name}` is not the name of a header")))
}

pub(super) fn headers(
    reader: &mut Reader<'_>,
    place: &str,
    headers: &BTreeMap<String, Secretive>,
) -> Result<Vec<(HeaderName, Text)>, BadGateway> {
    let read = |(name, value): (&String, &Secretive)| {
        let header = header_name(reader.setup(), &format!("gateway.http.{place}"), name)?;
        Ok((header, reader.text(&format!("{place}: {name}:"), value)?))
    };
    headers.iter().map(read).collect()
}

fn body(reader: &mut Reader<'_>, body: &HttpBody) -> Result<Body, BadGateway> {
    match body {
        HttpBody::Json(value) => node(reader, "json: ", value).map(Body::Json),
        HttpBody::Form(pairs) => pairs
            .iter()
            .map(|(key, value)| Ok((key.clone(), reader.text(&format!("form: {key}:"), value)?)))
            .collect::<Result<_, _>>()
            .map(Body::Form),
    }
}

fn node(reader: &mut Reader<'_>, place: &str, value: &Value) -> Result<Node, BadGateway> {
    Ok(match value {
        Value::String(text) => Node::Text(reader.text(place, &Secretive(text.clone()))?),
        Value::Array(values) => {
            let nodes = values
                .iter()
                .enumerate()
                .map(|(at, value)| node(reader, &format!("{place}{at}:"), value));
            Node::Array(nodes.collect::<Result<_, _>>()?)
        }
        Value::Object(pairs) => {
            let nodes = pairs.iter().map(|(key, value)| {
                Ok((key.clone(), node(reader, &format!("{place}{key}:"), value)?))
            });
            Node::Object(nodes.collect::<Result<_, BadGateway>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Node::Fixed(value.clone()),
    })
}

pub(super) fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`url` is not a URL: {error}"))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err("`url` must begin with `https://` or `http://`".to_owned())
    }
}

/// Header values may be secrets, so they are never shown.
pub(super) fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| format!("the value of header `{name}` holds a character no header may"))?;
    value.set_sensitive(true);
    Ok(value)
}
