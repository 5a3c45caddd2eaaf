//! Owns `drumbeat customer`: one customer's record, shown and changed.

use clap::Subcommand;
use serde_json::json;

use super::actor::ActorArgument;
use super::confirm::Confirmation;
use super::customer_bulk::{self, Bulk};
use super::customer_campaigns::{self, AheadOf, Campaigns};
use super::customer_devices::{self, Device};
use super::customer_export::{self, Export};
use super::customer_histories::{self, Interactions, Items, Messages, Sums, Transactions};
use super::customer_merge::{self, Add, Merge};
use super::customer_notes::{self, Note};
use super::customer_ratings::{self, Ratings};
use super::customer_search::{self, Find, List};
use super::customer_send::{self, Send};
use super::customer_status::{self, Discard, Reactivate, Suspend};
use super::customer_tasks::{self, Task};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::session::{self, Session};
use super::{customer_text, output, words};
use crate::customers::facts::ShownCustomer;
use crate::customers::{overview, profiles};
use crate::domain::audit::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Everything that is known of a customer, with the history newest first.
    Show(Show),
    /// Sets fields; an empty value clears one, `;` separates the values of a many-valued one.
    Set(Set),
    /// Does something to many customers, as a job in the background.
    Bulk(Bulk),
    /// Adds a customer, or an anonymous visitor.
    Add(Add),
    /// Makes an anonymous visitor part of the customer who they turned out to be.
    Merge(Merge),
    /// Sends a communication of a campaign now, if the gate lets it.
    Send(Send),
    /// Notes on a customer.
    Note(Note),
    /// Devices where a customer gets push messages.
    Device(Device),
    /// Tasks on a customer.
    Task(Task),
    /// Stops all messages to customers until somebody reactivates them.
    Suspend(Suspend),
    /// Lets suspended or discarded customers be written to again.
    Reactivate(Reactivate),
    /// Excludes customers from messages for good, because of what they are.
    Discard(Discard),
    /// Removes a customer with everything that is known of it; who comes back is suspended.
    ///
    /// What stays are hashes of the unique id, e-mail address and phone number, and what the
    /// customer had given up: docs/customers-life.md.
    #[command(visible_alias = "erase")]
    Delete(Delete),
    /// Everything that is known of one person, as a copy for that person.
    Export(Export),
    /// The history of a customer, newest first.
    Interactions(Interactions),
    /// What was sent to a customer, and the last thing that became of each message.
    Messages(Messages),
    /// The products and other things that a customer had to do with.
    Items(Items),
    /// The transactions of a customer, and their sums.
    Transactions(Transactions),
    /// The sums of a customer's history by channel, with conversions.
    Totals(Sums),
    /// For which campaigns and flows a customer qualifies, and by which segments.
    Campaigns(Campaigns),
    /// What will be sent to a customer and when, as things stand.
    Ahead(AheadOf),
    /// How many customers have each rating.
    Ratings(Ratings),
    /// The customers who have a text: an id, a name, an address, or any other field.
    Find(Find),
    /// Customers by conditions, in an order.
    List(List),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The customer's unique id.
    id: String,
    /// How many lines of history are shown.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The customer's unique id.
    id: String,
    #[arg(required = true, value_name = "FIELD=VALUE", value_parser = words::written_field)]
    fields: Vec<(String, String)>,
    /// Adds the customer when there is none with this id.
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Delete {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::Show(verb) => show(session, verb).await,
        Verb::Set(verb) => set(session, verb).await,
        Verb::Bulk(verb) => customer_bulk::run(session, verb).await,
        Verb::Add(verb) => customer_merge::add(session, verb).await,
        Verb::Merge(verb) => customer_merge::merge(session, verb).await,
        Verb::Send(verb) => customer_send::send(session, verb).await,
        Verb::Note(verb) => customer_notes::run(session, verb).await,
        Verb::Device(verb) => customer_devices::run(session, verb).await,
        Verb::Task(verb) => customer_tasks::run(session, verb).await,
        Verb::Suspend(verb) => customer_status::suspend(session, verb).await,
        Verb::Reactivate(verb) => customer_status::reactivate(session, verb).await,
        Verb::Discard(verb) => customer_status::discard(session, verb).await,
        Verb::Delete(verb) => delete(session, verb).await,
        Verb::Export(verb) => customer_export::export(session, verb).await,
        Verb::Interactions(verb) => customer_histories::interactions(session, verb).await,
        Verb::Messages(verb) => customer_histories::messages(session, verb).await,
        Verb::Items(verb) => customer_histories::items(session, verb).await,
        Verb::Transactions(verb) => customer_histories::transactions(session, verb).await,
        Verb::Totals(verb) => customer_histories::totals(session, verb).await,
        Verb::Campaigns(verb) => customer_campaigns::campaigns(session, verb).await,
        Verb::Ahead(verb) => customer_campaigns::ahead(session, verb).await,
        Verb::Ratings(verb) => customer_ratings::show(session, verb).await,
        Verb::Find(verb) => customer_search::find(session, verb).await,
        Verb::List(verb) => customer_search::list(session, verb).await,
    })
}

async fn show(session: &Session, verb: &Show) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let now = session.clock.now();
    let overview = overview::overview(store, revision, &verb.id, now, verb.limit).await?;
    match verb.format.format {
        Format::Text => output::facts(&customer_text::show(&overview, revision))?,
        Format::Json => output::json(&serde_json::to_value(ShownCustomer::of(&overview))?)?,
    }
    Ok(Exit::Done)
}

async fn set(session: &Session, verb: &Set) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let is_new = verb.create && store.customer_id(&verb.id).await?.is_none();
    let changed = if is_new {
        profiles::add(store, revision, &verb.id, &verb.fields, &by, at).await?
    } else {
        profiles::set_fields(store, revision, &verb.id, &verb.fields, &by, at).await?
    };
    let done = match (is_new, changed) {
        (true, _) => "added",
        (false, true) => "changed",
        (false, false) => "unchanged",
    };
    match verb.format.format {
        Format::Text => output::facts(&format!("{}: {done}\n", verb.id))?,
        Format::Json => output::json(&json!({
            "customer": verb.id,
            "created": is_new,
            "changed": changed,
        }))?,
    }
    Ok(Exit::Done)
}

async fn delete(session: &Session, verb: &Delete) -> anyhow::Result<Exit> {
    profiles::id_of(&session.store, &verb.id).await?;
    let wish = format!("delete {} with everything that is known of it", verb.id);
    if !verb.confirmation.is_given(&wish)? {
        return Ok(Exit::No);
    }
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    profiles::delete(&session.store, &verb.id, &by, session.clock.now()).await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("{}: deleted\n", verb.id))?,
        Format::Json => output::json(&json!({ "customer": verb.id, "deleted": true }))?,
    }
    Ok(Exit::Done)
}
