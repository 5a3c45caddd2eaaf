//! Owns what a customer bought and with what they had to do: transactions with their sums, and items.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::Error;
use super::occurrence_form::Item;
use super::profiles::id_of;
use crate::domain::interaction::Kind;
use crate::domain::money::Money;
use crate::store::{HistoryFilter, HistoryLine, Store};

/// Who bought what, when, where and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TransactionFacts {
    pub at: Timestamp,
    /// Negative for a refund.
    #[schema(example = "12.50")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    pub place: Option<String>,
    pub reason: Option<String>,
    pub items: Vec<Item>,
    /// Who told of it.
    pub actor: Option<String>,
}

/// The sum of all transactions in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TransactionTotal {
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    pub count: u64,
    /// Null when it is larger than can be counted.
    #[schema(example = "80.00")]
    pub amount: Option<String>,
}

/// A product or another thing that a customer had to do with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ItemFacts {
    #[schema(example = "loan-5y")]
    pub sku: String,
    pub name: Option<String>,
    pub category: Option<String>,
    /// How often they looked at it or bought it.
    pub times: u64,
    /// How often it was in a transaction.
    pub bought: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// A transaction as the history keeps it.
#[derive(Deserialize)]
struct Kept {
    amount: Money,
    place: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    items: Vec<Item>,
}

impl ItemFacts {
    /// Its place in the list, the last touched first.
    pub fn place(&self) -> (Reverse<i64>, String) {
        (Reverse(self.last_at.as_microsecond()), self.sku.clone())
    }
}

/// The transactions of a customer, the newest first, and their sums by currency.
pub async fn transactions(
    store: &Store,
    customer: &str,
) -> Result<(Vec<TransactionFacts>, Vec<TransactionTotal>), Error> {
    let lines = lines(store, customer, &[Kind::Transaction]).await?;
    let kept = lines.iter().filter_map(|line| Some((line, kept(line)?)));
    let kept: Vec<(&HistoryLine, Kept)> = kept.collect();
    let totals = totals(kept.iter().map(|(_, kept)| &kept.amount));
    let transactions = kept.into_iter().map(|(line, kept)| TransactionFacts {
        at: line.at,
        amount: kept.amount.to_string(),
        currency: kept.amount.currency,
        place: kept.place,
        reason: kept.reason,
        items: kept.items,
        actor: line.actor.clone(),
    });
    Ok((transactions.collect(), totals))
}

/// The items that a customer had to do with, the last touched first.
pub async fn items(store: &Store, customer: &str) -> Result<Vec<ItemFacts>, Error> {
    let lines = lines(store, customer, &[Kind::ItemTouched, Kind::Transaction]).await?;
    let mut items: BTreeMap<String, ItemFacts> = BTreeMap::new();
    for line in lines.iter().rev() {
        let bought = kept(line).map(|kept| kept.items);
        let is_bought = bought.is_some();
        for item in bought.unwrap_or_else(|| touched(line)) {
            let of = items.entry(item.sku.clone()).or_insert(ItemFacts {
                sku: item.sku,
                name: None,
                category: None,
                times: 0,
                bought: 0,
                first_at: line.at,
                last_at: line.at,
            });
            of.times += 1;
            of.bought += u64::from(is_bought);
            of.last_at = line.at;
            of.name = item.name.or_else(|| of.name.take());
            of.category = item.category.or_else(|| of.category.take());
        }
    }
    let mut items: Vec<ItemFacts> = items.into_values().collect();
    items.sort_by_cached_key(ItemFacts::place);
    Ok(items)
}

async fn lines(store: &Store, customer: &str, kinds: &[Kind]) -> Result<Vec<HistoryLine>, Error> {
    let id = id_of(store, customer).await?;
    let filter = HistoryFilter {
        kinds: kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
        ..HistoryFilter::default()
    };
    Ok(store.history(id, &filter, usize::MAX).await?)
}

fn kept(line: &HistoryLine) -> Option<Kept> {
    let transaction = line.detail.as_ref()?.get("transaction")?;
    serde_json::from_value(transaction.clone()).ok()
}

fn touched(line: &HistoryLine) -> Vec<Item> {
    let item = line.detail.as_ref().and_then(|detail| detail.get("item"));
    let item = item.and_then(|item| serde_json::from_value(item.clone()).ok());
    item.into_iter().collect()
}

fn totals<'a>(amounts: impl Iterator<Item = &'a Money>) -> Vec<TransactionTotal> {
    let mut sums: BTreeMap<Option<String>, (u64, Option<Money>)> = BTreeMap::new();
    for amount in amounts {
        let of = sums.entry(amount.currency.clone());
        let nothing = Money {
            minor: 0,
            scale: 0,
            currency: amount.currency.clone(),
        };
        let (count, sum) = of.or_insert((0, Some(nothing)));
        *count += 1;
        *sum = sum.as_ref().and_then(|sum| sum.plus(amount));
    }
    let total =
        |(currency, (count, sum)): (Option<String>, (u64, Option<Money>))| TransactionTotal {
            currency,
            count,
            amount: sum.map(|sum| sum.to_string()),
        };
    sums.into_iter().map(total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_apart_by_currency() {
        let money = |text: &str, currency: Option<&str>| Money {
            currency: currency.map(str::to_owned),
            ..text.parse().unwrap()
        };
        let amounts = [
            money("12.50", Some("EUR")),
            money("-2.5", Some("EUR")),
            money("7", None),
        ];
        let told: Vec<(Option<String>, u64, Option<String>)> = totals(amounts.iter())
            .into_iter()
            .map(|total| (total.currency, total.count, total.amount))
            .collect();
        let eur = (Some("EUR".to_owned()), 2, Some("10.00".to_owned()));
        assert_eq!(told, [(None, 1, Some("7".to_owned())), eur]);
    }
}
