//! Owns reading the data model: fields with their validations, tags, rating bounds.

use crate::domain::field::{Cardinality, DataModel, Field, FieldCategory, FieldType, ID, Tag};
use crate::domain::field::{Validation, ValidationRule};
use crate::domain::rating::RatingBounds;
use crate::domain::template;
use crate::workspace::diagnostic::Report;
use crate::workspace::document::customers::{CustomersDoc, FieldDoc, RatingDoc, ValidationDoc};
use crate::workspace::document::word::Word;
use crate::workspace::documents::Doc;
use crate::workspace::node::Span;
use crate::workspace::rules::{
    bad_value, built_in_field, exactly_one, field_identifier, missing_key, template as bad_template,
};
use crate::workspace::spanned::{At, Opt, Own as _};

pub(crate) fn data_model(
    documents: &[Doc<CustomersDoc>],
    report: &mut Report,
) -> (DataModel, RatingBounds) {
    let mut model = DataModel::default();
    let mut bounds = RatingBounds::default();
    for document in documents {
        let doc = &document.written.customers;
        for (name, written) in &doc.fields.0 {
            if let Some(field) = field(&model, name, (written, document.whole), report) {
                match model
                    .fields
                    .iter_mut()
                    .find(|f| f.identifier == field.identifier)
                {
                    Some(known) => *known = field,
                    None => model.fields.push(field),
                }
            }
        }
        for (name, tag) in &doc.tags.0 {
            let tag = Tag {
                description: tag.description.as_ref().map(|text| text.value.clone()),
                color: tag.color.as_ref().map(|color| color.0.clone()),
            };
            model.tags.insert(name.value.clone(), tag);
        }
        if let Some(written) = &doc.rating {
            bounds = rating(written, report);
        }
    }
    (model, bounds)
}

fn rating(written: &At<RatingDoc>, report: &mut Report) -> RatingBounds {
    let defaults = RatingBounds::default();
    let days = |value: &Opt<u32>, otherwise| value.as_ref().map_or(otherwise, |days| days.value);
    let bounds = RatingBounds {
        new: days(&written.new, defaults.new),
        frequent: days(&written.frequent, defaults.frequent),
        dormant: days(&written.dormant, defaults.dormant),
    };
    if bounds.new >= bounds.frequent || bounds.frequent >= bounds.dormant {
        let message = "the bounds must grow: `new` before `frequent` before `dormant`";
        report.add(bad_value::finding(written.span, message));
    }
    bounds
}

fn field(
    model: &DataModel,
    name: &At<String>,
    (written, is_whole): (&At<FieldDoc>, bool),
    report: &mut Report,
) -> Option<Field> {
    if let Err(finding) = field_identifier::check(name.span, name) {
        report.add(finding);
        return None;
    }
    if name.value == ID {
        report.add(built_in_field::finding(
            name.span,
            ID,
            "the unique identifier",
        ));
        return None;
    }
    // A field declared twice is told elsewhere; the second then looks like a built-in one.
    let built_in = crate::domain::field::built_in_fields()
        .into_iter()
        .find(|field| field.identifier == name.value);
    let known = built_in.as_ref().or_else(|| model.field(name));
    if let Some(known) = &built_in {
        keeps_its_type(known, name, written, report);
    }
    let Some(kind) = known
        .map(|known| known.kind)
        .or_else(|| written.kind.own().map(|word| word.0))
    else {
        // What was left out of the document has been told where it stands.
        if is_whole {
            let what = format!("the field `{}`", name.value);
            report.add(missing_key::at(name.span, &what, "type"));
        }
        return None;
    };
    let cardinality = match &built_in {
        Some(built_in) => built_in.cardinality,
        None => written
            .cardinality
            .own()
            .map_or(Cardinality::One, |word| word.0),
    };
    choices(name.span, kind, written, report);
    let description = known.map_or_else(|| name.value.clone(), |known| known.description.clone());
    let category = known.map_or(FieldCategory::Profile, |known| known.category);
    let validations = written.validate.iter();
    Some(Field {
        identifier: name.value.clone(),
        description: written.description.own().unwrap_or(description),
        kind,
        category: written.category.own().map_or(category, |word| word.0),
        cardinality,
        choices: written
            .choices
            .iter()
            .map(|choice| choice.value.clone())
            .collect(),
        validations: validations
            .filter_map(|check| validation(check, report))
            .collect(),
    })
}

fn keeps_its_type(built_in: &Field, name: &At<String>, written: &FieldDoc, report: &mut Report) {
    let other = |kind: &&At<Word<FieldType>>| kind.0 != built_in.kind;
    if let Some(kind) = written.kind.as_ref().filter(other) {
        let known = format!("`{}`", built_in.kind.as_str());
        report.add(built_in_field::finding(kind.span, name, &known));
    }
    if let Some(word) = written
        .cardinality
        .as_ref()
        .filter(|word| word.0 != built_in.cardinality)
    {
        let known = match built_in.cardinality {
            Cardinality::One => "one-valued",
            Cardinality::Many => "many-valued",
        };
        report.add(built_in_field::finding(word.span, name, known));
    }
}

fn choices(span: Span, kind: FieldType, written: &FieldDoc, report: &mut Report) {
    if kind == FieldType::Choice && written.choices.is_empty() {
        report.add(missing_key::at(span, "a field of type `choice`", "choices"));
    }
    if let Some(first) = written
        .choices
        .first()
        .filter(|_| kind != FieldType::Choice)
    {
        let message = format!("`choices` go with `type: choice`, not `{}`", kind.as_str());
        report.add(bad_value::finding(first.span, message));
    }
}

fn validation(written: &At<ValidationDoc>, report: &mut Report) -> Option<Validation> {
    let text = |value: &Opt<String>| value.own();
    if let Some(script) = &written.script
        && let Some(problem) = template::check_expression(script)
    {
        report.add(bad_template::finding(
            script.span,
            &problem.message,
            problem.help,
        ));
    }
    let rules: Vec<ValidationRule> = [
        text(&written.starts_with).map(ValidationRule::StartsWith),
        text(&written.ends_with).map(ValidationRule::EndsWith),
        text(&written.contains).map(ValidationRule::Contains),
        text(&written.matches).map(ValidationRule::Matches),
        written
            .min_length
            .as_ref()
            .map(|n| ValidationRule::MinLength(n.value)),
        written
            .max_length
            .as_ref()
            .map(|n| ValidationRule::MaxLength(n.value)),
        written
            .at_least
            .as_ref()
            .map(|n| ValidationRule::AtLeast(n.value)),
        written
            .at_most
            .as_ref()
            .map(|n| ValidationRule::AtMost(n.value)),
        text(&written.script).map(ValidationRule::Script),
    ]
    .into_iter()
    .flatten()
    .collect();
    let found = rules.len();
    let mut rules = rules.into_iter();
    if found != 1 {
        report.add(exactly_one::finding(
            written.span,
            "a validation",
            &RULES,
            found,
        ));
    }
    Some(Validation {
        rule: rules.next().filter(|_| found == 1)?,
        message: written.message.value.clone(),
    })
}

const RULES: [&str; 9] = [
    "starts-with",
    "ends-with",
    "contains",
    "matches",
    "min-length",
    "max-length",
    "at-least",
    "at-most",
    "script",
];
