//! Owns a caller of the API, who holds every answer against the description.

use std::collections::BTreeSet;

use drumbeat::customers::search;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::daemon_settings::RequestRate;
use drumbeat::domain::token::{NewToken, Secret, Token, TokenScope};
use drumbeat::web::Daemon;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::web::site::Site;

/// A site, its description, and a token that may everything.
pub(super) struct Api {
    pub(super) site: Site,
    pub(super) document: Value,
    admin: String,
}

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("no `{name}`: {self:?}"));
        value.to_str().unwrap()
    }

    /// The body of a good answer.
    pub(super) fn good(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() {
            return Value::Null;
        }
        self.json()
    }

    /// A problem of this status and kind, well formed.
    pub(super) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/docs/api#{kind}"));
        for text in ["title", "detail"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }

    /// The fields that a problem names.
    pub(super) fn fields(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let field = |error: &Value| error["field"].as_str().unwrap().to_owned();
        errors.iter().map(field).collect()
    }
}

impl Api {
    pub(super) async fn start() -> Self {
        Self::start_at(RequestRate {
            per_second: 10_000,
            burst: 10_000,
        })
        .await
    }

    pub(super) async fn start_at(rate: RequestRate) -> Self {
        Self::of(Site::start_at(rate).await).await
    }

    /// On a workspace of these files.
    pub(super) async fn start_on(files: &[(&str, &str)]) -> Self {
        let rate = RequestRate {
            per_second: 10_000,
            burst: 10_000,
        };
        Self::of(Site::start_on(rate, files).await).await
    }

    async fn of(site: Site) -> Self {
        let document = site.get("/api/v1/openapi.json").send().await.unwrap();
        let document = document.json().await.unwrap();
        let mut api = Self {
            site,
            document,
            admin: String::new(),
        };
        api.admin = api.token("root", &[TokenScope::Admin]).await;
        api
    }

    /// A new token with these scopes.
    pub(super) async fn token(&self, name: &str, scopes: &[TokenScope]) -> String {
        let (_, secret) = self.new_token(name, scopes).await;
        secret.reveal().to_owned()
    }

    pub(super) async fn new_token(&self, name: &str, scopes: &[TokenScope]) -> (Token, Secret) {
        let new = NewToken {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            expires_at: None,
        };
        let by = By::new(Actor::named("test"), Source::CommandLine);
        let now = self.site.clock_now();
        let created = self.site.store.create_token(new, &by, now, now).await;
        created.unwrap()
    }

    /// A request without a token.
    pub(super) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1{path}", self.site.address);
        self.site.browser().request(method, url)
    }

    /// A request of somebody who may everything.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.admin)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body))
            .await
    }

    /// A customer with these fields.
    pub(super) async fn customer(&self, id: &str, fields: Value) {
        let body = json!({ "id": id, "fields": fields });
        self.post("/customers", body).await.good(201);
    }

    /// Makes the texts of everybody who is to be found.
    pub(super) async fn index(&self) {
        let published = Daemon::published(&*self.site.running);
        let left = search::catch_up(&self.site.store, &published).await;
        assert_eq!(left.unwrap(), 0);
    }

    /// Sends a request, and compares the answer with the description of its operation.
    pub(super) async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.site.browser().execute(request).await.unwrap();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        };
        if let Some(operation) = self.operation(&method, &path) {
            self.compare(&format!("{method} {path}"), operation, &answer);
        }
        answer
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path = path.strip_prefix("/api/v1")?;
        let fits = |template: &str| {
            let (template, path): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), path.split('/').collect());
            let mut pairs = template.iter().zip(&path);
            template.len() == path.len() && pairs.all(|(t, p)| t == p || t.starts_with('{'))
        };
        let mut paths = self.document["paths"].as_object().unwrap().iter();
        let exact = self.document["paths"].get(path);
        let item = exact.or_else(|| paths.find(|(t, _)| fits(t)).map(|(_, item)| item))?;
        item.get(method.as_str().to_lowercase())
    }

    fn compare(&self, what: &str, operation: &Value, answer: &Answer) {
        let described = &operation["responses"][answer.status.to_string()];
        assert!(
            !described.is_null(),
            "{what}: {} is not described",
            answer.status
        );
        let Some(content) = described["content"].as_object() else {
            assert_eq!(answer.text, "", "{what}");
            return;
        };
        let kind = answer.header("content-type").split(';').next().unwrap();
        let media = content.get(kind);
        let media = media.unwrap_or_else(|| panic!("{what}: {kind} is not described"));
        if kind.ends_with("json") {
            self.conforms(what, &media["schema"], &answer.json());
        }
    }

    /// Whether every key that is there is described, and every one that is required is there.
    fn conforms(&self, what: &str, schema: &Value, value: &Value) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.strip_prefix("#/components/schemas/").unwrap();
            let schema = &self.document["components"]["schemas"][name];
            assert!(!schema.is_null(), "{what}: no schema `{name}`");
            return self.conforms(what, schema, value);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.required(what, part, value);
        }
        if value.is_null() {
            let text = schema.to_string();
            assert!(
                text.contains("null") || schema == &json!({}),
                "{what}: null: {text}"
            );
            return;
        }
        if let Some(parts) = schema["oneOf"].as_array() {
            let part = parts.iter().find(|part| part["type"] != "null").unwrap();
            return self.conforms(what, part, value);
        }
        self.required(what, schema, value);
        if let (Some(values), false) = (value.as_array(), schema["items"].is_null()) {
            for value in values {
                self.conforms(what, &schema["items"], value);
            }
        }
    }

    fn required(&self, what: &str, schema: &Value, value: &Value) {
        let Some(properties) = schema["properties"].as_object() else {
            return;
        };
        for (name, value) in value
            .as_object()
            .unwrap_or_else(|| panic!("{what}: {value}"))
        {
            if let Some(schema) = properties.get(name) {
                self.conforms(&format!("{what}: {name}"), schema, value);
            }
        }
        let has: BTreeSet<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap();
            assert!(has.contains(name), "{what}: no `{name}` in {value}");
        }
    }
}
