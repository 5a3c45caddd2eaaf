//! Owns `drumbeat preview`: a communication as one customer would get it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::json;

use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::session;
use super::trials::{self, Made, TrialArguments};
use crate::domain::message::{Rendered, RenderedEmail};
use crate::domain::sms_parts::sizes;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    trial: TrialArguments,
    /// Writes the HTML part into this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Shows the HTML part in a browser.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let made = trials::made(place, session, &arguments.trial).await?;
        match arguments.format.format {
            Format::Json => output::json(&facts(&arguments.trial.communication, &made))?,
            Format::Text => output::facts(&text(&made.rendered))?,
        }
        let html = match &made.rendered {
            Rendered::Email(email) => email.html.as_deref(),
            Rendered::Sms(_) | Rendered::Push(_) => None,
        };
        if let Some(file) = &arguments.html {
            fs::write(file, needed(html)?)
                .with_context(|| format!("`{}` cannot be written", file.display()))?;
        }
        if arguments.open {
            show(needed(html)?)?;
        }
        Ok(Exit::Done)
    })
}

fn needed(html: Option<&str>) -> anyhow::Result<&str> {
    html.context("the message has no HTML part: leave `--open` and `--html` out")
}

/// The file stays when the command ends: the browser reads it later.
fn show(html: &str) -> anyhow::Result<()> {
    let file = tempfile::Builder::new()
        .prefix("drumbeat-preview-")
        .suffix(".html")
        .tempfile()?;
    fs::write(file.path(), html)?;
    let (_, path) = file.keep()?;
    output::note(&format!("the HTML part is in {}", path.display()));
    browse(&path).context("no browser could be started: open the file yourself")
}

fn browse(path: &Path) -> std::io::Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let quiet = Command::new(program)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    drop(quiet);
    Ok(())
}

fn facts(communication: &str, made: &Made) -> serde_json::Value {
    let mut facts = json!({
        "communication": communication,
        "customer": made.customer.external_id,
        "channel": made.rendered.channel(),
    });
    let content = match &made.rendered {
        Rendered::Email(email) => json!({
            "from": email.from,
            "reply_to": email.reply_to,
            "subject": email.subject,
            "html": email.html,
            "text": email.text,
        }),
        Rendered::Sms(sms) => {
            let found = sizes(&sms.text);
            json!({
                "text": sms.text,
                "alphabet": found.alphabet,
                "characters": found.characters,
                "parts": found.parts,
            })
        }
        Rendered::Push(push) => json!({
            "title": push.title,
            "body": push.body,
            "link": push.link,
        }),
    };
    if let (Some(facts), Some(content)) = (facts.as_object_mut(), content.as_object()) {
        facts.extend(content.clone());
    }
    facts
}

fn text(rendered: &Rendered) -> String {
    match rendered {
        Rendered::Email(email) => email_text(email),
        Rendered::Sms(sms) => sms_text(&sms.text),
        Rendered::Push(push) => {
            let link = push.link.iter().map(|link| format!("\n{link}"));
            format!(
                "{}\n{}{}\n",
                push.title,
                push.body,
                link.collect::<String>()
            )
        }
    }
}

fn sms_text(text: &str) -> String {
    let found = sizes(text);
    let (characters, parts) = (found.characters, found.parts);
    let alphabet = found.alphabet.as_str();
    format!("characters: {characters}\nalphabet: {alphabet}\nparts: {parts}\n\n{text}\n")
}

fn email_text(email: &RenderedEmail) -> String {
    let senders = [("from", &email.from), ("reply to", &email.reply_to)];
    let senders = senders
        .into_iter()
        .filter_map(|(name, sender)| Some(format!("{name}: {}\n", sender.as_ref()?)));
    let html = match &email.html {
        Some(html) => format!("{} bytes", html.len()),
        None => "none".to_owned(),
    };
    format!(
        "{}subject: {}\nhtml: {html}\n\n{}\n",
        senders.collect::<String>(),
        email.subject,
        email.text.as_deref().unwrap_or_default().trim_end(),
    )
}
