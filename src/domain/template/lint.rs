//! Owns the check of a template before anyone is written to: its syntax, its names, what could run away.

use std::collections::BTreeSet;

use minijinja::Error;

use super::filters;
use super::markup;
use super::names::{self, BadName};
use super::problem::TemplateProblem;
use super::walk::{self, Finding, Found};
use crate::domain::field::{DataModel, FieldType};
use crate::domain::near::near;

/// Everything wrong with a template, in the order of the text.
///
/// Empty when it can be rendered for every customer who has the fields it names. `html`: values are
/// escaped, and must stand in quotes inside of a tag.
pub fn check(source: &str, html: bool, model: &DataModel) -> Vec<TemplateProblem> {
    let found = match walk::template(source) {
        Ok(found) => found,
        Err(error) => return vec![syntax(source, &error)],
    };
    let known = |name: &str| names::bad(name, model);
    let problems = found
        .iter()
        .filter_map(|found| problem(source, html, found, &known));
    let links = found
        .iter()
        .filter_map(|found| bad_link(source, found, model));
    let mut problems: Vec<TemplateProblem> = problems.chain(links.filter(|_| html)).collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

/// The dotted names a template uses, such as `customer.first_name`; none if it cannot be read.
pub fn uses(source: &str) -> BTreeSet<String> {
    let names = |found: Found| match found.what {
        Finding::Name(name) => Some(name),
        _ => None,
    };
    let found = walk::template(source).unwrap_or_default();
    found.into_iter().filter_map(names).collect()
}

/// The first thing wrong with a validation script: an expression over `value`.
pub fn check_expression(source: &str) -> Option<TemplateProblem> {
    let found = match walk::expression(source) {
        Ok(found) => found,
        Err(error) => return Some(syntax(source, &error)),
    };
    let known = |name: &str| {
        (name != "value").then(|| BadName {
            message: format!("`{name}` is not known in a script"),
            help: Some("a script sees only `value`".to_owned()),
        })
    };
    found
        .iter()
        .find_map(|found| problem(source, false, found, &known))
}

fn problem(
    source: &str,
    html: bool,
    found: &Found,
    known: &dyn Fn(&str) -> Option<BadName>,
) -> Option<TemplateProblem> {
    let at = |message: String| TemplateProblem::at(source, &found.range, message);
    match &found.what {
        Finding::Name(name) => known(name).map(|bad| at(bad.message).helped(bad.help)),
        Finding::Call(name) => bad_call(name).map(|bad| at(bad.message).helped(bad.help)),
        Finding::Filter(name) => bad_word("filter", name, &filters::FILTERS).map(|bad| {
            let help = bad.help;
            at(bad.message).helped(help)
        }),
        Finding::Test(name) => {
            bad_word("test", name, &filters::TESTS).map(|bad| at(bad.message).helped(bad.help))
        }
        Finding::DateFormat(format) => bad_format(format).map(at),
        Finding::Output if html && markup::is_unquoted(source, found.range.start) => Some(
            at("a value in a tag must stand in quotes".to_owned())
                .helped(Some("write `href=\"{{ … }}\"`".to_owned())),
        ),
        Finding::Output => None,
        Finding::Refused { message, help } => {
            Some(at(message.clone()).helped(Some((*help).to_owned())))
        }
    }
}

/// A field that may hold any text cannot be where a link leads.
fn bad_link(source: &str, found: &Found, model: &DataModel) -> Option<TemplateProblem> {
    let Finding::Name(name) = &found.what else {
        return None;
    };
    let field = name
        .strip_prefix("customer.")
        .and_then(|field| model.field(field))?;
    let is_bad = field.kind != FieldType::Url && markup::begins_link(source, found.range.start);
    let message = format!("`{name}` may hold any text: a link cannot begin with it");
    let help = "declare the field with `type: url`, or write `https://…` before it".to_owned();
    is_bad.then(|| TemplateProblem::at(source, &found.range, message).helped(Some(help)))
}

fn bad_call(name: &str) -> Option<BadName> {
    match name {
        "abort" => None,
        "link" => Some(BadName {
            message: "`link(…)` is not supported yet: tracked links are missing".to_owned(),
            help: Some("write the address itself".to_owned()),
        }),
        _ => Some(BadName {
            message: format!("there is no function `{name}`"),
            help: Some("`abort(\"reason\")` is the only one".to_owned()),
        }),
    }
}

fn bad_word(kind: &str, name: &str, known: &[&str]) -> Option<BadName> {
    if known.contains(&name) {
        return None;
    }
    let help = match near(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("available: {}", known.join(", ")),
    };
    Some(BadName {
        message: format!("there is no {kind} `{name}`"),
        help: Some(help),
    })
}

fn bad_format(format: &str) -> Option<String> {
    let error = filters::format_date(jiff::civil::DateTime::default(), format).err()?;
    Some(format!("`{format}` is not a date format: {error}"))
}

fn syntax(source: &str, error: &Error) -> TemplateProblem {
    let detail = error
        .detail()
        .unwrap_or("this cannot be read as a template");
    let range = error.range().unwrap_or_default();
    match detail.strip_prefix("unknown statement ") {
        Some(word) => {
            let message = format!("`{word}` is not available in templates");
            let help = "use `{{ … }}`, filters, `if` and `for`".to_owned();
            TemplateProblem::at(source, &range, message).helped(Some(help))
        }
        None => TemplateProblem::at(source, &range, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn problems(source: &str, html: bool) -> Vec<String> {
        let problems = check(source, html, &DataModel::default());
        problems.into_iter().map(|p| p.message).collect()
    }

    #[rstest]
    #[case("Hi {{ customer.first_name|default('there') }}, {{ customer.rating }}")]
    #[case("{% if customer.city in ['Lyon', 'Paris'] %}{{ customer['city']|upper }}{% endif %}")]
    #[case(
        "{% for tag in customer.tags %}{{ loop.index }}. {{ tag }}{% endfor %}{{ customer.tags[0] }}"
    )]
    #[case("{{ customer.born_on|date('%d %B %Y') }} {{ unsubscribe_url }} {{ organization.name }}")]
    #[case("{% if not customer.phone %}{{ abort('no phone') }}{% endif %}{# a note #}")]
    #[case(
        "<img src=\"{{ customer.picture_url }}\" alt=\"{{ customer.city }}\"><a href=\"{{ unsubscribe_url }}\">x</a>"
    )]
    #[case(
        "<a href=\"mailto:{{ customer.email }}\" title='{{ customer.city }}'>{{ customer.city }}</a>"
    )]
    #[case("{{ 'a' if customer.city is startingwith('L') else 'b' }}{{ customer.zip[:2] }}")]
    #[case(
        "<a href=\"https://x.example/?a={{ customer.id }}&amp;b={{ flow.id }}\">1 < {{ step.id }}</a>"
    )]
    fn a_decent_template_has_no_problem(#[case] source: &str) {
        assert_eq!(problems(source, true), Vec::<String>::new());
    }

    #[rstest]
    #[case(
        "{% set a = 'x' %}{% set a = a + a %}",
        "`set` is not available in templates"
    )]
    #[case("{% set a %}x{% endset %}", "`set` is not available in templates")]
    #[case(
        "{% with a = 'x' %}{{ a }}{% endwith %}",
        "`with` is not available in templates"
    )]
    #[case(
        "{% include 'other.html' %}",
        "`include` is not available in templates"
    )]
    #[case(
        "{% import 'other.html' as o %}",
        "`import` is not available in templates"
    )]
    #[case("{% extends 'base.html' %}", "`extends` is not available in templates")]
    #[case(
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "`macro` is not available in templates"
    )]
    #[case(
        "{% filter upper %}x{% endfilter %}",
        "`filter` is not available in templates"
    )]
    #[case(
        "{% autoescape false %}x{% endautoescape %}",
        "`autoescape` is not available in templates"
    )]
    #[case(
        "{{ customer.city ~ customer.city }}",
        "`~` is not available in templates"
    )]
    #[case("{{ 'a' * 99999999 }}", "a text cannot be multiplied")]
    #[case("{{ [1] * 99999999 }}", "a text cannot be multiplied")]
    #[case(
        "{% for a in ['x' + 'x'] %}{{ a }}{% endfor %}",
        "a loop goes over a field with several values"
    )]
    #[case(
        "{% for a in range(9) %}{{ a }}{% endfor %}",
        "a loop goes over a field with several values"
    )]
    #[case(
        "{% for a in customer.tags recursive %}{{ a }}{% endfor %}",
        "a loop cannot call itself"
    )]
    #[case("{{ range(9)|join }}", "there is no function `range`")]
    #[case(
        "{{ customer.city.upper() }}",
        "`.upper()` is not available in templates"
    )]
    #[case(
        "{{ customer[customer.city] }}",
        "a field cannot be named by a computed value"
    )]
    #[case("{{ customer.city|safe }}", "there is no filter `safe`")]
    #[case(
        "{{ link('https://x.example') }}",
        "`link(…)` is not supported yet: tracked links are missing"
    )]
    #[case("{{ customer.born_on|date('%Q') }}", "`%Q` is not a date format")]
    #[case(
        "<a href={{ customer.city }}>",
        "a value in a tag must stand in quotes"
    )]
    #[case(
        "<a href=\"{{ customer.city }}\">",
        "`customer.city` may hold any text"
    )]
    #[case(
        "<img SRC='{{- customer.city|default('x') }}'>",
        "`customer.city` may hold any text"
    )]
    #[case("{{ customer.tags.x }}", "`customer.tags` has no parts")]
    #[case("{{ secret }}", "`secret` is not known in templates")]
    fn what_could_run_away_or_mislead_is_refused(#[case] source: &str, #[case] message: &str) {
        let found = problems(source, true);
        assert!(
            found.iter().any(|found| found.starts_with(message)),
            "{found:?}"
        );
    }

    #[test]
    fn a_misspelled_field_is_pointed_at_with_the_one_that_was_meant() {
        let source = "Hello!\nMy é {{ customer.frist_name }}";
        let expected = TemplateProblem {
            message: "customers have no field `frist_name`".to_owned(),
            line: 2,
            column: 9,
            length: 19,
            help: Some("did you mean `customer.first_name`?".to_owned()),
        };
        assert_eq!(check(source, false, &DataModel::default()), [expected]);
    }

    #[test]
    fn every_problem_is_reported_in_the_order_of_the_text() {
        let source = "{{ customer.a_thing }} {{ x|shout }} {{ flow.nmae }}";
        assert_eq!(
            problems(source, false),
            [
                "customers have no field `a_thing`",
                "`x` is not known in templates",
                "there is no filter `shout`",
                "`flow.nmae` is not known in templates",
            ]
        );
    }

    #[rstest]
    #[case("Hi {{ customer.first_name", 1)]
    #[case("Hi\n{% if customer.city %}", 2)]
    #[case("{{ 1 + }}", 1)]
    fn a_syntax_error_says_where(#[case] source: &str, #[case] line: u32) {
        let found = check(source, false, &DataModel::default());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, line, "{found:?}");
    }

    #[test]
    fn a_template_says_which_names_it_uses() {
        let names = uses(
            "{{ customer.city|default(customer['zip']) }}{% for t in customer.tags %}{{ t }}{% endfor %}{{ unsubscribe_url }}",
        );
        let expected = [
            "customer.city",
            "customer.tags",
            "customer.zip",
            "unsubscribe_url",
        ];
        assert!(names.iter().map(String::as_str).eq(expected), "{names:?}");
        assert!(uses("{{ broken").is_empty());
    }

    #[rstest]
    #[case("value|length <= 31", None)]
    #[case("value is startingwith('@') and value != '@'", None)]
    #[case("valeu|length", Some("`valeu` is not known in a script"))]
    #[case("true %}{{ customer }}", Some("unexpected"))]
    #[case("value ~ value", Some("`~` is not available"))]
    fn a_script_is_one_expression_over_value(#[case] source: &str, #[case] message: Option<&str>) {
        let found = check_expression(source).map(|problem| problem.message);
        match (found, message) {
            (None, None) => {}
            (Some(found), Some(message)) => assert!(found.contains(message), "{found}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_check_fail(source in "[a-z{}%|.'\"~* (\\[\\])#\n<>=é-]{0,60}") {
            for problem in check(&source, true, &DataModel::default()) {
                proptest::prop_assert!(problem.line >= 1 && problem.column >= 1 && problem.length >= 1);
            }
            uses(&source);
            check_expression(&source);
        }
    }
}
