//! Owns `drumbeat db check`: what is wrong in the store, and what to do about it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::columns::counted;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use crate::store::{Finding, Store};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn run(store: &Store, arguments: &Arguments) -> anyhow::Result<Exit> {
    let found = store.examine().await?;
    match arguments.format.format {
        Format::Json => output::json(&json!({
            "ok": found.is_empty(),
            "problems": found.iter().map(facts).collect::<Vec<_>>(),
        }))?,
        Format::Text if found.is_empty() => {
            output::facts(&format!("{}: nothing is wrong\n", store.place()))?;
        }
        Format::Text => output::facts(&text(&found))?,
    }
    Ok(if found.is_empty() {
        Exit::Done
    } else {
        Exit::No
    })
}

fn facts(finding: &Finding) -> Value {
    json!({
        "code": finding.code,
        "table": finding.table,
        "rows": finding.rows,
        "example": finding.example,
        "message": finding.wrong,
        "help": finding.remedy,
    })
}

fn text(found: &[Finding]) -> String {
    let mut text = String::new();
    for finding in found {
        let _ = write!(text, "{}", finding.code);
        if !finding.table.is_empty() {
            let _ = write!(text, " in `{}`", finding.table);
        }
        let _ = writeln!(text, ": {}", finding.wrong);
        if finding.rows > 0 {
            let plural = if finding.rows == 1 { "" } else { "s" };
            let rows = counted(finding.rows);
            let _ = writeln!(text, "  {rows} row{plural}, such as {}", finding.example);
        }
        let _ = writeln!(text, "  help: {}", finding.remedy);
    }
    text
}
