//! Owns the validation of field values: choices, predefined rules, scripts, each with its own message.

use std::collections::BTreeMap;

use serde_json::json;

use super::field::{DataModel, Field, FieldType, Validation, ValidationRule};
use super::template::Snippets;
use super::value::Value;

/// Checks one value of one field. The error is exactly the message of the first rule that fails.
pub fn validate(field: &Field, value: &Value) -> Result<(), String> {
    Validator::over([field]).validate(&field.identifier, value)
}

/// The rules of a data model with their scripts compiled: for many values.
#[derive(Debug, Clone)]
pub struct Validator {
    fields: BTreeMap<String, Rules>,
}

#[derive(Debug, Clone)]
struct Rules {
    /// Empty: any value.
    choices: Vec<String>,
    validations: Vec<Validation>,
    /// None when a script cannot be read (refused when files are checked): then it holds for no value.
    scripts: Option<Snippets>,
}

impl Validator {
    pub fn new(model: &DataModel) -> Self {
        Self::over(&model.fields)
    }

    fn over<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let fields = fields.into_iter();
        let checked = fields.filter(|f| f.kind == FieldType::Choice || !f.validations.is_empty());
        Self {
            fields: checked
                .map(|field| (field.identifier.clone(), Rules::of(field)))
                .collect(),
        }
    }

    /// Checks one value; a field that is not known, or without rules, takes every value.
    pub fn validate(&self, field: &str, value: &Value) -> Result<(), String> {
        self.fields
            .get(field)
            .map_or(Ok(()), |rules| rules.validate(value))
    }
}

impl Rules {
    fn of(field: &Field) -> Self {
        let scripts = field.validations.iter().filter_map(|v| match &v.rule {
            // Only what reads as one expression, so that it cannot end the condition around it.
            ValidationRule::Script(script)
                if super::template::check_expression(script).is_none() =>
            {
                Some((
                    script.as_str(),
                    format!("{{% if {script} %}}true{{% endif %}}"),
                ))
            }
            _ => None,
        });
        let scripts: Vec<(&str, String)> = scripts.collect();
        let sources = scripts
            .iter()
            .map(|(name, source)| (*name, source.as_str()));
        let is_choice = field.kind == FieldType::Choice;
        Self {
            choices: if is_choice {
                field.choices.clone()
            } else {
                Vec::new()
            },
            validations: field.validations.clone(),
            scripts: Snippets::new(sources).ok(),
        }
    }

    fn validate(&self, value: &Value) -> Result<(), String> {
        let text = value.to_string();
        if !self.choices.is_empty() && !self.choices.contains(&text) {
            let choices = self.choices.join("`, `");
            return Err(format!("`{text}` is not one of `{choices}`"));
        }
        let failing = |v: &&Validation| !self.holds(&v.rule, value, &text);
        match self.validations.iter().find(failing) {
            Some(validation) => Err(validation.message.clone()),
            None => Ok(()),
        }
    }

    fn holds(&self, rule: &ValidationRule, value: &Value, text: &str) -> bool {
        let length = || u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        match rule {
            ValidationRule::StartsWith(start) => text.starts_with(start),
            ValidationRule::EndsWith(end) => text.ends_with(end),
            ValidationRule::Contains(part) => text.contains(part),
            ValidationRule::Matches(pattern) => matches_glob(pattern, text),
            ValidationRule::MinLength(least) => length() >= *least,
            ValidationRule::MaxLength(most) => length() <= *most,
            ValidationRule::AtLeast(least) => number(value).is_some_and(|n| n >= *least),
            ValidationRule::AtMost(most) => number(value).is_some_and(|n| n <= *most),
            ValidationRule::Script(script) => self.script_holds(script, value),
        }
    }

    fn script_holds(&self, script: &str, value: &Value) -> bool {
        let context = json!({ "value": plain(value) });
        let answer = self.scripts.as_ref().map(|all| all.render(script, context));
        matches!(answer, Some(Ok(answer)) if answer == "true")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bound is written as a number with a fraction, and compared as one"
)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(number) => json!(number),
        Value::Number(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::Text(_) | Value::Date(_) | Value::Instant(_) => json!(value.to_string()),
    }
}

/// Whether the whole text matches: `*` is any run of characters, `?` is one. Linear in both lengths
/// but for the last `*`, so that no pattern can stall.
pub fn matches_glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::{Cardinality, FieldCategory};
    use rstest::rstest;

    fn field(kind: FieldType, rules: Vec<ValidationRule>) -> Field {
        let message = |(at, rule)| Validation {
            rule,
            message: format!("rule {at}"),
        };
        Field {
            identifier: "instagram_profile".to_owned(),
            description: "Instagram Profile".to_owned(),
            kind,
            category: FieldCategory::Profile,
            cardinality: Cardinality::One,
            choices: vec!["a".to_owned(), "b".to_owned()],
            validations: rules.into_iter().enumerate().map(message).collect(),
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[rstest]
    #[case(ValidationRule::StartsWith("@".into()), text("@ana"), text("ana"))]
    #[case(ValidationRule::EndsWith("a".into()), text("ana"), text("anA"))]
    #[case(ValidationRule::Contains("n".into()), text("ana"), text("eve"))]
    #[case(ValidationRule::Matches("4?-*".into()), text("44-x"), text("4-x"))]
    #[case(ValidationRule::MinLength(2), text("éé"), text("é"))]
    #[case(ValidationRule::MaxLength(2), text("éé"), text("ééé"))]
    #[case(ValidationRule::AtLeast(2.0), Value::Integer(2), Value::Number(1.9))]
    #[case(ValidationRule::AtMost(2.0), Value::Number(2.0), text("1"))]
    #[case(ValidationRule::Script("value|length <= 3".into()), text("ana"), text("anna"))]
    #[case(ValidationRule::Script("value % 2 == 0".into()), Value::Integer(4), Value::Integer(3))]
    #[case(ValidationRule::Script("value < '2026-01-01'".into()), Value::Date(jiff::civil::date(2025, 1, 1)), Value::Date(jiff::civil::date(2027, 1, 1)))]
    fn each_rule_holds_and_fails(
        #[case] rule: ValidationRule,
        #[case] good: Value,
        #[case] bad: Value,
    ) {
        let field = field(FieldType::Text, vec![rule]);
        assert_eq!(validate(&field, &good), Ok(()));
        assert_eq!(validate(&field, &bad), Err("rule 0".to_owned()));
    }

    #[test]
    fn the_message_is_that_of_the_first_rule_that_fails() {
        let rules = vec![
            ValidationRule::StartsWith("@".into()),
            ValidationRule::Script("value|length <= 4".into()),
            ValidationRule::MaxLength(2),
        ];
        let field = field(FieldType::Text, rules);
        assert_eq!(validate(&field, &text("@anna")), Err("rule 1".to_owned()));
    }

    #[test]
    fn a_choice_is_one_of_its_choices() {
        let field = field(FieldType::Choice, Vec::new());
        assert_eq!(validate(&field, &text("a")), Ok(()));
        let refused = Err("`c` is not one of `a`, `b`".to_owned());
        assert_eq!(validate(&field, &text("c")), refused);
    }

    #[rstest]
    #[case("true %}{% if true")]
    #[case("value.no.such")]
    #[case("'a' * 1000000000")]
    #[case("value|replace('', value)|replace('', value)|replace('', value)|length >= 0")]
    fn a_script_that_cannot_run_holds_for_nothing_and_cannot_stall(#[case] script: &str) {
        let field = field(FieldType::Text, vec![ValidationRule::Script(script.into())]);
        let value = text(&"x".repeat(2000));
        assert_eq!(validate(&field, &value), Err("rule 0".to_owned()));
    }

    #[test]
    fn a_pattern_of_stars_cannot_stall() {
        assert!(!matches_glob(&"*a".repeat(30), &"a".repeat(29)));
        assert!(!matches_glob(&("*a".repeat(30) + "b"), &"a".repeat(5000)));
    }

    proptest::proptest! {
        #[test]
        fn a_glob_means_what_a_slow_matcher_says(pattern in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.first(), text.first()) {
                    (None, None) => true,
                    (Some(b'*'), _) => {
                        slow(&pattern[1..], text) || !text.is_empty() && slow(pattern, &text[1..])
                    }
                    (Some(p), Some(t)) if *p == b'?' || p == t => slow(&pattern[1..], &text[1..]),
                    _ => false,
                }
            }
            let expected = slow(pattern.as_bytes(), text.as_bytes());
            proptest::prop_assert_eq!(matches_glob(&pattern, &text), expected);
        }
    }
}
