//! Owns finding the customers of rows by another field than the unique id: a window of rows at a time.

use std::collections::{HashMap, HashSet};

use super::error::Error;
use super::window::{Gathered, KeyedRow};
use crate::domain::field::Field;
use crate::domain::import::{ImportNo, made_id};
use crate::domain::import_plan::{NoMatch, SeveralMatch};
use crate::store::{Draft, MatchKey, Matches, Sheet, Store};

/// By what rows find their customers, and what becomes of those that find none or several.
pub(super) struct Matching<'a> {
    pub(super) store: &'a Store,
    /// None: every row has its unique id.
    pub(super) field: Option<Field>,
    pub(super) no_match: NoMatch,
    pub(super) several_match: SeveralMatch,
    /// Whose number is in the ids of those who are made without one.
    pub(super) import: ImportNo,
}

/// A window whose customers are known.
pub(super) struct Resolved {
    pub(super) customers: Sheet,
    /// Rows that a later row of the same customer took the place of.
    pub(super) duplicates: u64,
    /// Rows that found nobody and were to be passed over.
    pub(super) skipped: u64,
    pub(super) refused: Vec<(KeyedRow, String)>,
    /// To be filled again.
    pub(super) emptied: Option<Draft>,
}

/// What becomes of one row.
enum Found {
    Ids(Vec<String>),
    Nobody,
    Refused(String),
}

impl Matching<'_> {
    /// Finds the customers of a window's rows.
    pub(super) async fn resolve(&self, gathered: Gathered) -> Result<Resolved, Error> {
        match (gathered, &self.field) {
            (Gathered::Keyed(draft, rows), Some(field)) => self.find(draft, rows, field).await,
            (Gathered::Sorted(customers, duplicates), _) => Ok(Resolved {
                customers,
                duplicates,
                skipped: 0,
                refused: Vec::new(),
                emptied: None,
            }),
            (Gathered::Keyed(draft, _), None) => {
                let (customers, duplicates) = draft.sorted();
                let gathered = Gathered::Sorted(customers, duplicates);
                Box::pin(self.resolve(gathered)).await
            }
        }
    }

    async fn find(
        &self,
        mut draft: Draft,
        rows: Vec<KeyedRow>,
        field: &Field,
    ) -> Result<Resolved, Error> {
        let mut keys: Vec<MatchKey> = rows.iter().map(|row| row.key.clone()).collect();
        keys.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        keys.dedup();
        let matches = self.store.customers_matching(field, &keys).await?;
        let taken = self.taken(&rows, &matches).await?;
        let mut made: HashMap<MatchKey, String> = HashMap::new();
        let (mut ids, mut skipped, mut refused) = (Vec::with_capacity(rows.len()), 0, Vec::new());
        for row in rows {
            ids.push(
                match self.of_row(&row, field, &matches, (&taken, &mut made)) {
                    Found::Ids(ids) => ids,
                    Found::Nobody => {
                        skipped += 1;
                        Vec::new()
                    }
                    Found::Refused(reason) => {
                        refused.push((row, reason));
                        Vec::new()
                    }
                },
            );
        }
        let (customers, duplicates) = draft.rekeyed(&ids)?.sorted();
        draft.clear();
        Ok(Resolved {
            customers,
            duplicates,
            skipped,
            refused,
            emptied: Some(draft),
        })
    }

    fn of_row(
        &self,
        row: &KeyedRow,
        field: &Field,
        matches: &Matches,
        (taken, made): (&HashSet<String>, &mut HashMap<MatchKey, String>),
    ) -> Found {
        let name = &field.identifier;
        let found = matches.get(&row.key).map(Vec::as_slice).unwrap_or_default();
        match (found, self.no_match, self.several_match) {
            ([(_, id)], ..) => Found::Ids(vec![id.clone()]),
            ([_, ..], _, SeveralMatch::All) => {
                Found::Ids(found.iter().map(|(_, id)| id.clone()).collect())
            }
            ([_, ..], _, SeveralMatch::Reject) => {
                let count = found.len();
                Found::Refused(format!("`{name}`: {count} customers have this value"))
            }
            ([], NoMatch::Skip, _) => Found::Nobody,
            ([], NoMatch::Reject, _) => {
                Found::Refused(format!("`{name}`: no customer has this value"))
            }
            ([], NoMatch::Create, _) => match &row.own_id {
                Some(id) if taken.contains(id) => Found::Refused(format!(
                    "`id`: the customer `{id}` is there, with another `{name}`"
                )),
                own => {
                    let made_of_line = || made_id(self.import, row.row.line);
                    let id = own.clone().unwrap_or_else(made_of_line);
                    Found::Ids(vec![made.entry(row.key.clone()).or_insert(id).clone()])
                }
            },
        }
    }

    /// Which of the ids, that rows who find nobody would have, are somebody's.
    async fn taken(&self, rows: &[KeyedRow], matches: &Matches) -> Result<HashSet<String>, Error> {
        let mut taken = HashSet::new();
        if self.no_match != NoMatch::Create {
            return Ok(taken);
        }
        let lone = rows.iter().filter(|row| !matches.contains_key(&row.key));
        let ids: Vec<String> = lone.filter_map(|row| row.own_id.clone()).collect();
        for some in ids.chunks(TOGETHER) {
            taken.extend(self.store.customer_ids(some).await?.into_keys());
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            taken.extend(self.store.leading(&some).await?.into_keys());
        }
        Ok(taken)
    }
}

/// Ids that are looked up by one statement.
const TOGETHER: usize = 2_000;
