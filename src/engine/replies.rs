//! Owns what people write back: into the history of everybody who has the address, and a word that stops or starts
//! the channel changes their consent with the same stroke.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::by_hand::entrance;
use super::outlet::Outlet;
use super::runtime::Engine;
use crate::domain::address::{COUNTRY, Written};
use crate::domain::audit::Actor;
use crate::domain::by_hand;
use crate::domain::channel::Channel;
use crate::domain::field::{self, Cardinality, DataModel, Field};
use crate::domain::gateway::ChannelConfig;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::news::Reply;
use crate::domain::occurrence::{Key, Placed};
use crate::domain::phone;
use crate::domain::value::Value;
use crate::store::{MatchKey, Replied, Result, Wanted};

/// How much of a reply is kept.
const LONGEST: usize = 2_000;

/// Stores replies with what they ask for: the same reply once.
pub(super) async fn hear(engine: &Engine, channel: Channel, replies: &[Reply]) -> Result<()> {
    let outlets = engine.outlets();
    let Some(outlet) = outlets.get(&channel) else {
        tracing::warn!(%channel, "a reply came for a channel that is gone");
        return Ok(());
    };
    let now = engine.clock.now();
    for reply in replies {
        let word = outlet.config.replies.read(&reply.text);
        let word = word.filter(|_| channel == Channel::Sms);
        let customers = senders(engine, outlet, &reply.from).await?;
        if customers.is_empty() {
            tracing::info!(%channel, "a reply came from an address that nobody has");
        }
        // One telephone, one answer.
        let mut answer = word.and_then(|word| {
            let id = by_hand::answer_id(channel, word);
            entrance(&engine.catalog(), &id)
        });
        let replied = customers.into_iter().map(|customer| Replied {
            placed: placed(channel, reply, customer, now),
            word,
            answer: answer.take(),
        });
        let replied: Vec<Replied> = replied.collect();
        engine.store.hear_replies(&replied, channel, now).await?;
    }
    Ok(())
}

/// Who has the address, in whatever way theirs is written.
async fn senders(engine: &Engine, outlet: &Outlet, from: &str) -> Result<Vec<CustomerId>> {
    let (config, store) = (&outlet.config, &engine.store);
    let identifier = &config.address_field;
    if identifier == field::ID {
        return Ok(store.customer_id(from).await?.into_iter().collect());
    }
    let catalog = engine.catalog();
    let model = &catalog.revision().data_model;
    let field = model.field(identifier);
    let Some(field) = field.filter(|field| field.cardinality == Cardinality::One) else {
        return Ok(Vec::new());
    };
    let (address, spellings) = spelled(config, from);
    let keys = keys(field, &spellings)?;
    let found = store.customers_matching(field, &keys).await?;
    let found: BTreeSet<CustomerId> = found.values().flatten().map(|(id, _)| *id).collect();
    let wanted = Wanted {
        model: only(model, &[identifier, COUNTRY]),
        tags: false,
    };
    let ids: Vec<CustomerId> = found.into_iter().collect();
    let customers = store.customers_with(&ids, &wanted).await?;
    let is_theirs = |written: Written<'_>| {
        let own = written.good();
        own.is_some_and(|own| own.eq_ignore_ascii_case(&address))
    };
    let customers = customers.iter();
    let theirs = customers.filter(|customer| is_theirs(Written::of(customer, config)));
    Ok(theirs.map(|customer| customer.id).collect())
}

/// The address in the form in which it is written to, and the ways in which it may be stored.
fn spelled(config: &ChannelConfig, from: &str) -> (String, Vec<String>) {
    let as_it_is = || (from.to_owned(), vec![from.to_owned()]);
    if config.channel != Channel::Sms {
        return as_it_is();
    }
    phone::of_sender(from, config.sms.country.as_deref()).map_or_else(as_it_is, |number| {
        let spellings = phone::spellings(&number);
        (number, spellings)
    })
}

fn keys(field: &Field, spellings: &[String]) -> Result<Vec<MatchKey>> {
    let mut keys = BTreeMap::new();
    for spelling in spellings {
        if let Ok(value) = Value::parse(field.kind, spelling, &TimeZone::UTC)
            && let Some(key) = MatchKey::of(field, &value)?
        {
            keys.insert(key.as_str().to_owned(), key);
        }
    }
    Ok(keys.into_values().collect())
}

fn placed(channel: Channel, reply: &Reply, customer: CustomerId, now: Timestamp) -> Placed {
    let text: String = reply.text.chars().take(LONGEST).collect();
    let detail = json!({ "text": text, "from": reply.from, "to": reply.to, "id": reply.id });
    Placed {
        key: Key::of(&format!("reply {channel} {}", reply.id)),
        line: Interaction {
            channel: Some(channel),
            actor: Some(Actor::customer().to_string()),
            detail: Some(detail),
            ..Interaction::new(customer, now, Kind::Replied)
        },
        nps: None,
        environment: None,
    }
}

/// The model with these fields alone: what is not read costs nothing.
pub(super) fn only(model: &DataModel, identifiers: &[&str]) -> DataModel {
    let fields = identifiers.iter().filter_map(|name| model.field(name));
    DataModel {
        fields: fields.cloned().collect(),
        ..DataModel::default()
    }
}
