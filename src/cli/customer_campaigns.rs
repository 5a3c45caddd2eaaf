//! Owns `drumbeat customer campaigns` and `drumbeat customer ahead`.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::columns::aligned;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::{moment, moment_in};
use super::output;
use super::session::Session;
use crate::customers::facts::InteractionFacts;
use crate::customers::histories::Narrowed;
use crate::customers::names::UnknownName;
use crate::customers::profiles;
use crate::engine::Catalog;
use crate::engine::explain::{
    Ahead, CampaignDetail, CampaignTold, Certainty, ahead as foreseen, campaign_names, detail,
    kind_of, told,
};

/// Lines of the history beside a campaign.
const LINES: usize = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Campaigns {
    /// The customer's unique id.
    id: String,
    /// One campaign or flow, with each condition's answer and what there was before.
    campaign: Option<String>,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AheadOf {
    /// The customer's unique id.
    id: String,
    #[command(flatten)]
    format: FormatArgument,
}

async fn catalog(session: &Session) -> anyhow::Result<Arc<Catalog>> {
    let successors = session.store.successors().await?;
    Ok(Catalog::new(session.published.clone(), successors))
}

pub(crate) async fn campaigns(session: &Session, verb: &Campaigns) -> anyhow::Result<Exit> {
    let catalog = catalog(session).await?;
    let (store, revision) = (&session.store, catalog.revision());
    let customer = profiles::customer(store, revision, &verb.id).await?;
    let now = session.clock.now();
    if let Some(name) = &verb.campaign {
        return one(session, &catalog, verb, name).await;
    }
    let names = campaign_names(revision);
    let campaigns = told(store, &catalog, &customer, &names, now).await?;
    match verb.format.format {
        Format::Json => output::json(&json!({ "customer": verb.id, "campaigns": campaigns }))?,
        Format::Text => {
            let rows: Vec<_> = campaigns.iter().map(row).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

fn row(told: &CampaignTold) -> [String; 5] {
    let qualifies = match told.qualifies {
        Some(true) => "qualifies",
        Some(false) => "does not qualify",
        None => "asks nobody",
    };
    let met = told.segments.iter().filter(|segment| segment.met);
    let met: Vec<&str> = met.map(|segment| segment.segment.as_str()).collect();
    let channels: Vec<&str> = told
        .channels
        .iter()
        .map(|channel| channel.as_str())
        .collect();
    let in_it = if told.in_it { "in it" } else { "" };
    [
        told.campaign.clone(),
        channels.join(", "),
        qualifies.to_owned(),
        in_it.to_owned(),
        met.join(", "),
    ]
}

async fn one(
    session: &Session,
    catalog: &Catalog,
    verb: &Campaigns,
    name: &str,
) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, catalog.revision());
    let customer = profiles::customer(store, revision, &verb.id).await?;
    let (asked, now) = ((name, kind_of(revision, name)), session.clock.now());
    let detail = detail(store, catalog, &customer, asked, now).await?;
    let detail = detail.ok_or_else(|| {
        let known = revision.campaigns.keys().chain(revision.flows.keys());
        UnknownName::new("campaign", name, known.map(String::as_str))
    })?;
    let narrowed = Narrowed {
        campaign: Some(name.to_owned()),
        ..Narrowed::default()
    };
    let filter = narrowed.filter(revision)?;
    let lines = store.history(customer.id, &filter, LINES).await?;
    match verb.format.format {
        Format::Json => {
            let mut facts = serde_json::to_value(&detail)?;
            let lines: Vec<_> = lines.iter().map(InteractionFacts::of).collect();
            facts["customer"] = json!(verb.id);
            facts["interactions"] = json!(lines);
            output::json(&facts)?;
        }
        Format::Text => output::facts(&text(&detail, revision))?,
    }
    Ok(Exit::Done)
}

fn text(detail: &CampaignDetail, revision: &crate::domain::revision::Revision) -> String {
    let zone = revision.time_zone();
    let mut text = aligned(0, &[row(&detail.told)]);
    for point in &detail.conditions {
        let mark = if point.met == Some(true) { "+" } else { "-" };
        let value = point.value.as_ref();
        let value = value.map_or_else(String::new, |value| format!(" ({value})"));
        let _ = writeln!(text, "  {mark} {}{value}", point.text);
    }
    for run in &detail.runs {
        let since = moment(run.started_at, &zone);
        let _ = writeln!(text, "{} entry {} since {since}", run.flow, run.entry);
        for step in &run.steps {
            let reason = step.reason.as_ref();
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            let _ = writeln!(text, "  {}  {}{reason}", step.id, step.state);
        }
    }
    text
}

pub(crate) async fn ahead(session: &Session, verb: &AheadOf) -> anyhow::Result<Exit> {
    let catalog = catalog(session).await?;
    let store = &session.store;
    let customer = profiles::customer(store, catalog.revision(), &verb.id).await?;
    let ahead = foreseen(store, &catalog, &customer, session.clock.now()).await?;
    match verb.format.format {
        Format::Json => output::json(&json!({ "customer": verb.id, "ahead": ahead }))?,
        Format::Text => {
            let zone = catalog.zone_of(&customer);
            let told = ahead.iter().map(|one| line(one, &zone));
            output::facts(&told.collect::<String>())?;
        }
    }
    Ok(Exit::Done)
}

fn line(one: &Ahead, zone: &jiff::tz::TimeZone) -> String {
    let at = one.at.map(|at| moment_in(at, zone));
    let at = match (at, one.certainty) {
        (Some(at), Certainty::AtTheEarliest) => format!("{at} at the earliest"),
        (Some(at), _) => at,
        (None, _) => "not known when".to_owned(),
    };
    let (flow, step, channel) = (&one.flow, &one.step, one.channel.as_str());
    let mut text = format!("{at}  {flow}/{step} ({channel})  {}", one.state);
    if let Some(verdict) = one.verdict {
        let _ = write!(text, ", as things stand: {verdict}");
    }
    if let Some(reason) = &one.reason {
        let _ = write!(text, " ({reason})");
    }
    text.push('\n');
    for why in &one.why {
        let _ = writeln!(text, "    {why}");
    }
    text
}
