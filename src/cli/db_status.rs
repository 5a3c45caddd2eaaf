//! Owns `drumbeat db status`: which database it is and how it stands, without changing anything.

use indicatif::HumanBytes;
use serde_json::{Map, Value, json};

use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use crate::store::{About, Schema, Store};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    format: FormatArgument,
}

struct Facts {
    about: About,
    schema: Schema,
    daemon: Option<String>,
    durability: Vec<String>,
    /// The store that this one is an unfinished copy of.
    copy_of: Option<String>,
}

pub(crate) async fn run(store: &Store, arguments: &Arguments) -> anyhow::Result<Exit> {
    let schema = store.schema().await?;
    let mut durability = store.durability().await?;
    durability.dedup();
    let (copy_of, daemon) = match schema.version {
        Some(_) => (store.half_a_copy_of().await?, store.owner().await?),
        None => (None, None),
    };
    let facts = Facts {
        about: store.about().await?,
        schema,
        daemon,
        durability,
        copy_of,
    };
    match arguments.format.format {
        Format::Json => output::json(&facts.json())?,
        Format::Text => output::facts(&aligned(0, &facts.lines()))?,
    }
    Ok(Exit::Done)
}

impl Facts {
    fn json(&self) -> Value {
        let rows = self.about.rows.iter();
        let rows = rows.map(|(table, rows)| ((*table).to_owned(), json!(rows)));
        let pending = self.schema.pending.iter();
        let pending = pending.map(|(version, name)| json!({ "version": version, "name": name }));
        json!({
            "database": {
                "kind": self.about.kind.to_lowercase(),
                "server_version": self.about.server_version,
                "place": self.about.place.replace('`', ""),
                "bytes": self.about.bytes,
                "durability": self.durability,
            },
            "schema": {
                "version": self.schema.version,
                "ours": self.schema.ours,
                "pending": pending.collect::<Vec<_>>(),
                "unknown": self.schema.unknown,
            },
            "rows": Value::Object(rows.collect::<Map<_, _>>()),
            "daemon": { "running": self.daemon.is_some(), "process": self.daemon },
            "unfinished_copy_of": self.copy_of,
        })
    }

    fn lines(&self) -> Vec<[String; 2]> {
        let about = &self.about;
        let row = |name: &str, value: String| [name.to_owned(), value];
        let mut lines = vec![
            row(
                "database",
                format!("{} {}, {}", about.kind, about.server_version, about.place),
            ),
            row("schema", self.schema_in_words()),
            row("size", HumanBytes(about.bytes).to_string()),
            row("durability", self.durability.join(", ")),
        ];
        for (table, rows) in &about.rows {
            lines.push(row(table, rows.map_or_else(|| "-".to_owned(), counted)));
        }
        let nobody = || "not running".to_owned();
        lines.push(row("daemon", self.daemon.clone().unwrap_or_else(nobody)));
        if let Some(source) = &self.copy_of {
            let words = format!("unfinished, of {source}: run `drumbeat db copy` again");
            lines.push(row("copy", words));
        }
        lines
    }

    fn schema_in_words(&self) -> String {
        let schema = &self.schema;
        let ours = schema.ours;
        match schema.version {
            None => format!("none: `drumbeat db migrate` makes schema {ours}"),
            Some(version) if !schema.unknown.is_empty() => format!(
                "{version}, written by a newer version of drumbeat; this one works with {ours}"
            ),
            Some(version) if !schema.pending.is_empty() => {
                format!("{version}: `drumbeat db migrate` brings it to {ours}")
            }
            Some(version) => format!("{version}, the one of this version"),
        }
    }
}
