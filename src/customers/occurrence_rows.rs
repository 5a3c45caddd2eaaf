//! Owns rows of files as occurrences: a column for each part, which is the same in CSV, workbooks and JSON Lines.

use jiff::Timestamp;

use super::occurrence_form::{
    Amount, Beacon, Item, Medium, Nps, Page, Transaction, Worth, WrittenOccurrence,
};
use super::occurrence_reading::Flaw;
use crate::domain::channel::Channel;
use crate::domain::environment::Environment;
use crate::domain::interaction::Kind;

/// The columns of a file of interactions.
pub(super) const INTERACTION: &[&str] = &[
    "id",
    "customer",
    "kind",
    "at",
    "channel",
    "campaign",
    "flow",
    "step",
    "note",
    "page_url",
    "page_title",
    "page_referrer",
    "banner",
    "popup",
    "value",
    "currency",
    "score",
    "comment",
    "question",
    "sku",
    "item_name",
    "item_category",
    "shop",
    "beacon",
    "medium",
    "ip",
    "browser",
    "os",
    "device",
];

/// The columns of a file of transactions.
pub(super) const TRANSACTION: &[&str] = &[
    "id",
    "customer",
    "at",
    "amount",
    "currency",
    "place",
    "reason",
    "sku",
    "item_name",
    "item_category",
    "note",
];

/// A row's text under a column; nothing where it is blank.
pub(super) type Cells<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether a row says more than that something happened.
pub(super) fn has_parts(cells: Cells<'_>) -> bool {
    let parts = INTERACTION.iter().skip_while(|name| **name != "page_url");
    parts.into_iter().any(|name| cells(name).is_some())
}

/// A row of a file of interactions.
pub(super) fn interaction(
    cells: Cells<'_>,
    at: Timestamp,
    channel: Option<Channel>,
) -> Result<WrittenOccurrence, String> {
    let page = cells("page_url").map(|url| Page {
        url,
        title: cells("page_title"),
        referrer: cells("page_referrer"),
    });
    let score = cells("score").map(|score| {
        let read = score.parse::<u8>();
        read.map_err(|_| format!("`score`: {score} is no number from 0 to 10"))
    });
    let nps = score.transpose()?.map(|score| Nps {
        score,
        comment: cells("comment"),
        question: cells("question"),
    });
    let medium = match cells("medium").as_deref() {
        None | Some("beacon") => Medium::Beacon,
        Some("wifi") => Medium::Wifi,
        Some(other) => return Err(format!("`medium`: {other} is neither `beacon` nor `wifi`")),
    };
    let environment = Environment {
        ip: cells("ip"),
        browser: cells("browser"),
        os: cells("os"),
        device: cells("device"),
    };
    Ok(WrittenOccurrence {
        kind: cells("kind").ok_or("`kind` is empty")?,
        channel,
        campaign: cells("campaign"),
        flow: cells("flow"),
        step: cells("step"),
        page,
        banner: cells("banner"),
        popup: cells("popup"),
        value: cells("value").map(|amount| Worth {
            amount: Amount(amount),
            currency: cells("currency"),
        }),
        nps,
        item: item(cells),
        shop: cells("shop"),
        beacon: cells("beacon").map(|id| Beacon { id, medium }),
        environment: Some(environment).filter(|seen| !seen.is_empty()),
        ..common(cells, at)?
    })
}

/// A row of a file of transactions.
pub(super) fn transaction(cells: Cells<'_>, at: Timestamp) -> Result<WrittenOccurrence, String> {
    let amount = cells("amount").ok_or("`amount` is empty")?;
    Ok(WrittenOccurrence {
        kind: Kind::Transaction.as_str().to_owned(),
        transaction: Some(Transaction {
            amount: Amount(amount),
            currency: cells("currency"),
            place: cells("place"),
            reason: cells("reason"),
            items: item(cells).into_iter().collect(),
        }),
        ..common(cells, at)?
    })
}

fn common(cells: Cells<'_>, at: Timestamp) -> Result<WrittenOccurrence, String> {
    Ok(WrittenOccurrence {
        id: cells("id").ok_or("`id` is empty: what is told again is known by it")?,
        at: Some(at),
        customer: cells("customer"),
        note: cells("note"),
        ..WrittenOccurrence::default()
    })
}

fn item(cells: Cells<'_>) -> Option<Item> {
    cells("sku").map(|sku| Item {
        sku,
        name: cells("item_name"),
        category: cells("item_category"),
    })
}

/// Flaws as the reason of a rejected row.
pub(super) fn reason(flaws: &[Flaw]) -> String {
    let told = flaws.iter().map(|flaw| {
        let place = flaw.pointer.trim_start_matches('/').replace('/', "_");
        if place.is_empty() {
            flaw.reason.clone()
        } else {
            format!("`{place}`: {}", flaw.reason)
        }
    });
    told.collect::<Vec<_>>().join("; ")
}
