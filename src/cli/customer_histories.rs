//! Owns `drumbeat customer interactions`, `messages`, `items`, `transactions` and `totals`.

use serde_json::json;

use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::moment;
use super::session::Session;
use super::{customer_text, output, words};
use crate::customers::facts::{InteractionFacts, TotalsFacts};
use crate::customers::histories::Narrowed;
use crate::customers::{messages as sent, profiles, sums, transactions as dealt};
use crate::domain::channel::Channel;
use crate::domain::interaction::Direction;

#[derive(Debug, clap::Args)]
pub(crate) struct Interactions {
    /// The customer's unique id.
    id: String,
    /// Only lines of this campaign or flow.
    #[arg(long)]
    campaign: Option<String>,
    /// Only lines of campaigns and flows of this category.
    #[arg(long)]
    category: Option<String>,
    /// Only lines of this month, such as `2026-01`.
    #[arg(long)]
    month: Option<String>,
    /// Only `outbound`, `inbound` or `change`.
    #[arg(long, value_parser = direction)]
    direction: Option<Direction>,
    /// Only lines of this channel.
    #[arg(long, value_parser = words::channel)]
    channel: Option<Channel>,
    /// Only lines of this kind, such as `email-opened`; may be repeated.
    #[arg(long)]
    kind: Vec<String>,
    /// How many lines are shown.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Messages {
    /// The customer's unique id.
    id: String,
    /// Only messages of this channel.
    #[arg(long, value_parser = words::channel)]
    channel: Option<Channel>,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Items {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Transactions {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sums {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    format: FormatArgument,
}

fn direction(text: &str) -> Result<Direction, String> {
    [Direction::Outbound, Direction::Inbound, Direction::Change]
        .into_iter()
        .find(|direction| direction.as_str() == text)
        .ok_or_else(|| "write `outbound`, `inbound` or `change`".to_owned())
}

pub(crate) async fn interactions(session: &Session, verb: &Interactions) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let narrowed = Narrowed {
        campaign: verb.campaign.clone(),
        category: verb.category.clone(),
        month: verb.month.clone(),
        direction: verb.direction,
        channel: verb.channel,
        kinds: verb.kind.clone(),
    };
    let filter = narrowed.filter(revision)?;
    let id = profiles::id_of(store, &verb.id).await?;
    let lines = store.history(id, &filter, verb.limit).await?;
    match verb.format.format {
        Format::Json => {
            let lines: Vec<_> = lines.iter().map(InteractionFacts::of).collect();
            output::json(&json!({ "customer": verb.id, "interactions": lines }))?;
        }
        Format::Text => {
            let zone = revision.time_zone();
            let rows = lines.iter().map(|line| customer_text::entry(line, &zone));
            output::facts(&aligned(0, &rows.collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Done)
}

pub(crate) async fn messages(session: &Session, verb: &Messages) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let messages = sent::messages(store, revision, &verb.id, verb.channel).await?;
    match verb.format.format {
        Format::Json => output::json(&json!({ "customer": verb.id, "messages": messages }))?,
        Format::Text => {
            let zone = revision.time_zone();
            let rows = messages.iter().map(|message| {
                let place = format!("{}/{}", message.flow, message.step);
                let channel = message.channel.as_str().to_owned();
                let last = moment(message.last_activity_at, &zone);
                let last = format!("{} {last}", message.last_activity);
                [moment(message.at, &zone), channel, place, last]
            });
            output::facts(&aligned(0, &rows.collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Done)
}

pub(crate) async fn items(session: &Session, verb: &Items) -> anyhow::Result<Exit> {
    let items = dealt::items(&session.store, &verb.id).await?;
    match verb.format.format {
        Format::Json => output::json(&json!({ "customer": verb.id, "items": items }))?,
        Format::Text => {
            let zone = session.published.revision.time_zone();
            let rows = items.iter().map(|item| {
                let name = item.name.clone().unwrap_or_default();
                let times = format!("{} times, {} bought", item.times, item.bought);
                [item.sku.clone(), name, times, moment(item.last_at, &zone)]
            });
            output::facts(&aligned(0, &rows.collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Done)
}

pub(crate) async fn transactions(session: &Session, verb: &Transactions) -> anyhow::Result<Exit> {
    let (transactions, totals) = dealt::transactions(&session.store, &verb.id).await?;
    if verb.format.format == Format::Json {
        let facts = json!({ "customer": verb.id, "transactions": transactions, "totals": totals });
        output::json(&facts)?;
        return Ok(Exit::Done);
    }
    let zone = session.published.revision.time_zone();
    let mut rows: Vec<_> = transactions
        .iter()
        .map(|one| {
            let currency = one.currency.clone().unwrap_or_default();
            let about = [one.place.as_deref(), one.reason.as_deref()];
            let about: Vec<&str> = about.into_iter().flatten().collect();
            let amount = one.amount.clone();
            [moment(one.at, &zone), amount, currency, about.join(", ")]
        })
        .collect();
    rows.extend(totals.into_iter().map(|total| {
        let what = format!("all {}", counted(total.count));
        let amount = total.amount.unwrap_or_default();
        [
            what,
            amount,
            total.currency.unwrap_or_default(),
            String::new(),
        ]
    }));
    output::facts(&aligned(0, &rows))?;
    Ok(Exit::Done)
}

pub(crate) async fn totals(session: &Session, verb: &Sums) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let id = profiles::id_of(store, &verb.id).await?;
    let totals = sums::totals(store, revision, id).await?;
    match verb.format.format {
        Format::Json => output::json(&serde_json::to_value(TotalsFacts::of(&totals))?)?,
        Format::Text => {
            let channels = totals.channels.iter();
            let mut rows: Vec<_> = channels
                .map(|(channel, sums)| {
                    let name = channel.as_str().to_owned();
                    [name, customer_text::sums_in_words(sums)]
                })
                .collect();
            for (name, count) in [
                ("interactions", totals.interactions),
                ("conversions", totals.conversions),
            ] {
                rows.push([name.to_owned(), counted(count)]);
            }
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}
