//! Owns `drumbeat db migrate`: the schema of this version, before a daemon starts on it.

use std::fmt::Write as _;

use serde_json::json;

use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use crate::store::{Schema, Spread, Store};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Spreads the tables over the servers of Citus, too.
    #[arg(long)]
    citus: bool,
    /// Into how many shards; more servers than this are of no use.
    #[arg(long, requires = "citus", default_value_t = 32, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    shards: u16,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(store: &Store, arguments: &Arguments) -> anyhow::Result<Exit> {
    let before = store.schema().await?;
    store.migrate().await?;
    let spread = if arguments.citus {
        Some(store.spread(arguments.shards).await?)
    } else {
        None
    };
    say(store, &before, spread.as_ref(), arguments.format.format)?;
    Ok(Exit::Done)
}

fn say(
    store: &Store,
    before: &Schema,
    spread: Option<&Spread>,
    format: Format,
) -> anyhow::Result<()> {
    let steps = before.pending.iter();
    let place = store.place();
    match format {
        Format::Json => output::json(&json!({
            "from": before.version,
            "to": before.ours,
            "applied": steps
                .map(|(version, name)| json!({ "version": version, "name": name }))
                .collect::<Vec<_>>(),
            "spread": spread.map(|spread| &spread.tables),
        }))?,
        Format::Text => {
            let when = if before.pending.is_empty() {
                "already"
            } else {
                "now"
            };
            let mut text = format!("{place} has schema {} {when}\n", before.ours);
            for (version, name) in steps {
                let _ = writeln!(text, "  applied {version} {name}");
            }
            match spread.map(|spread| spread.tables.as_slice()) {
                None => {}
                Some([]) => text.push_str("its tables are spread by Citus already\n"),
                Some(tables) => {
                    let _ = writeln!(text, "spread by Citus now: {}", tables.join(", "));
                }
            }
            output::facts(&text)?;
        }
    }
    Ok(())
}
