//! Owns small templates outside of messages: a gateway's URL, headers and body, a field's validation scripts.

use std::sync::Arc;

use minijinja::Environment;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::sandbox;

/// Named texts, compiled once and rendered many times, within the same bounds as messages.
///
/// Nothing is escaped; what is `None` in the context is written as nothing, an unknown name is an error.
#[derive(Debug, Clone)]
pub struct Snippets(Arc<Environment<'static>>);

impl Snippets {
    /// Compiles each `(name, source)`. The error names the text that cannot be read and says why.
    pub fn new<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut environment = sandbox::environment();
        for (name, source) in sources {
            sandbox::add(&mut environment, name, source)
                .map_err(|error| format!("`{name}`: {}", sandbox::explain(&error)))?;
        }
        Ok(Self(Arc::new(environment)))
    }

    /// Renders the text `name` over the fields of `context`, such as `{message: {to, text, id}}`.
    pub fn render(&self, name: &str, context: impl Serialize) -> Result<String, String> {
        self.0
            .get_template(name)
            .and_then(|template| sandbox::render(&template, Value::from(Serde(context))))
            .map_err(|error| format!("`{name}`: {}", sandbox::explain(&error)))
    }
}
