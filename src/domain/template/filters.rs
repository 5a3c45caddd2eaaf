//! Owns the filters and tests of the template language: a chosen few, none of which can grow a text without bound.

use jiff::civil::DateTime;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, filters, tests};

/// The longest text that a filter makes and a template writes, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// Declares each word once, so that the check and the rendering know the same.
macro_rules! words {
    ($list:ident, $install:ident, $add:ident: $($name:literal $function:expr;)*) => {
        pub(super) const $list: [&str; [$($name),*].len()] = [$($name),*];

        fn $install(environment: &mut Environment<'_>) {
            $(environment.$add($name, $function);)*
        }
    };
}

words! { FILTERS, install_filters, add_filter:
    "abs" filters::abs;
    "capitalize" filters::capitalize;
    "count" filters::length;
    "date" date;
    "default" filters::default;
    "first" filters::first;
    "float" filters::float;
    "int" filters::int;
    "join" join;
    "last" filters::last;
    "length" filters::length;
    "lower" filters::lower;
    "replace" replace;
    "round" filters::round;
    "title" filters::title;
    "trim" filters::trim;
    "truncate" truncate;
    "upper" filters::upper;
    "urlencode" urlencode;
}

words! { TESTS, install_tests, add_test:
    "defined" tests::is_defined;
    "undefined" tests::is_undefined;
    "none" tests::is_none;
    "number" tests::is_number;
    "integer" tests::is_integer;
    "string" tests::is_string;
    "startingwith" tests::is_startingwith;
    "endingwith" tests::is_endingwith;
    "in" tests::is_in;
    "odd" tests::is_odd;
    "even" tests::is_even;
    "divisibleby" tests::is_divisibleby;
}

pub(super) fn install(environment: &mut Environment<'_>) {
    install_filters(environment);
    install_tests(environment);
}

fn error(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

fn bounded(length: usize) -> Result<(), Error> {
    if length > LONGEST {
        return Err(error("the text is longer than 1 MiB"));
    }
    Ok(())
}

/// Writes a date or an instant, as the context holds them (ISO 8601), by a strftime format.
fn date(value: &str, format: &str) -> Result<String, Error> {
    let moment: DateTime = value
        .parse()
        .map_err(|_| error(format!("`{value}` is not a date")))?;
    format_date(moment, format).map_err(|problem| error(problem.to_string()))
}

/// Formats by jiff's strftime, see <https://docs.rs/jiff/latest/jiff/fmt/strtime/>.
pub(super) fn format_date(moment: DateTime, format: &str) -> Result<String, jiff::Error> {
    jiff::fmt::strtime::format(format, moment)
}

fn join(items: &Value, between: Option<&str>) -> Result<String, Error> {
    let between = between.unwrap_or_default();
    let texts: Vec<String> = items.try_iter()?.map(|item| item.to_string()).collect();
    let length: usize = texts.iter().map(|text| text.len() + between.len()).sum();
    bounded(length)?;
    Ok(texts.join(between))
}

fn replace(value: &str, from: &str, to: &str) -> Result<String, Error> {
    let grown = value.matches(from).count().saturating_mul(to.len());
    bounded(grown.saturating_add(value.len()))?;
    Ok(value.replace(from, to))
}

/// The first `longest` characters, the last of them an ellipsis when something is cut off.
fn truncate(value: String, longest: usize) -> String {
    if value.chars().count() <= longest {
        return value;
    }
    let kept: String = value.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn urlencode(value: &Value) -> Result<String, Error> {
    bounded(value.as_str().map_or(0, |text| text.len() * 3))?;
    filters::urlencode(value)
}
