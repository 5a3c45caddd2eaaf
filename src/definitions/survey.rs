//! Owns the dry run of a change of a field: what would become of the values that customers have.

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::conversion::Conversion;
use crate::domain::customer::FieldValue;
use crate::domain::field::{DataModel, Field};
use crate::domain::validation::Validator;
use crate::domain::value::Value;
use crate::store::{Published, Result, Store, Wanted};

/// How many customers are looked at together.
pub(super) const PAGE: u32 = 500;
const EXAMPLES: usize = 20;

/// What would become of the values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Survey {
    #[schema(example = "age")]
    pub field: String,
    /// How many customers have a value.
    pub customers: u64,
    /// How many keep all of it, converted where the type changes.
    pub converts: u64,
    /// How many have a value that does not convert.
    pub lost: u64,
    /// How many have a value that fails the rules as they are to be. Nothing that is stored is changed by that.
    pub fails: u64,
    /// Up to 20 of those that do not convert or fail.
    pub examples: Vec<Example>,
}

/// A value that does not convert, or fails a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Example {
    /// The unique id.
    #[schema(example = "ana")]
    pub customer: String,
    #[schema(example = "about forty")]
    pub value: String,
    /// For a validation exactly its message.
    #[schema(example = "`about forty` is not a whole number")]
    pub reason: String,
}

/// Looks at every value of a field, and changes nothing.
pub async fn survey(
    store: &Store,
    published: &Published,
    from: &Field,
    to: &Field,
) -> Result<Survey> {
    let zone = published.revision.time_zone();
    let look = Look::new(from, to, zone);
    let mut survey = Survey {
        field: to.identifier.clone(),
        customers: 0,
        converts: 0,
        lost: 0,
        fails: 0,
        examples: Vec::new(),
    };
    let wanted = Wanted {
        model: only(from),
        tags: false,
    };
    let mut last = None;
    loop {
        let ids = store
            .holders_of(from, &published.numbers, last, PAGE)
            .await?;
        if ids.is_empty() {
            return Ok(survey);
        }
        last = ids.last().copied();
        for mut customer in store.customers_with(&ids, &wanted).await? {
            if let Some(value) = customer.fields.remove(&from.identifier) {
                look.at(&customer.external_id, &value, &mut survey);
            }
        }
    }
}

/// A field's data model.
fn only(field: &Field) -> DataModel {
    DataModel {
        fields: vec![field.clone()],
        ..DataModel::default()
    }
}

struct Look {
    conversion: Conversion,
    /// Whether the values are stored otherwise.
    converts: bool,
    validator: Validator,
    zone: TimeZone,
}

impl Look {
    fn new(from: &Field, to: &Field, zone: TimeZone) -> Self {
        Self {
            conversion: Conversion {
                from: from.clone(),
                to: to.clone(),
            },
            converts: from.kind != to.kind || from.cardinality != to.cardinality,
            validator: Validator::new(&only(to)),
            zone,
        }
    }

    fn at(&self, customer: &str, value: &FieldValue, survey: &mut Survey) {
        let mut example = |value: &str, reason: String| {
            if survey.examples.len() < EXAMPLES {
                survey.examples.push(Example {
                    customer: customer.to_owned(),
                    value: value.to_owned(),
                    reason,
                });
            }
        };
        let mut kept = Some(value.clone());
        let mut is_lost = false;
        if self.converts {
            let converted = self.conversion.convert(value, &self.zone);
            is_lost = !converted.lost.is_empty();
            for lost in converted.lost {
                example(&lost.value, lost.reason);
            }
            kept = converted.value;
        }
        let mut fails = false;
        for value in kept.iter().flat_map(values) {
            let name = &self.conversion.to.identifier;
            if let Err(message) = self.validator.validate(name, value) {
                fails = true;
                example(&value.to_string(), message);
            }
        }
        survey.customers += 1;
        survey.lost += u64::from(is_lost);
        survey.converts += u64::from(!is_lost);
        survey.fails += u64::from(fails);
    }
}

fn values(value: &FieldValue) -> &[Value] {
    match value {
        FieldValue::One(value) => std::slice::from_ref(value),
        FieldValue::Many(values) => values,
    }
}
