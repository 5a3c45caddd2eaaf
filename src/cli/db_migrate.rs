//! Owns `drumbeat db migrate`: the schema of this version, before a daemon starts on it.

use std::fmt::Write as _;

use serde_json::json;

use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(store: &Store, arguments: &Arguments) -> anyhow::Result<Exit> {
    let before = store.schema().await?;
    store.migrate().await?;
    let steps = before.pending.iter();
    match arguments.format.format {
        Format::Json => output::json(&json!({
            "from": before.version,
            "to": before.ours,
            "applied": steps
                .map(|(version, name)| json!({ "version": version, "name": name }))
                .collect::<Vec<_>>(),
        }))?,
        Format::Text if before.pending.is_empty() => {
            let (place, version) = (store.place(), before.ours);
            output::facts(&format!("{place} has schema {version} already\n"))?;
        }
        Format::Text => {
            let mut text = format!("{} has schema {} now\n", store.place(), before.ours);
            for (version, name) in steps {
                let _ = writeln!(text, "  applied {version} {name}");
            }
            output::facts(&text)?;
        }
    }
    Ok(Exit::Done)
}
