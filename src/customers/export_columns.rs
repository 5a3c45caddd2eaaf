//! Owns the columns of an export: the unique id, the fields of the data model, and what else is known
//! of every customer.

use super::mapping::is_taken;
use super::names::UnknownName;
use crate::domain::channel::Channel;
use crate::domain::customer::{Customer, FieldValue, Switch};
use crate::domain::field::{DataModel, ID};
use crate::domain::rating::Rating;
use crate::domain::value::Value;
use crate::store::Wanted;

/// The values of one customer, one for each column.
pub type Cells = Vec<Option<FieldValue>>;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
enum Column {
    Id,
    /// The field of this identifier.
    Field(String),
    Tags,
    Status,
    Rating,
    Created,
    LastActivity,
    Switch(Switch),
    Consent(Channel),
}

/// The columns of an export, each with the name that heads it.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    columns: Vec<(String, Column)>,
    wanted: Wanted,
}

impl Columns {
    /// All columns, or `id` and those that are named, in their order.
    pub(super) fn new(model: &DataModel, names: Option<&[String]>) -> Result<Self, UnknownName> {
        let mut columns = all(model);
        if let Some(names) = names {
            let mut chosen = vec![(ID.to_owned(), Column::Id)];
            for name in names {
                let column = columns.iter().find(|(known, _)| known == name);
                let known = || columns.iter().map(|(known, _)| known.as_str());
                let column = column.ok_or_else(|| UnknownName::new("field", name, known()))?;
                if !chosen.contains(column) {
                    chosen.push(column.clone());
                }
            }
            columns = chosen;
        }
        Ok(Self {
            wanted: wanted(model, &columns),
            columns,
        })
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What has to be read for them.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// A customer's cells.
    pub(super) fn cells(&self, customer: &Customer, rating: Rating) -> Cells {
        let text = |text: &str| Some(FieldValue::One(Value::Text(text.to_owned())));
        let one = |value| Some(FieldValue::One(value));
        let cell = |column: &Column| match column {
            Column::Id => text(&customer.external_id),
            Column::Field(field) => customer.fields.get(field).cloned(),
            Column::Tags => {
                let tags = customer.tags.iter().cloned().map(Value::Text);
                Some(FieldValue::Many(tags.collect()))
            }
            Column::Status => text(customer.status.as_str()),
            Column::Rating => text(rating.as_str()),
            Column::Created => one(Value::Instant(customer.created_at)),
            Column::LastActivity => customer.last_activity_at.map(Value::Instant).and_then(one),
            Column::Switch(Switch::Outbound) => one(Value::Boolean(customer.switches.outbound)),
            Column::Switch(Switch::Channel(channel)) => {
                one(Value::Boolean(customer.switches.channel(*channel)))
            }
            Column::Consent(channel) => text(customer.consents.channel(*channel).as_str()),
        };
        self.columns
            .iter()
            .map(|(_, column)| cell(column))
            .collect()
    }
}

fn all(model: &DataModel) -> Vec<(String, Column)> {
    let id = (ID.to_owned(), Column::Id);
    let fields = model.fields.iter().map(|field| &field.identifier);
    let fields = fields.map(|name| (name.clone(), Column::Field(name.clone())));
    let switches = [Switch::Outbound].into_iter();
    let switches = switches.chain(Channel::ALL.map(Switch::Channel));
    let own = [
        ("tags".to_owned(), Column::Tags),
        ("status".to_owned(), Column::Status),
        ("rating".to_owned(), Column::Rating),
        ("created_at".to_owned(), Column::Created),
        ("last_activity_at".to_owned(), Column::LastActivity),
    ];
    let own = own
        .into_iter()
        .chain(switches.map(|s| (format!("{}_switch", s.as_str()), Column::Switch(s))))
        .chain(Channel::ALL.map(|c| (format!("{}_consent", c.as_str()), Column::Consent(c))));
    // What an import would take for a field gets another name, so that it is passed over.
    let own = own.map(|(name, column)| {
        if is_taken(&name, model) {
            (format!("customer:{name}"), column)
        } else {
            (name, column)
        }
    });
    [id].into_iter().chain(fields).chain(own).collect()
}

fn wanted(model: &DataModel, columns: &[(String, Column)]) -> Wanted {
    let has = |name: &str| {
        let mut columns = columns.iter();
        columns.any(|(_, column)| matches!(column, Column::Field(field) if field == name))
    };
    let fields = model.fields.iter().filter(|field| has(&field.identifier));
    Wanted {
        model: DataModel {
            fields: fields.cloned().collect(),
            ..model.clone()
        },
        tags: columns.iter().any(|(_, column)| *column == Column::Tags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_column_but_those_of_fields_and_id_would_be_imported() {
        let mut model = DataModel::default();
        let mut field = model.fields[0].clone();
        field.identifier = "standing".to_owned();
        field.description = "Status".to_owned();
        model.fields.push(field);
        for (name, column) in Columns::new(&model, None).unwrap().columns {
            let fills = matches!(column, Column::Id | Column::Field(_));
            assert_eq!(is_taken(&name, &model), fills, "{name}");
        }
    }

    #[test]
    fn wanted_columns_come_in_the_wanted_order_behind_the_id() {
        let wanted = ["tags", "city", "id"].map(str::to_owned);
        let columns = Columns::new(&DataModel::default(), Some(&wanted)).unwrap();
        assert_eq!(columns.names(), ["id", "tags", "city"]);
        assert_eq!(columns.wanted().model.fields.len(), 1);
        let unknown = Columns::new(&DataModel::default(), Some(&["ctiy".to_owned()]));
        let said = unknown.unwrap_err().to_string();
        assert_eq!(said, "unknown field `ctiy`: did you mean `city`?");
    }
}
