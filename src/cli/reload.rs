//! Owns `drumbeat reload`: asks the daemon to read its files again, and says what came of it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::awaiting;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::clock::{Clock as _, SystemClock};
use crate::engine::status::AwaitingStatus;
use crate::store::CheckRecord;

/// How often the answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A daemon that has not answered by then has something else in its way.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Waits for the daemon's answer: exit 1 when it refuses the files.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        if session.store.owner().await?.is_none() {
            anyhow::bail!(
                "no daemon runs on this store: `drumbeat run` reads the files when it starts"
            );
        }
        // Checks are noted in machine time.
        let asked_at = SystemClock.machine();
        session.store.request_reload(asked_at).await?;
        if !arguments.wait {
            return asked(arguments.format.format);
        }
        let check = answer(session, asked_at).await?;
        say(session, arguments.format.format, &check).await
    })
}

fn asked(format: Format) -> anyhow::Result<Exit> {
    match format {
        Format::Json => output::json(&json!({ "requested": true }))?,
        Format::Text => output::facts("asked for: `drumbeat status` shows what came of it\n")?,
    }
    Ok(Exit::Done)
}

/// What the daemon found when it read its files after it was asked.
pub(super) async fn answer(
    session: &Session,
    asked_at: jiff::Timestamp,
) -> anyhow::Result<CheckRecord> {
    let answer = tokio::time::timeout(PATIENCE, checked(session, asked_at)).await;
    answer.map_err(|_| anyhow::anyhow!("the daemon has not answered in 30 seconds"))?
}

async fn checked(session: &Session, asked_at: jiff::Timestamp) -> anyhow::Result<CheckRecord> {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let check = session.store.last_check().await?;
        if let Some(check) = check.filter(|check| check.at > asked_at) {
            return Ok(check);
        }
    }
}

/// What runs now, or why the files do not.
pub(super) async fn say(
    session: &Session,
    format: Format,
    check: &CheckRecord,
) -> anyhow::Result<Exit> {
    let awaits = session.store.awaiting().await?;
    let awaits = awaits.filter(|awaiting| awaiting.hash == check.hash);
    let revision = session.store.current_revision_no().await?;
    let revision = revision.map_or(0, |revision| revision.0);
    let found = &check.report["diagnostics"]["diagnostics"];
    match format {
        Format::Json => output::json(&json!({
            "ok": check.ok,
            "errors": check.errors,
            "revision": revision,
            "diagnostics": found,
            "problems": check.report["problems"],
            "unconverted": check.report["unconverted"],
            "awaiting_approval": awaits.as_ref().map(AwaitingStatus::of),
        }))?,
        Format::Text if awaits.is_some() => {
            let waiting: String = awaits.iter().map(awaiting::words).collect();
            output::facts(&format!("revision {revision} goes on\n{waiting}\n"))?;
        }
        Format::Text if check.ok => {
            let unconverted = unconverted(check);
            output::facts(&format!("revision {revision} runs\n{unconverted}"))?;
        }
        Format::Text => output::facts(&refused(check, revision))?,
    }
    let in_force = check.ok && awaits.is_none();
    Ok(if in_force { Exit::Done } else { Exit::No })
}

/// The fields of which some values did not convert.
fn unconverted(check: &CheckRecord) -> String {
    let fields = check.report["unconverted"].as_array();
    let line = |survey: &serde_json::Value| {
        let field = survey["field"].as_str().unwrap_or_default();
        let (lost, customers) = (&survey["lost"], &survey["customers"]);
        format!("  {field}: {lost} of {customers} customers have a value that did not convert\n")
    };
    fields.into_iter().flatten().map(line).collect()
}

fn refused(check: &CheckRecord, revision: i32) -> String {
    let mut text = format!("refused: revision {revision} goes on\n");
    let found = check.report["diagnostics"]["diagnostics"].as_array();
    for one in found.into_iter().flatten() {
        let word = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let (file, line, column) = (word("file"), &one["line"], &one["column"]);
        let (message, code) = (word("message"), word("code"));
        let _ = writeln!(text, "  {file}:{line}:{column}: {message} ({code})");
    }
    for problem in check.report["problems"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {}", problem.as_str().unwrap_or_default());
    }
    text
}
