//! Owns putting customers back to what they were before an import, as far as nobody changed them since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::bind::{Bind, Cell};
use super::customer_columns::Class;
use super::customer_consents;
use super::customer_edits;
use super::customer_known::{self, ConsentChange};
use super::customer_lists::{self, List};
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::dialect::rows;
use super::dirty;
use super::error::Result;
use super::import_before::{Before, Moved};
use super::interactions;
use super::listing::json;
use super::lists::{self, Listing};
use super::names;
use super::returning;
use super::sql::query_scalar;
use super::tagging::{self, Tagging};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::FieldValue;
use crate::domain::field::{DataModel, Field};
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::revision::NameKind;
use crate::domain::subscription::Consent;
use crate::domain::touched::Touched;
use crate::domain::value::Value;

/// Sets a consent back where it still is as it became.
macro_rules! back {
    ($column:literal) => {
        concat!(
            "UPDATE customers SET ",
            $column,
            " = j.was, consent_rev = customers.consent_rev + 1, updated_at = $2 FROM ",
            rows!(id BIGINT 0, was BIGINT 1, became BIGINT 2),
            " AS j WHERE customers.bucket = j.id >> 48 AND customers.customer_id = j.id \
             AND customers.",
            $column,
            " = j.became RETURNING customer_id"
        )
    };
}
const EMAIL: &str = back!("email_consent");
const SMS: &str = back!("sms_consent");
const PUSH: &str = back!("push_consent");

pub(super) const STATEMENTS: &[&str] = &[EMAIL, SMS, PUSH];

/// What customers are put back with; who is kept, by their unique ids.
#[derive(Clone, Copy)]
pub(super) struct Back<'a> {
    pub(super) names: &'a BTreeMap<CustomerId, String>,
    pub(super) model: &'a DataModel,
    pub(super) by: &'a By,
    pub(super) at: Timestamp,
}

/// What is left as it is, and why; by customer.
pub(super) type Left = BTreeMap<CustomerId, String>;

/// Puts customers back; how many were changed, and of whom something is left.
pub(super) async fn put_back(
    tx: &mut Tx,
    page: &BTreeMap<CustomerId, Before>,
    back: &Back<'_>,
) -> Result<(u64, Left)> {
    let mut left = Left::new();
    if page.is_empty() {
        return Ok((0, left));
    }
    let mut changed = back.fields(tx, page, &mut left).await?;
    changed.extend(back.consents(tx, page, &mut left).await?);
    changed.extend(back.tags(tx, page).await?);
    changed.extend(back.lists(tx, page).await?);
    Ok((changed.len() as u64, left))
}

/// A field of a customer to be put back: what it became, and what it was.
struct Wish {
    customer: CustomerId,
    field: String,
    became: Option<FieldValue>,
    was: Option<FieldValue>,
}

impl Back<'_> {
    async fn fields(
        &self,
        tx: &mut Tx,
        page: &BTreeMap<CustomerId, Before>,
        left: &mut Left,
    ) -> Result<BTreeSet<CustomerId>> {
        let mut wishes = Vec::new();
        for (id, before) in page {
            for moved in &before.fields {
                let wish = self.wish(*id, moved, one)?;
                keep_or_leave(*id, &moved.field, wish, &mut wishes, left);
            }
            for moved in &before.several {
                let wish = self.wish(*id, moved, several)?;
                keep_or_leave(*id, &moved.field, wish, &mut wishes, left);
            }
        }
        let same = self.unchanged(tx, &wishes).await?;
        let mut rows: BTreeMap<CustomerId, Vec<(String, Option<FieldValue>)>> = BTreeMap::new();
        for wish in wishes {
            if same.contains(&(wish.customer, wish.field.clone())) {
                let fields = rows.entry(wish.customer).or_default();
                fields.push((wish.field, wish.was));
            } else {
                leave(
                    left,
                    wish.customer,
                    &format!("`{}` was changed since", wish.field),
                );
            }
        }
        self.write(tx, rows).await
    }

    /// What is wished for a field, unless it is no such field any more.
    fn wish<T>(
        &self,
        customer: CustomerId,
        moved: &Moved<T>,
        value: impl Fn(Class, &T) -> Result<Option<FieldValue>>,
    ) -> Result<Option<Wish>> {
        let Some(field) = self.known(&moved.field, &moved.column) else {
            return Ok(None);
        };
        let class = Class::of(field.kind);
        Ok(Some(Wish {
            customer,
            field: moved.field.clone(),
            became: value(class, &moved.became)?,
            was: value(class, &moved.was)?,
        }))
    }

    fn known(&self, name: &str, column: &str) -> Option<&Field> {
        let field = self.model.field(name)?;
        (Class::of(field.kind).column(name) == column).then_some(field)
    }

    /// Which of the fields are still as they became.
    async fn unchanged(
        &self,
        tx: &mut Tx,
        wishes: &[Wish],
    ) -> Result<BTreeSet<(CustomerId, String)>> {
        let mut fields: BTreeMap<CustomerId, Vec<(String, Option<FieldValue>)>> = BTreeMap::new();
        for wish in wishes {
            let became = (wish.field.clone(), wish.became.clone());
            fields.entry(wish.customer).or_default().push(became);
        }
        let sheet = Sheet::of(&self.rows(fields), self.model)?;
        let mut same = BTreeSet::new();
        if sheet.is_empty() {
            return Ok(same);
        }
        let numbers = names::all(&mut *tx).await?;
        let mut asked = Vec::new();
        for known in customer_known::find(tx, &sheet, sheet.rows()).await? {
            let said = known.said(&sheet).filter(|(_, is_so)| *is_so);
            same.extend(said.map(|(field, _)| (known.id, field.to_owned())));
            for ((name, class), values) in sheet.lists().iter().zip(sheet.listed(known.row)) {
                let number = numbers.number(NameKind::Field, name);
                if let (Some(values), Some(number)) = (values, number) {
                    let list = List {
                        customer: known.id,
                        field: i64::from(number.0),
                        class: *class,
                        values: values.clone(),
                    };
                    asked.push((name.clone(), list));
                }
            }
        }
        let lists: Vec<List> = asked.iter().map(|(_, list)| list.clone()).collect();
        let stored = customer_lists::stored(tx, &lists).await?;
        for (name, list) in asked {
            if stored.get(&list.key()).map_or(&[][..], Vec::as_slice) == list.values {
                same.insert((list.customer, name));
            }
        }
        Ok(same)
    }

    fn rows(
        &self,
        fields: BTreeMap<CustomerId, Vec<(String, Option<FieldValue>)>>,
    ) -> Vec<NewCustomer> {
        let row = |(id, fields)| {
            Some(NewCustomer {
                external_id: self.names.get(&id)?.clone(),
                fields,
            })
        };
        fields.into_iter().filter_map(row).collect()
    }

    async fn write(
        &self,
        tx: &mut Tx,
        fields: BTreeMap<CustomerId, Vec<(String, Option<FieldValue>)>>,
    ) -> Result<BTreeSet<CustomerId>> {
        let by = (self.by, self.at);
        let lines = fields
            .iter()
            .map(|(id, fields)| customer_edits::line(*id, fields, by));
        let lines: Vec<Interaction> = lines.collect();
        let sheet = Sheet::of(&self.rows(fields), self.model)?;
        if sheet.is_empty() {
            return Ok(BTreeSet::new());
        }
        let how = Upsert {
            model: self.model,
            tags: &[],
            consents: &[],
            by: self.by,
            at: self.at,
        };
        let unknown = returning::Known::default();
        let (_, changed) = customer_upsert::apply(tx, &sheet, sheet.rows(), &how, unknown).await?;
        let told = lines
            .into_iter()
            .filter(|line| changed.contains(&line.customer));
        interactions::insert(tx, &told.collect::<Vec<_>>()).await?;
        Ok(changed)
    }

    async fn consents(
        &self,
        tx: &mut Tx,
        page: &BTreeMap<CustomerId, Before>,
        left: &mut Left,
    ) -> Result<BTreeSet<CustomerId>> {
        let mut all = BTreeSet::new();
        for (channel, statement) in [
            (Channel::Email, EMAIL),
            (Channel::Sms, SMS),
            (Channel::Push, PUSH),
        ] {
            let of = |(id, before): (&CustomerId, &Before)| {
                let mut moved = before.consents.iter();
                let (_, was, became) = moved.find(|(of, ..)| *of == channel)?;
                Some((id.0, *was, *became))
            };
            let rows: Vec<(i64, i64, i64)> = page.iter().filter_map(of).collect();
            if rows.is_empty() {
                continue;
            }
            let set = query_scalar(statement).bind(json(&rows));
            let set = set.bind(self.at.as_microsecond());
            let set: Vec<i64> = set.fetch_all(&mut *tx).await?;
            let set: BTreeSet<i64> = set.into_iter().collect();
            let mut lines = Vec::new();
            for (id, was, became) in rows {
                if set.contains(&id) {
                    let change = ConsentChange {
                        channel,
                        was: Consent::from_number(became),
                        is: Consent::from_number(was),
                    };
                    let by = (self.by, self.at);
                    lines.push(customer_consents::line(CustomerId(id), change, by));
                } else {
                    let what = format!("the consent of `{}` was changed since", channel.as_str());
                    leave(left, CustomerId(id), &what);
                }
            }
            interactions::insert(tx, &lines).await?;
            let changed: Vec<CustomerId> = set.into_iter().map(CustomerId).collect();
            dirty::mark(tx, Touched::by_line(Kind::ConsentChanged), &changed).await?;
            all.extend(changed);
        }
        Ok(all)
    }

    async fn tags(
        &self,
        tx: &mut Tx,
        page: &BTreeMap<CustomerId, Before>,
    ) -> Result<BTreeSet<CustomerId>> {
        let mut all = BTreeSet::new();
        let tagged = by_number(page, |before| &before.tags);
        if tagged.is_empty() {
            return Ok(all);
        }
        let numbers = names::all(&mut *tx).await?;
        for (tag, customers) in tagged {
            let tagging = Tagging {
                tag,
                name: numbers.name(NameKind::Tag, tag).unwrap_or_default(),
                is_put_on: false,
            };
            let by = (self.by, self.at);
            all.extend(tagging::tag(tx, &customers, tagging, by).await?);
        }
        Ok(all)
    }

    async fn lists(
        &self,
        tx: &mut Tx,
        page: &BTreeMap<CustomerId, Before>,
    ) -> Result<BTreeSet<CustomerId>> {
        let mut all = BTreeSet::new();
        for (list, customers) in by_number(page, |before| &before.lists) {
            let listing = Listing {
                list,
                is_put_on: false,
            };
            all.extend(lists::put(tx, &customers, listing, self.at).await?);
        }
        Ok(all)
    }
}

fn by_number<'a>(
    page: &'a BTreeMap<CustomerId, Before>,
    numbers: impl Fn(&'a Before) -> &'a Vec<i32>,
) -> BTreeMap<NameNo, Vec<CustomerId>> {
    let mut by: BTreeMap<NameNo, Vec<CustomerId>> = BTreeMap::new();
    for (id, before) in page {
        for number in numbers(before) {
            by.entry(NameNo(*number)).or_default().push(*id);
        }
    }
    by
}

fn keep_or_leave(
    customer: CustomerId,
    field: &str,
    wish: Option<Wish>,
    wishes: &mut Vec<Wish>,
    left: &mut Left,
) {
    match wish {
        Some(wish) => wishes.push(wish),
        None => leave(
            left,
            customer,
            &format!("`{field}` is another field by now"),
        ),
    }
}

fn leave(left: &mut Left, customer: CustomerId, what: &str) {
    let told = left.entry(customer).or_default();
    if !told.is_empty() {
        told.push_str("; ");
    }
    told.push_str(what);
}

fn one(class: Class, cell: &Cell) -> Result<Option<FieldValue>> {
    let value = class.value(class.listed(cell.clone()))?;
    Ok(value.map(FieldValue::One))
}

#[expect(clippy::ptr_arg, reason = "it stands where the values of a field do")]
fn several(class: Class, values: &Vec<Bind>) -> Result<Option<FieldValue>> {
    let value = |bind: &Bind| class.value(class.listed(Some(bind.clone()))).transpose();
    let values: Vec<Value> = values.iter().filter_map(value).collect::<Result<_>>()?;
    Ok((!values.is_empty()).then_some(FieldValue::Many(values)))
}
