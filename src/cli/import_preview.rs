//! Owns `drumbeat import --preview`: a file as it would be imported, before anything is.

use std::fmt::Write as _;

use tokio::task::spawn_blocking;

use super::columns::aligned;
use super::exit::Exit;
use super::format::Format;
use super::output;
use super::session::Session;
use crate::customers::preview::{Preview, RowPreview, preview};
use crate::customers::reading::Input;

/// How much of a cell stands in a line of text.
const SHOWN_CHARS: usize = 24;

/// Shows the first rows of a file. The answer is no when the file cannot be imported as it is.
pub(super) async fn show(
    session: &Session,
    input: Input,
    rows: usize,
    format: Format,
) -> anyhow::Result<Exit> {
    let revision = session.published.revision.clone();
    let name = input.path.display().to_string();
    let preview = spawn_blocking(move || preview(&input, &revision, rows)).await??;
    match format {
        Format::Text => output::facts(&text(&name, &preview))?,
        Format::Json => output::json(&serde_json::to_value(&preview)?)?,
    }
    Ok(match preview.problem {
        None => Exit::Done,
        Some(_) => Exit::No,
    })
}

fn text(name: &str, preview: &Preview) -> String {
    let mut text = format!("{name}: {}", head(preview));
    let columns = preview.columns.iter().map(|column| {
        let refused = match column.refused {
            0 => String::new(),
            refused => format!("{refused} refused"),
        };
        let samples: Vec<String> = column.samples.iter().map(|sample| short(sample)).collect();
        let field = column.field.as_deref();
        [
            column.name.clone(),
            field.map_or_else(|| "(no field)".to_owned(), |field| format!("-> {field}")),
            samples.join(" | "),
            refused,
        ]
    });
    text.push_str(&aligned(2, &columns.collect::<Vec<_>>()));
    let refused: Vec<&RowPreview> = preview.rows.iter().filter(|row| row.is_refused()).collect();
    let (count, of) = (preview.rows.len() - refused.len(), preview.rows.len());
    let _ = writeln!(text, "{count} of the first {of} rows would be taken");
    for row in refused {
        let _ = writeln!(text, "  line {}: {}", row.line, reasons(preview, row));
    }
    if let Some(problem) = &preview.problem {
        let _ = writeln!(text, "cannot be imported as it is: {problem}");
    }
    text
}

fn head(preview: &Preview) -> String {
    let mut head = preview.kind.to_owned();
    if let Some(delimiter) = &preview.delimiter {
        let _ = write!(head, ", cells separated by `{delimiter}`");
    }
    match &preview.sheet {
        Some(sheet) => {
            let _ = write!(head, ", sheet `{sheet}`");
            if preview.sheets.len() > 1 {
                let _ = write!(head, " of `{}`", preview.sheets.join("`, `"));
            }
        }
        None => {
            let _ = write!(head, ", {}", preview.encoding);
        }
    }
    head.push('\n');
    head
}

fn reasons(preview: &Preview, row: &RowPreview) -> String {
    if let Some(problem) = &row.problem {
        return problem.clone();
    }
    let columns = preview.columns.iter().zip(&row.cells);
    let reasons = columns.filter_map(|(column, cell)| {
        let problem = cell.problem.as_ref()?;
        let field = column.field.as_deref().unwrap_or(&column.name);
        Some(format!("`{field}`: {problem}"))
    });
    reasons.collect::<Vec<_>>().join("; ")
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
