//! Owns `drumbeat db copy`: the whole store in another database.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::signal;
use tokio::time::Instant;

use super::columns::counted;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::progress::Progress;
use super::{database, output};
use crate::store::{Copied, CopyPhase, Copying, Store};

/// Rows of one transaction: few enough that a run that is broken off loses little.
const MOST: usize = 5_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The database to copy.
    #[arg(long, value_name = "URL")]
    from: String,
    /// An empty database, or one that an earlier run of this copy began to fill.
    #[arg(long, value_name = "URL")]
    to: String,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let workspace = &place.workspace;
    let [from, to] = [&arguments.from, &arguments.to].map(|url| database::located(url, workspace));
    if from == to {
        output::problem("`--from` and `--to` are the same database");
        return Ok(Exit::Misuse);
    }
    let from = Store::connect(&from, workspace, false)
        .await
        .context("the source")?;
    let to = target(&to, place).await.context("the target")?;
    let bar = Progress::new();
    let began = Instant::now();
    let watch = |copying: Copying| show(&bar, copying);
    let copied = tokio::select! {
        copied = from.copy_to(&to, MOST, &watch) => Some(copied),
        _ = signal::ctrl_c() => None,
    };
    bar.clear();
    let Some(copied) = copied else {
        output::problem("broken off: what was copied stays; the same command goes on from there");
        return Ok(Exit::No);
    };
    let copied = copied?;
    say(arguments, &to, &copied, began.elapsed())?;
    from.close().await;
    to.close().await;
    Ok(Exit::Done)
}

/// The target has to have the schema of this version, and gets it.
async fn target(url: &str, place: &Place) -> anyhow::Result<Store> {
    let store = Store::connect(url, &place.workspace, true).await?;
    store.migrate().await?;
    Ok(store)
}

fn show(bar: &Progress, copying: Copying) {
    let rows = counted(copying.rows);
    let doing = match copying.phase {
        CopyPhase::Copying => "copying",
        CopyPhase::Comparing => "comparing",
    };
    let words = format!("{doing} {}, {rows} rows", copying.table);
    bar.at(copying.rows, copying.of, words);
}

fn say(arguments: &Arguments, to: &Store, copied: &Copied, took: Duration) -> anyhow::Result<()> {
    let tables = copied.tables.iter();
    match arguments.format.format {
        Format::Json => {
            let tables = tables.map(|(table, rows, hash)| {
                json!({ "table": table, "rows": rows, "checksum": format!("{hash:016x}") })
            });
            output::json(&json!({
                "ok": true,
                "went_on": copied.went_on,
                "seconds": took.as_secs_f64(),
                "tables": tables.collect::<Vec<_>>(),
            }))?;
        }
        Format::Text => {
            let rows: u64 = tables.map(|(_, rows, _)| rows).sum();
            let (rows, place) = (counted(rows), to.place());
            let took = took.as_secs_f64();
            output::facts(&format!(
                "{rows} rows are in {place} and the same as in the source, after {took:.1} s\n"
            ))?;
            output::note(
                "run the daemon on one of the two only: both would send the same messages",
            );
        }
    }
    Ok(())
}
