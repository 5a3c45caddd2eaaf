//! Owns what makes a written occurrence valid: its names known, its part the one of its kind, its texts short.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::names::{self, UnknownName};
use super::occurrence_form::{Amount, WrittenOccurrence};
use super::typing::read_id;
use crate::domain::audit::By;
use crate::domain::interaction::Kind;
use crate::domain::money::Money;
use crate::domain::nps::{NpsAnswer, NpsTest};
use crate::domain::occurrence::{Key, Occurrence, Who};
use crate::domain::revision::Revision;

/// How far another system's clock may be ahead of ours.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(1);
/// The second in which the year 1900 begins: nobody who is written to did anything before.
const EARLIEST: i64 = -2_208_988_800;
const LONGEST_ID: usize = 200;
/// Characters of any text within an occurrence.
const LONGEST_TEXT: usize = 2_000;
const MOST_ITEMS: usize = 100;

/// What is wrong, and where it stands, as a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub pointer: String,
    pub reason: String,
}

impl Flaw {
    pub fn new(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            reason: reason.into(),
        }
    }
}

/// By which workspace, by whom, and when occurrences are read.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub revision: &'a Revision,
    pub by: &'a By,
    pub now: Timestamp,
}

impl Reader<'_> {
    /// The occurrence, or everything that is wrong with it.
    pub fn read(&self, written: WrittenOccurrence) -> Result<Occurrence, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let key = noted(&mut flaws, id(&written.id));
        let kind = noted(&mut flaws, kind(&written.kind));
        let who = noted(&mut flaws, who(&written));
        let at = noted(&mut flaws, self.at(written.at));
        self.names(&written, kind, &mut flaws);
        let detail = kind.map(|kind| self.detail(&written, kind, &mut flaws));
        let (Some(key), Some(kind), Some(who), Some(at), Some(detail), []) =
            (key, kind, who, at, detail, flaws.as_slice())
        else {
            return Err(flaws);
        };
        Ok(Occurrence {
            key,
            who,
            adds: written.create,
            at,
            kind,
            channel: written.channel,
            campaign: written.campaign,
            flow: written.flow,
            step: written.step,
            actor: self.by.actor.as_str().to_owned(),
            detail,
            nps: written.nps.map(|nps| NpsAnswer {
                score: nps.score,
                comment: nps.comment,
                question: nps.question,
            }),
            environment: written.environment.filter(|seen| !seen.is_empty()),
        })
    }

    fn at(&self, at: Option<Timestamp>) -> Result<Timestamp, Flaw> {
        match at {
            Some(at) if at > self.now + CLOCKS_DIFFER => {
                Err(Flaw::new("/at", format!("{at} is in the future")))
            }
            Some(at) if at.as_second() < EARLIEST => {
                Err(Flaw::new("/at", format!("{at} is before the year 1900")))
            }
            // Another system's clock is ahead: nothing is later than now.
            Some(at) => Ok(at.min(self.now)),
            None => Ok(self.now),
        }
    }

    fn names(&self, written: &WrittenOccurrence, kind: Option<Kind>, flaws: &mut Vec<Flaw>) {
        let said =
            |unknown: UnknownName| Flaw::new(format!("/{}", unknown.what), unknown.to_string());
        match &written.campaign {
            Some(campaign) => {
                let known = names::check_campaign(self.revision, campaign);
                flaws.extend(known.err().map(said));
            }
            None if kind == Some(Kind::Dismissal) => {
                flaws.push(Flaw::new("/campaign", "a `dismissal` needs its `campaign`"));
            }
            None => {}
        }
        match (&written.flow, &written.step) {
            (Some(flow), _) => {
                flaws.extend(names::check_flow(self.revision, flow).err().map(said));
            }
            (None, Some(_)) => flaws.push(Flaw::new("/step", "a `step` needs its `flow`")),
            (None, None) => {}
        }
        check_texts("/step", &json!(written.step), flaws);
    }

    /// What the history keeps beside the columns that all lines have.
    fn detail(
        &self,
        written: &WrittenOccurrence,
        kind: Kind,
        flaws: &mut Vec<Flaw>,
    ) -> Map<String, Json> {
        let mut detail = Map::new();
        detail.insert("source".to_owned(), json!(self.by.source.as_str()));
        let wanted = part_of(kind);
        for (name, part) in parts(written, flaws) {
            match part {
                Some(part) if wanted == Some(name) => drop(detail.insert(name.to_owned(), part)),
                Some(_) => {
                    let reason = format!("does not belong to `{}`", kind.as_str());
                    flaws.push(Flaw::new(format!("/{name}"), reason));
                }
                None if wanted == Some(name) && kind != Kind::Conversion => {
                    let reason = format!("`{}` needs its `{name}`", kind.as_str());
                    flaws.push(Flaw::new(format!("/{name}"), reason));
                }
                None => {}
            }
        }
        let seen = written.environment.as_ref();
        let seen = seen.filter(|seen| !seen.is_empty());
        let beside = [
            ("note", of(written.note.as_ref())),
            ("environment", of(seen)),
        ];
        for (name, value) in beside {
            if let Some(value) = value {
                detail.insert(name.to_owned(), value);
            }
        }
        for (name, value) in &detail {
            check_texts(&format!("/{name}"), value, flaws);
        }
        detail
    }
}

fn noted<T>(flaws: &mut Vec<Flaw>, read: Result<T, Flaw>) -> Option<T> {
    read.map_err(|flaw| flaws.push(flaw)).ok()
}

fn id(id: &str) -> Result<Key, Flaw> {
    if id.is_empty() || id.chars().nth(LONGEST_ID).is_some() {
        let reason =
            format!("must be 1 to {LONGEST_ID} characters, the same whenever it is sent again");
        return Err(Flaw::new("/id", reason));
    }
    Ok(Key::of(id))
}

fn kind(text: &str) -> Result<Kind, Flaw> {
    let known = || Kind::ALL.iter().filter(|kind| kind.can_be_told());
    let found = known().find(|kind| kind.as_str() == text);
    let unknown = || UnknownName::new("kind", text, known().map(|kind| kind.as_str()));
    found
        .copied()
        .ok_or_else(|| Flaw::new("/kind", unknown().to_string()))
}

fn who(written: &WrittenOccurrence) -> Result<Who, Flaw> {
    let named = [
        ("customer", &written.customer),
        ("visitor", &written.visitor),
        ("email", &written.email),
        ("phone", &written.phone),
    ];
    let mut named = named
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let (Some((name, value)), None) = (named.next(), named.next()) else {
        let reason = "name exactly one of `customer`, `visitor`, `email` and `phone`";
        return Err(Flaw::new("", reason));
    };
    if written.create && name != "customer" {
        let reason = "adds the `customer` whose unique id is given: name one, or leave it out";
        return Err(Flaw::new("/create", reason));
    }
    let value = read_id(value).map_err(|reason| Flaw::new(format!("/{name}"), reason))?;
    let value = value.to_owned();
    Ok(match name {
        "customer" => Who::Customer(value),
        "visitor" => Who::Visitor(value),
        "email" => Who::Email(value),
        _ => Who::Phone(value),
    })
}

/// The one part that belongs to a kind.
fn part_of(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::PageVisited => "page",
        Kind::BannerClicked => "banner",
        Kind::PopupViewed => "popup",
        Kind::Conversion => "value",
        Kind::Transaction => "transaction",
        Kind::NpsAnswered => "nps",
        Kind::ItemTouched => "item",
        Kind::ShopVisited => "shop",
        Kind::BeaconContacted => "beacon",
        Kind::CookiesChosen => "cookies",
        _ => return None,
    })
}

/// Every part that may be there, as it is kept.
fn parts(written: &WrittenOccurrence, flaws: &mut Vec<Flaw>) -> [(&'static str, Option<Json>); 10] {
    if let Some(nps) = written
        .nps
        .as_ref()
        .filter(|nps| nps.score > NpsTest::HIGHEST)
    {
        let reason = format!("must be between 0 and 10, not {}", nps.score);
        flaws.push(Flaw::new("/nps/score", reason));
    }
    let value = written.value.as_ref().and_then(|worth| {
        let money = money("/value", &worth.amount, worth.currency.as_ref());
        noted(flaws, money).map(|money| json!(money))
    });
    let transaction = written.transaction.as_ref().and_then(|transaction| {
        let read = transaction_detail(transaction);
        noted(flaws, read)
    });
    [
        ("page", of(written.page.as_ref())),
        ("banner", of(written.banner.as_ref())),
        ("popup", of(written.popup.as_ref())),
        // What is wrong with it was said; that it is missing would be wrong.
        (
            "value",
            value.or_else(|| of(written.value.as_ref().map(|_| ()))),
        ),
        (
            "transaction",
            transaction.or_else(|| of(written.transaction.as_ref().map(|_| ()))),
        ),
        ("nps", of(written.nps.as_ref())),
        ("item", of(written.item.as_ref())),
        ("shop", of(written.shop.as_ref())),
        ("beacon", of(written.beacon.as_ref())),
        ("cookies", of(written.cookies.as_ref())),
    ]
}

fn of<T: Serialize>(part: Option<T>) -> Option<Json> {
    part.map(|part| json!(part))
}

fn money(pointer: &str, amount: &Amount, currency: Option<&String>) -> Result<Money, Flaw> {
    let money: Result<Money, _> = amount.0.parse();
    let mut money = money.map_err(|bad| Flaw::new(format!("{pointer}/amount"), bad.to_string()))?;
    if let Some(currency) = currency {
        let is_code = currency.len() == 3 && currency.bytes().all(|c| c.is_ascii_uppercase());
        if !is_code {
            let reason = "expected a currency of ISO 4217, such as `EUR`";
            return Err(Flaw::new(format!("{pointer}/currency"), reason));
        }
        money.currency = Some(currency.clone());
    }
    Ok(money)
}

fn transaction_detail(transaction: &super::occurrence_form::Transaction) -> Result<Json, Flaw> {
    let (amount, currency) = (&transaction.amount, transaction.currency.as_ref());
    let amount = money("/transaction", amount, currency)?;
    if transaction.items.len() > MOST_ITEMS {
        let reason = format!("holds {}: {MOST_ITEMS} at most", transaction.items.len());
        return Err(Flaw::new("/transaction/items", reason));
    }
    let mut detail = json!({ "amount": amount });
    for (name, text) in [
        ("place", &transaction.place),
        ("reason", &transaction.reason),
    ] {
        if let Some(text) = text {
            detail[name] = json!(text);
        }
    }
    if !transaction.items.is_empty() {
        detail["items"] = json!(transaction.items);
    }
    Ok(detail)
}

/// Texts are short, and hold nothing that a database refuses or a terminal obeys.
fn check_texts(pointer: &str, value: &Json, flaws: &mut Vec<Flaw>) {
    match value {
        Json::String(text) => {
            let is_long = text.chars().nth(LONGEST_TEXT).is_some();
            let bad = text
                .chars()
                .find(|c| c.is_control() && !"\n\r\t".contains(*c));
            let reason = match bad {
                _ if is_long => Some(format!("is longer than {LONGEST_TEXT} characters")),
                Some(c) => Some(format!(
                    "holds the control character U+{:04X}",
                    u32::from(c)
                )),
                None => None,
            };
            flaws.extend(reason.map(|reason| Flaw::new(pointer, reason)));
        }
        Json::Array(values) => {
            for (n, value) in values.iter().enumerate() {
                check_texts(&format!("{pointer}/{n}"), value, flaws);
            }
        }
        Json::Object(values) => {
            for (name, value) in values {
                check_texts(&format!("{pointer}/{name}"), value, flaws);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
