//! Owns finding customers: by what people type, by conditions, in an order, page by page; and counting them.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::names::{self, UnknownName};
use crate::domain::customer::Status;
use crate::domain::field::{Cardinality, DataModel, ID};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Kind;
use crate::domain::rating::Rating;
use crate::domain::revision::{Numbers, Revision};
use crate::domain::search::Words;
use crate::domain::segment::{Condition, Did, Moment};
use crate::store::{Asked, Frame, Place, Published, Sort, SortBy, Store};

/// So many texts are made for the index in one transaction.
pub const INDEXED_TOGETHER: u32 = 256;
/// A command makes so many itself; more are the daemon's.
const FEW: u64 = 20_000;
const MOMENTS: [(&str, Moment); 4] = [
    ("created", Moment::Created),
    ("last-activity", Moment::LastActivity),
    ("last-engagement", Moment::LastEngagement),
    ("last-transaction", Moment::LastTransaction),
];

/// Who is looked for, and in which order they come.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// What was typed.
    pub text: Option<String>,
    pub condition: Option<Condition>,
    /// Whoever has the typed text for an id first, unless said otherwise.
    pub sort: Option<Sort>,
}

/// Conditions that are written as one word each; all of them must be met.
#[derive(Debug, Clone, Default)]
pub struct Shortcuts {
    pub tag: Option<String>,
    pub list: Option<String>,
    pub segment: Option<String>,
    pub status: Option<Status>,
    pub rating: Option<Rating>,
    pub identified: Option<bool>,
    /// A campaign or flow, of which there is a conversion.
    pub converted: Option<String>,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cursor {
    /// With whoever has the typed text for an id.
    Exact,
    After(Place),
}

/// A page of what was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Each with where a page that ends with them ends.
    pub customers: Vec<(CustomerId, Cursor)>,
    /// About how many customers are not found by their texts yet, or by older ones.
    pub indexing: u64,
}

impl Shortcuts {
    /// # Errors
    /// A segment or campaign that the revision does not have. A tag may come from anywhere.
    pub fn conditions(self, revision: &Revision) -> Result<Vec<Condition>, UnknownName> {
        if let Some(segment) = &self.segment {
            names::segment(revision, segment)?;
        }
        if let Some(campaign) = &self.converted {
            names::check_campaign(revision, campaign)?;
        }
        let all = [
            self.tag.map(Condition::Tag),
            self.list.map(Condition::List),
            self.segment.map(Condition::Segment),
            self.status.map(Condition::Status),
            self.rating.map(Condition::Rating),
            self.identified.map(Condition::Identified),
            self.converted.map(converted),
        ];
        Ok(all.into_iter().flatten().collect())
    }
}

fn converted(campaign: String) -> Condition {
    Condition::Did(Did {
        kind: Kind::Conversion,
        campaign: Some(campaign),
        flow: None,
        step: None,
        channel: None,
        within_last: None,
        at_least: 1,
    })
}

/// All of the conditions as one; none for none.
pub fn all(mut conditions: Vec<Condition>) -> Option<Condition> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(Condition::All(conditions)),
    }
}

/// Reads `last-activity`, `-created` or a field; `-` before it for the other direction.
pub fn sort(text: &str, model: &DataModel) -> Result<Sort, UnknownName> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let fields = model.fields.iter();
    let fields = fields.filter(|field| field.cardinality == Cardinality::One);
    let moment = MOMENTS.iter().find(|(known, _)| *known == name);
    let by = match moment {
        Some((_, moment)) => SortBy::Moment(*moment),
        None if name == ID => SortBy::Id,
        None if fields.clone().any(|field| field.identifier == name) => {
            SortBy::Field(name.to_owned())
        }
        None => {
            let fields = fields.map(|field| field.identifier.as_str());
            let moments = MOMENTS.iter().map(|(known, _)| *known);
            let known = [ID].into_iter().chain(moments).chain(fields);
            return Err(UnknownName::new("order", name, known));
        }
    };
    Ok(Sort { by, descending })
}

/// The next customers after the cursor, or from the first; at most so many.
pub async fn page(
    store: &Store,
    published: &Published,
    search: &Search,
    now: Timestamp,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Found, Error> {
    let numbers = numbers(store, published, search.condition.as_ref()).await?;
    let question = Question::of(store, (&published.revision, &numbers), search, now).await?;
    let mut found = Found {
        indexing: question.indexing,
        ..Found::default()
    };
    let exact = question.exact.filter(|_| question.sort == Sort::default());
    if let (Some(exact), None) = (exact, after) {
        found.customers.push((exact, Cursor::Exact));
    }
    let place = match after {
        Some(Cursor::After(place)) => Some(place),
        Some(Cursor::Exact) | None => None,
    };
    let left = limit - u32::from(!found.customers.is_empty()).min(limit);
    let asked = Asked {
        without: exact,
        ..question.asked()
    };
    let (sort, frame) = (&question.sort, &question.frame);
    let more = store.search(&asked, sort, frame, place, left).await?;
    let more = more.into_iter();
    let more = more.map(|place| (CustomerId(place.customer), Cursor::After(place)));
    found.customers.extend(more);
    Ok(found)
}

/// How many customers are found, of those whose texts are known by now.
pub async fn count(
    store: &Store,
    published: &Published,
    search: &Search,
    now: Timestamp,
) -> Result<(u64, u64), Error> {
    let numbers = numbers(store, published, search.condition.as_ref()).await?;
    let question = Question::of(store, (&published.revision, &numbers), search, now).await?;
    let asked = Asked {
        without: question.exact,
        ..question.asked()
    };
    let others = store.search_count(&asked, &question.frame).await?;
    let count = others + u64::from(question.exact.is_some());
    Ok((count, question.indexing))
}

impl Found {
    /// Without where each ends a page.
    pub fn ids(&self) -> Vec<CustomerId> {
        self.customers.iter().map(|(id, _)| *id).collect()
    }
}

/// Makes the texts that a search lacks, if they are few: no daemon may be running. How many are left.
pub async fn catch_up(store: &Store, published: &Published) -> Result<u64, Error> {
    store.search_by(published).await?;
    let waiting = store.search_waiting().await?.customers;
    if waiting > FEW {
        return Ok(waiting);
    }
    while store
        .index_search(published, INDEXED_TOGETHER, true)
        .await?
        > 0
    {}
    Ok(store.search_waiting().await?.customers)
}

/// The numbers of names; of lists that were made after the revision was published, too, if the condition
/// names any list.
pub async fn numbers<'a>(
    store: &Store,
    published: &'a Published,
    condition: Option<&Condition>,
) -> Result<Cow<'a, Numbers>, Error> {
    let mut names_lists = false;
    if let Some(condition) = condition {
        condition.walk(&mut |part| names_lists |= matches!(part, Condition::List(_)));
    }
    Ok(if names_lists {
        Cow::Owned(store.numbers().await?)
    } else {
        Cow::Borrowed(&published.numbers)
    })
}

/// A search with all that has to be known for it.
struct Question<'a> {
    words: Option<Words>,
    condition: Option<&'a Condition>,
    sort: Sort,
    frame: Frame<'a>,
    /// Who has the typed text for an id and meets the condition.
    exact: Option<CustomerId>,
    indexing: u64,
}

impl<'a> Question<'a> {
    async fn of(
        store: &Store,
        (revision, numbers): (&'a Revision, &'a Numbers),
        search: &'a Search,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let typed = search.text.as_deref().unwrap_or_default().trim();
        let mut question = Self {
            words: Words::of(typed),
            condition: search.condition.as_ref(),
            sort: search.sort.clone().unwrap_or_default(),
            frame: Frame {
                revision,
                numbers,
                now,
            },
            exact: None,
            indexing: 0,
        };
        if question.words.is_some() {
            question.exact = question.exact(store, typed).await?;
            question.indexing = store.search_waiting().await?.customers;
        }
        Ok(question)
    }

    async fn exact(&self, store: &Store, typed: &str) -> Result<Option<CustomerId>, Error> {
        let exact = store.customer_id(typed).await?;
        let (Some(exact), Some(condition)) = (exact, self.condition) else {
            return Ok(exact);
        };
        let meets = store.matching(condition, &self.frame, &[exact]).await?;
        Ok(meets.contains(&exact).then_some(exact))
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            words: self.words.as_ref(),
            condition: self.condition,
            without: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::built_in_fields;

    #[test]
    fn an_order_is_a_moment_or_a_field_of_one_value() {
        let model = DataModel {
            fields: built_in_fields(),
            ..DataModel::default()
        };
        let by = |by, descending| Ok(Sort { by, descending });
        assert_eq!(sort("id", &model), by(SortBy::Id, false));
        let last = SortBy::Moment(Moment::LastActivity);
        assert_eq!(sort("-last-activity", &model), by(last, true));
        let name = SortBy::Field("last_name".to_owned());
        assert_eq!(sort("last_name", &model), by(name, false));
        let unknown = sort("lastname", &model).unwrap_err().to_string();
        assert_eq!(
            unknown,
            "unknown order `lastname`: did you mean `last_name`?"
        );
    }
}
