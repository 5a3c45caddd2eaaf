//! Owns which column of a table fills which field.

use super::names::UnknownName;
use crate::domain::field::{Cardinality, DataModel, ID};
use crate::domain::value::fold;

/// Another name for the unique id in files of other systems.
const EXTERNAL_ID: &str = "external_id";

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The customer's unique id.
    Id,
    /// The field at this place of the data model.
    Field(usize),
    Ignored,
}

/// One target for each column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub targets: Vec<Target>,
    /// The names of the columns that fill no field.
    pub ignored: Vec<String>,
}

/// Why columns and fields do not come together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("in the mapping: {0}")]
    Unknown(UnknownName),
    #[error("the column `{0}` appears more than once, so it cannot be mapped")]
    Repeated(String),
    #[error(
        "the columns `{first}` and `{second}` would both fill `{field}`: map one of them to \
         something else, or take it out"
    )]
    Contested {
        field: String,
        first: String,
        second: String,
    },
    #[error(
        "no column holds the unique id: name one `id`, or map it with `COLUMN=id` (the columns \
         are `{}`)", .columns.join("`, `")
    )]
    NoId { columns: Vec<String> },
    #[error(
        "no column fills `{field}`, by which rows find their customers: map one with \
         `COLUMN={field}` (the columns are `{}`)", .columns.join("`, `")
    )]
    NoKey { field: String, columns: Vec<String> },
    #[error("rows cannot find their customers by `{0}`: it holds several values")]
    ManyValued(String),
    #[error(
        "no column holds the {name}: name one `{name}`, or map it with `COLUMN={name}` (the \
         columns are `{}`)", .columns.join("`, `")
    )]
    Missing {
        name: &'static str,
        columns: Vec<String>,
    },
}

impl From<UnknownName> for MappingError {
    fn from(unknown: UnknownName) -> Self {
        Self::Unknown(unknown)
    }
}

impl Mapping {
    /// Maps the columns that `wanted` names (column, field), and the others by their own name: a
    /// field's identifier or description, whatever the case, accents, spaces, `_` and `-`.
    pub fn new(
        columns: &[String],
        wanted: &[(String, String)],
        model: &DataModel,
    ) -> Result<Self, MappingError> {
        Self::keyed(columns, wanted, model, None)
    }

    /// The same for rows that find their customers by another field than the unique id.
    pub fn keyed(
        columns: &[String],
        wanted: &[(String, String)],
        model: &DataModel,
        key: Option<&str>,
    ) -> Result<Self, MappingError> {
        let mut targets = vec![None; columns.len()];
        for (column, field) in wanted {
            targets[place_of(column, columns)?] = Some(target_of(field, model)?);
        }
        refuse_contested(columns, &targets, model)?;
        fill_by_name(columns, &mut targets, model)?;
        let targets: Vec<Target> = targets
            .into_iter()
            .map(|target| target.unwrap_or(Target::Ignored))
            .collect();
        let key = key.map(|key| key_of(key, model)).transpose()?;
        match key.unwrap_or(Target::Id) {
            key if targets.contains(&key) => Ok(Self::with(columns, targets)),
            Target::Field(place) => Err(MappingError::NoKey {
                field: model.fields[place].identifier.clone(),
                columns: columns.to_vec(),
            }),
            Target::Id | Target::Ignored => Err(MappingError::NoId {
                columns: columns.to_vec(),
            }),
        }
    }

    /// The same for looking at: whatever stands in the way of importing, each column has the target
    /// that it would have alone.
    pub fn proposed(
        columns: &[String],
        wanted: &[(String, String)],
        model: &DataModel,
        key: Option<&str>,
    ) -> (Self, Option<MappingError>) {
        match Self::keyed(columns, wanted, model, key) {
            Ok(mapping) => (mapping, None),
            Err(error) => {
                let target = |column: &String| {
                    let wanted = wanted.iter().find(|(name, _)| plain(name) == plain(column));
                    let name = wanted.map_or(column.as_str(), |(_, field)| field.as_str());
                    target_named(name, model).unwrap_or(Target::Ignored)
                };
                let targets = columns.iter().map(target).collect();
                (Self::with(columns, targets), Some(error))
            }
        }
    }

    fn with(columns: &[String], targets: Vec<Target>) -> Self {
        let ignored = columns
            .iter()
            .zip(&targets)
            .filter(|(name, target)| **target == Target::Ignored && !name.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        Self { targets, ignored }
    }
}

/// Whether a column of this name would fill a field, or be the unique id.
pub(super) fn is_taken(name: &str, model: &DataModel) -> bool {
    target_named(name, model).is_some()
}

pub(super) fn place_of(column: &str, columns: &[String]) -> Result<usize, MappingError> {
    let exact: Vec<usize> = places(columns, |name| name == column.trim());
    let places = if exact.is_empty() {
        places(columns, |name| plain(name) == plain(column))
    } else {
        exact
    };
    match places.as_slice() {
        [place] => Ok(*place),
        [] => {
            let known = columns.iter().map(String::as_str);
            Err(UnknownName::new("column", column, known).into())
        }
        _ => Err(MappingError::Repeated(column.to_owned())),
    }
}

fn places(columns: &[String], is_it: impl Fn(&str) -> bool) -> Vec<usize> {
    let found = columns.iter().enumerate().filter(|(_, name)| is_it(name));
    found.map(|(place, _)| place).collect()
}

/// What rows find their customers by.
pub(super) fn key_of(field: &str, model: &DataModel) -> Result<Target, MappingError> {
    match target_of(field, model)? {
        Target::Field(place) if model.fields[place].cardinality == Cardinality::Many => {
            Err(MappingError::ManyValued(field.to_owned()))
        }
        target => Ok(target),
    }
}

fn target_of(field: &str, model: &DataModel) -> Result<Target, UnknownName> {
    target_named(field, model).ok_or_else(|| {
        let known = model.fields.iter().map(|field| field.identifier.as_str());
        UnknownName::new("field", field, known.chain([ID]))
    })
}

fn target_named(name: &str, model: &DataModel) -> Option<Target> {
    let name = plain(name);
    if name == ID || name == plain(EXTERNAL_ID) {
        return Some(Target::Id);
    }
    let place = |is_it: &dyn Fn(&str, &str) -> bool| {
        let mut fields = model.fields.iter();
        fields.position(|field| is_it(&plain(&field.identifier), &plain(&field.description)))
    };
    place(&|identifier, _| identifier == name)
        .or_else(|| place(&|_, description| description == name))
        .map(Target::Field)
}

/// Columns that nobody mapped; a field that a mapped column fills is left to that one.
fn fill_by_name(
    columns: &[String],
    targets: &mut [Option<Target>],
    model: &DataModel,
) -> Result<(), MappingError> {
    let mapped: Vec<Target> = targets.iter().flatten().copied().collect();
    for (name, target) in columns.iter().zip(targets.iter_mut()) {
        if target.is_none() && !name.is_empty() {
            *target = target_named(name, model).filter(|found| !mapped.contains(found));
        }
    }
    refuse_contested(columns, targets, model)
}

fn refuse_contested(
    columns: &[String],
    targets: &[Option<Target>],
    model: &DataModel,
) -> Result<(), MappingError> {
    for (place, target) in targets.iter().enumerate() {
        let Some(target) = target else { continue };
        if let Some(first) = targets[..place].iter().position(|t| t == &Some(*target)) {
            return Err(MappingError::Contested {
                field: name_of(*target, model),
                first: columns[first].clone(),
                second: columns[place].clone(),
            });
        }
    }
    Ok(())
}

/// The name of what a column fills.
pub(super) fn name_of(target: Target, model: &DataModel) -> String {
    match target {
        Target::Field(place) => model.fields[place].identifier.clone(),
        Target::Id | Target::Ignored => ID.to_owned(),
    }
}

/// A column's name without case, accents, spaces, `_` and `-`.
pub(super) fn plain(name: &str) -> String {
    let mut plain = fold(name);
    plain.retain(|c| !c.is_whitespace() && c != '_' && c != '-');
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn map(names: &[&str], wanted: &[(&str, &str)]) -> Result<Mapping, MappingError> {
        let wanted: Vec<(String, String)> = wanted
            .iter()
            .map(|(column, field)| ((*column).to_owned(), (*field).to_owned()))
            .collect();
        Mapping::new(&columns(names), &wanted, &DataModel::default())
    }

    #[test]
    fn columns_find_their_fields_by_identifier_and_description() {
        let model = DataModel::default();
        let mapping = map(&["ID", "First Name", "E-mail address", "Shoe size"], &[]).unwrap();
        let names: Vec<String> = mapping.targets[..3]
            .iter()
            .map(|target| name_of(*target, &model))
            .collect();
        assert_eq!(names, ["id", "first_name", "email"]);
        assert_eq!(mapping.ignored, ["Shoe size"]);
    }

    #[test]
    fn a_wanted_mapping_wins_over_a_namesake() {
        let mapping = map(
            &["customerID", "email", "work mail"],
            &[("customerid", "id"), ("work mail", "email")],
        )
        .unwrap();
        assert_eq!(mapping.targets[0], Target::Id);
        assert_eq!(mapping.ignored, ["email"]);
    }

    #[test]
    fn what_cannot_be_mapped_says_why() {
        for (names, wanted, expected) in [
            (
                &["id", "mail"][..],
                &[("mial", "email")][..],
                "in the mapping: unknown column `mial`: did you mean `mail`?",
            ),
            (
                &["id", "mail"],
                &[("mail", "emial")],
                "in the mapping: unknown field `emial`: did you mean `email`?",
            ),
            (
                &["id", "city", "City"],
                &[],
                "the columns `city` and `City` would both fill `city`: map one of them to \
                 something else, or take it out",
            ),
            (
                &["email"],
                &[],
                "no column holds the unique id: name one `id`, or map it with `COLUMN=id` (the \
                 columns are `email`)",
            ),
        ] {
            assert_eq!(map(names, wanted).unwrap_err().to_string(), expected);
        }
    }
}
