//! Owns the bounds within which templates run: no files, fuel, a longest output, strict names, escaping.

use std::io;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Template, UndefinedBehavior, Value,
    escape_formatter,
};

use super::{bounds, filters};
use crate::domain::plain_text::write_escaped;

/// Steps of the template machine; a long mail takes some hundreds.
const FUEL: u64 = 20_000;

/// An environment that knows our filters only. Templates named `….html` escape what they write.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    // Semi-strict: writing what is missing is an error, asking `if` for it is not.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    // An error then names the missing value; the cost is paid only when there is an error.
    environment.set_debug(true);
    environment.set_auto_escape_callback(|name| {
        if name
            .rsplit_once('.')
            .is_some_and(|(_, kind)| kind == "html")
        {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_formatter(write);
    environment.add_function("abort", abort);
    filters::install(&mut environment);
    environment
}

/// Writes text with the five characters of HTML escaped, and nothing for `none`.
fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        _ if value.is_none() => Ok(()),
        Some(text) if *state.auto_escape() == AutoEscape::Html => {
            write_escaped(out, text).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// A template's own wish that this message is not sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Abort(pub String);

fn abort(reason: Option<String>) -> Result<Value, Error> {
    let reason = reason.unwrap_or_else(|| "the template asked for it".to_owned());
    Err(Error::new(ErrorKind::InvalidOperation, "abort").with_source(Abort(reason)))
}

/// Compiles a text under a name.
pub(super) fn add(
    environment: &mut Environment<'static>,
    name: &str,
    source: &str,
) -> Result<(), Error> {
    bounds::check(source, false)
        .map_err(|deep| Error::new(ErrorKind::SyntaxError, deep.message))?;
    environment.add_template_owned(name.to_owned(), source.to_owned())
}

/// Renders within the bounds.
pub(super) fn render(template: &Template<'_, '_>, context: Value) -> Result<String, Error> {
    let mut out = Bounded(Vec::new());
    template.render_captured_to(context, &mut out)?;
    String::from_utf8(out.0).map_err(|error| {
        Error::new(ErrorKind::WriteFailure, "the output is not UTF-8").with_source(error)
    })
}

/// What went wrong, in words for the history.
pub(super) fn explain(error: &Error) -> String {
    match error.kind() {
        ErrorKind::OutOfFuel => "the template runs too long".to_owned(),
        ErrorKind::WriteFailure => "the template writes more than 1 MiB".to_owned(),
        ErrorKind::UndefinedError => missing(error),
        kind => error
            .detail()
            .map_or_else(|| kind.to_string(), str::to_owned),
    }
}

fn missing(error: &Error) -> String {
    // The detail reads "`customer.first_name` is undefined".
    let detail = error.detail().unwrap_or("`a value`");
    let name = detail.split('`').nth(1).unwrap_or(detail);
    format!("`{name}` is missing: give it a default, such as `{{{{ {name}|default(\"…\") }}}}`")
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > filters::LONGEST {
            return Err(io::Error::other("longer than 1 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
