//! Owns what a demo shows while it runs: one calm line on a terminal, a line a day elsewhere; on stderr.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;

use super::Demo;
use crate::cli::columns::counted;
use crate::cli::funnel::by_channel;
use crate::cli::output;
use crate::domain::gateway::Gateway;

const TEMPLATE: &str = "  {prefix}  {bar:20.cyan/white.dim}  {wide_msg}";

/// What is about to happen.
pub(super) fn begin(demo: &Demo<'_>, now: Timestamp) -> std::io::Result<()> {
    let revision = &demo.session.published.revision;
    let name = &revision.policy.organization.name;
    let name = if name.is_empty() {
        "The workspace"
    } else {
        name
    };
    let days = demo.until.duration_since(demo.from).as_hours() / 24;
    let today = now.to_zoned(revision.time_zone());
    let verb = if now > demo.from { "goes on" } else { "begins" };
    output::aside(&format!(
        "{name}: {days} days of {} flows. It {verb} on {}.",
        revision.flows.len(),
        today.strftime("%A, %-d %B %Y"),
    ))?;
    if let Some(folder) = messages(demo) {
        output::aside(&format!(
            "Every message becomes a file in {folder}. Ctrl-C stops, and nothing is lost."
        ))?;
    }
    output::aside("")
}

/// Where the first file gateway writes.
pub(super) fn messages(demo: &Demo<'_>) -> Option<String> {
    let mut channels = demo.session.published.revision.channels.values();
    channels.find_map(|config| match &config.gateway {
        Gateway::File(file) => Some(demo.workspace.join(&file.folder).display().to_string()),
        _ => None,
    })
}

pub(super) struct Show<'a> {
    demo: &'a Demo<'a>,
    /// None where no person looks.
    bar: Option<ProgressBar>,
    day: Option<Date>,
}

impl<'a> Show<'a> {
    pub(super) fn new(demo: &'a Demo<'a>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let length = demo.until.duration_since(demo.from).as_hours();
        let bar = terminal.then(|| {
            let style = ProgressStyle::with_template(TEMPLATE);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(length.unsigned_abs()).with_style(style.progress_chars("━━╌"))
        });
        Self {
            demo,
            bar,
            day: None,
        }
    }

    /// Without a terminal every day is told once.
    pub(super) fn is_new_day(&self, now: Timestamp) -> bool {
        self.bar.is_none() && self.day != Some(self.date(now))
    }

    fn date(&self, now: Timestamp) -> Date {
        let zone = self.demo.session.published.revision.time_zone();
        now.to_zoned(zone).date()
    }

    pub(super) async fn progress(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let counts = self.demo.session.store.counts(now).await?;
        let date = self.date(now);
        let day = date.strftime("%a %e %b").to_string();
        let mut parts = vec![format!("{} enrolled", counted(counts.enrolled()))];
        if !counts.sent.is_empty() {
            parts.push(by_channel(&counts.sent));
        }
        if counts.withheld() > 0 {
            parts.push(format!("{} withheld", counted(counts.withheld())));
        }
        let words = parts.join(", ");
        match &self.bar {
            Some(bar) => {
                let gone = now.duration_since(self.demo.from).as_hours();
                bar.set_position(gone.unsigned_abs());
                bar.set_prefix(day);
                bar.set_message(words);
            }
            None if self.day != Some(date) => output::aside(&format!("{day}  {words}"))?,
            None => {}
        }
        self.day = Some(date);
        Ok(())
    }

    /// Something that happened on the way.
    pub(super) fn line(&self, words: &str) {
        let line = format!("  {:10}  {words}", "");
        match &self.bar {
            Some(bar) => bar.println(line),
            None => {
                let _closed_pipe = output::aside(&line);
            }
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}
