//! Owns `drumbeat status`: what runs, how far everybody is, what stands in the way.

use std::fmt::Write as _;

use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::funnel::funnels;
use super::moments::{moment, width};
use super::place::Place;
use super::{awaiting, nodes, output, session};
use crate::engine::node_lines::NodeLine;
use crate::engine::picture::{ChannelLine, Picture};
use crate::engine::status::StatusFacts;
use crate::engine::webhook_lines::WebhookLine;
use crate::store::Published;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let now = session.clock.now();
        let picture = Picture::read(&session.store, &session.published, now).await?;
        match arguments.format.format {
            Format::Json => {
                let facts = StatusFacts::of(&picture, &session.published);
                output::json(&serde_json::to_value(facts)?)?;
            }
            Format::Text => output::facts(&text(&picture, &session.published))?,
        }
        Ok(Exit::Done)
    })
}

fn text(picture: &Picture, published: &Published) -> String {
    let mut text = aligned(0, &head(picture, published));
    if let Some(problems) = problems(picture) {
        text.push_str(&problems);
    }
    if !picture.nodes.is_empty() {
        let row = |node: &NodeLine| {
            let since = format!("since {}", moment(node.since, &picture.zone));
            [node.name.clone(), nodes::words(node, published), since]
        };
        let rows: Vec<_> = picture.nodes.iter().map(row).collect();
        let _ = write!(text, "\nnodes\n{}", aligned(2, &rows));
    }
    if !picture.channels.is_empty() {
        let rows: Vec<_> = picture
            .channels
            .iter()
            .map(|line| channel_row(line, picture))
            .collect();
        let _ = write!(text, "\nchannels\n{}", aligned(2, &rows));
    }
    if !picture.webhooks.is_empty() {
        let row = |line: &WebhookLine| webhook_row(line, picture);
        let rows: Vec<_> = picture.webhooks.iter().map(row).collect();
        let _ = write!(text, "\nwebhooks\n{}", aligned(2, &rows));
    }
    let flows = funnels(picture, width());
    if !flows.is_empty() {
        let _ = write!(text, "\n{flows}");
    }
    text
}

fn head(picture: &Picture, published: &Published) -> Vec<[String; 2]> {
    let zone = &picture.zone;
    let commit = published.commit.as_deref().map(short);
    let commit = commit.map_or_else(String::new, |commit| format!(", commit {commit}"));
    let revision = format!(
        "{}{commit}, since {}",
        published.number.0,
        moment(published.published_at, zone)
    );
    let daemon = match &picture.daemon {
        Some(_) if !picture.nodes.is_empty() => plural(picture.nodes.len() as u64, "node"),
        Some(process) => process.clone(),
        None => "not running: start it with `drumbeat run`".to_owned(),
    };
    let check = match &picture.check {
        None => "the daemon has not read the files yet".to_owned(),
        Some(check) if check.ok => format!("the files are right, {}", moment(check.at, zone)),
        Some(check) => format!(
            "{} in the files, {}: revision {} goes on",
            plural(u64::from(check.errors), "error"),
            moment(check.at, zone),
            published.number.0
        ),
    };
    let row = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![
        row("revision", revision),
        row("daemon", daemon),
        row("check", check),
    ];
    if let Some(waiting) = &picture.awaiting {
        rows.push(row("approval", awaiting::words(waiting)));
    }
    if let Some(failed) = &picture.failed_file {
        let told = failed.result.as_deref().unwrap_or_default();
        let at = moment(failed.at, zone);
        rows.push(row(
            "imports",
            format!("a file was not imported, {at}: {told}"),
        ));
    }
    rows
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

fn plural(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {what}{ending}", counted(count))
}

/// What the last check found, one line each.
fn problems(picture: &Picture) -> Option<String> {
    let check = picture.check.as_ref().filter(|check| !check.ok)?;
    let mut text = String::new();
    let found = check.report["diagnostics"]["diagnostics"].as_array();
    for one in found.into_iter().flatten() {
        if one["severity"] == "error" {
            let (file, message) = (one["file"].as_str(), one["message"].as_str());
            let (file, message) = (file.unwrap_or_default(), message.unwrap_or_default());
            let _ = writeln!(text, "  {file}:{}: {message}", one["line"]);
        }
    }
    for problem in check.report["problems"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {}", problem.as_str().unwrap_or_default());
    }
    Some(text)
}

fn webhook_row(line: &WebhookLine, picture: &Picture) -> [String; 3] {
    let mut waiting = format!("{} waiting", counted(line.waiting));
    if let Some(oldest) = line.oldest {
        let _ = write!(waiting, " since {}", moment(oldest, &picture.zone));
    }
    let mut remark = String::new();
    if line.gone {
        remark.push_str("gone: told nothing until its settings change; ");
    }
    if line.given_up > 0 {
        let _ = write!(remark, "{} given up; ", counted(line.given_up));
    }
    if let (Some(failure), Some(at)) = (&line.failure, line.failed_at) {
        let _ = write!(remark, "failed {}: {failure}", moment(at, &picture.zone));
    }
    let remark = remark.trim_end_matches("; ").to_owned();
    [line.webhook.clone(), waiting, remark]
}

fn channel_row(line: &ChannelLine, picture: &Picture) -> [String; 4] {
    let mut remark = match line.state.breaker.as_str() {
        "closed" => String::new(),
        breaker => {
            let note = line.state.breaker_note.as_deref().unwrap_or_default();
            format!("breaker {breaker}: {note}")
        }
    };
    if let Some(pause) = &line.state.pause {
        let since = moment(pause.at, &picture.zone);
        let reason = pause.reason.as_deref().unwrap_or("no reason given");
        remark = format!("paused by {} since {since}: {reason}", pause.by);
    }
    [
        line.channel.to_string(),
        line.gateway.to_owned(),
        format!("{} due", counted(line.due)),
        remark,
    ]
}
