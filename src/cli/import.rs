//! Owns `drumbeat import`: customers, and lines about them, from a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use encoding_rs::Encoding;
use serde_json::json;

use super::actor::ActorArgument;
use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::import_preview;
use super::import_verbs::{self, Verb};
use super::import_words::{IfNobody, IfSeveral};
use super::output;
use super::place::Place;
use super::progress::Progress;
use super::session::{self, Session};
use super::words;
use crate::customers::delimiter::Delimiter;
use crate::customers::import::{self, ImportReport, ImportRequest};
use crate::customers::lines::{LineImport, Lines};
use crate::customers::reading::Input;
use crate::customers::table::TableOptions;
use crate::domain::audit::Source;
use crate::domain::channel::Channel;
use crate::domain::import_plan::{ImportKind, ImportPlan};
use crate::domain::list;
use crate::domain::subscription::Consent;

/// Creates and updates customers, or records lines about them, from a CSV, XLSX or JSON Lines file.
///
/// A row is a customer by its unique id. The first row names the columns; each fills the field of that identifier or description. An empty
/// cell clears the field, a field without a column stays as it is. Several values of one cell are
/// separated by `;` (by `,` in a file whose cells are separated by `;`). Of several rows for one
/// customer the last one counts. In JSON Lines each line is an object: its keys are the columns, a
/// list is several values, `null` clears, and a key that a line lacks leaves its field as it is.
///
/// `--stage` keeps the file and looks at all of its rows; `drumbeat import save` stores them then. The
/// other commands below are about imports that there are.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    bring: Bring,
}

#[derive(Debug, clap::Args)]
pub(super) struct Bring {
    /// A CSV, XLSX or JSON Lines file; which one it is is told by its content.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// What its rows are. `interactions` (what customers did elsewhere, such as a `conversion`) have
    /// the columns `customer`, `kind`, `at`, and may have `channel`, `campaign`, `flow`, `step`,
    /// `note`, and with an `id` what belongs to the kind, such as `page_url`, `score` or `sku`.
    /// `transactions` have `id`, `customer`, `at`, `amount`, and may have `currency`, `place`,
    /// `reason`, `sku`, `item_name`, `item_category`, `note`. `unsubscriptions` have `customer`, and may have `campaign`, `category`, `group`,
    /// `channel`, `at`, `note`. A row that is known already, by its `id` if it has one, changes nothing.
    #[arg(long, value_enum, default_value_t = Kind::Customers)]
    kind: Kind,
    /// Fills a field from a column with another name; may be repeated.
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// What separates the cells (`,` `;` `tab` `|`); detected unless given.
    #[arg(long)]
    delimiter: Option<Delimiter>,
    /// The file's encoding, such as `windows-1252`; detected unless given.
    #[arg(long, value_parser = encoding)]
    encoding: Option<&'static Encoding>,
    /// Lines before the row that names the columns.
    #[arg(long, value_name = "LINES", default_value_t = 0)]
    skip_lines: u64,
    /// The sheet of a workbook; the first one that is not empty unless given.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// A tag of the data model, for every customer of the file; may be repeated.
    #[arg(long)]
    tag: Vec<String>,
    /// A consent of every customer of the file, such as `sms=opted-in`; may be repeated. Who is
    /// `unsubscribed` stays so: only a change for that one customer takes a refusal back.
    #[arg(long, value_name = "CHANNEL=CONSENT", value_parser = consent)]
    consent: Vec<(Channel, Consent)>,
    /// A list that every customer of the file is put on.
    #[arg(long, value_name = "NAME", conflicts_with = "new_list")]
    list: Option<String>,
    /// The same, and makes the list.
    #[arg(long, value_name = "NAME")]
    new_list: Option<String>,
    /// The field by which rows find their customers, such as `email`: any that holds one value. Case and
    /// accents do not matter.
    #[arg(long = "match", value_name = "FIELD", default_value = "id")]
    key: String,
    /// What becomes of a row that finds nobody. Who is made has the id of the column `id`, or
    /// `import-NUMBER-LINE` without one.
    #[arg(long, value_enum, default_value_t = IfNobody::Create)]
    no_match: IfNobody,
    /// What becomes of a row that finds several customers.
    #[arg(long, value_enum, default_value_t = IfSeveral::Reject)]
    several_match: IfSeveral,
    /// Keeps the file and looks at all of its rows; nothing is stored until it is saved.
    #[arg(long, conflicts_with_all = ["dry_run", "preview", "rejects"])]
    stage: bool,
    /// Where rejected rows go; `NAME.rejects.csv` beside the file unless given.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Does everything but the storing.
    #[arg(long)]
    dry_run: bool,
    /// Only shows what the file is, which column fills which field, and what becomes of the first rows.
    #[arg(long)]
    preview: bool,
    /// How many rows a preview shows.
    #[arg(long, value_name = "ROWS", default_value_t = 10, requires = "preview")]
    rows: usize,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Customers,
    Unsubscriptions,
    Interactions,
    Transactions,
}

impl From<Kind> for ImportKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Customers => Self::Customers,
            Kind::Unsubscriptions => Self::Unsubscriptions,
            Kind::Interactions => Self::Interactions,
            Kind::Transactions => Self::Transactions,
        }
    }
}

fn mapping(text: &str) -> Result<(String, String), String> {
    // A column's name may hold an equals sign, a field's cannot.
    let (column, field) = text
        .rsplit_once('=')
        .ok_or("write the column and the field, such as `E-Mail=email`")?;
    Ok((column.trim().to_owned(), field.trim().to_owned()))
}

fn encoding(name: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(name.as_bytes())
        .ok_or_else(|| "not an encoding of the web (such as `utf-8` or `windows-1252`)".to_owned())
}

fn consent(text: &str) -> Result<(Channel, Consent), String> {
    let (channel, consent) = text
        .split_once('=')
        .ok_or("write the channel and the consent, such as `sms=opted-in`")?;
    Ok((words::channel(channel)?, words::consent(consent)?))
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    if let Some(verb) = &arguments.verb {
        return import_verbs::run(place, verb);
    }
    let arguments = &arguments.bring;
    let lines = match arguments.kind {
        Kind::Customers => None,
        Kind::Interactions => Some(Lines::Interactions),
        Kind::Unsubscriptions => Some(Lines::Unsubscriptions),
        Kind::Transactions => Some(Lines::Transactions),
    };
    let is_listed = arguments.list.is_some() || arguments.new_list.is_some();
    if lines.is_some() && is_listed {
        output::problem("`--list` is for `--kind customers`: leave it out");
        return Ok(Exit::Misuse);
    }
    if lines.is_some() && !(arguments.tag.is_empty() && arguments.consent.is_empty()) {
        output::problem("`--tag` and `--consent` are for `--kind customers`: leave them out");
        return Ok(Exit::Misuse);
    }
    if arguments.preview && lines.is_some() {
        output::problem("`--preview` is for `--kind customers`: leave it out");
        return Ok(Exit::Misuse);
    }
    session::run(place, async |session| {
        if arguments.preview {
            let (input, rows) = (request(arguments).input, arguments.rows);
            return import_preview::show(session, input, rows, arguments.format.format).await;
        }
        if let (Some(name), false) = (&arguments.new_list, arguments.dry_run) {
            make_list(session, arguments, name).await?;
        }
        if arguments.stage {
            let by = arguments.actor.by(&session.settings, Source::Import);
            let (file, plan) = (arguments.file(), plan(arguments));
            let format = arguments.format.format;
            return import_verbs::stage(session, file, &plan, &by, format).await;
        }
        import(session, arguments, lines).await
    })
}

async fn make_list(session: &Session, arguments: &Bring, name: &str) -> anyhow::Result<()> {
    if let Err(wrong) = list::check_name(name) {
        anyhow::bail!("`--new-list`: the name of a list {wrong}");
    }
    let by = arguments.actor.by(&session.settings, Source::Import);
    let made = session.store.add_list(name, None, &by, session.clock.now());
    made.await?;
    Ok(())
}

impl Bring {
    fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or_else(|| Path::new(""))
    }
}

fn plan(arguments: &Bring) -> ImportPlan {
    ImportPlan {
        kind: arguments.kind.into(),
        delimiter: arguments.delimiter.map(|delimiter| delimiter.to_string()),
        encoding: arguments
            .encoding
            .map(|encoding| encoding.name().to_owned()),
        skip_lines: arguments.skip_lines,
        sheet: arguments.sheet.clone(),
        map: arguments.map.clone(),
        key: Some(arguments.key.clone()),
        no_match: arguments.no_match.into(),
        several_match: arguments.several_match.into(),
        tags: arguments.tag.clone(),
        consents: arguments.consent.clone(),
        list: arguments
            .list
            .clone()
            .or_else(|| arguments.new_list.clone()),
    }
}

async fn import(
    session: &Session,
    arguments: &Bring,
    lines: Option<Lines>,
) -> anyhow::Result<Exit> {
    let request = request(arguments);
    let by = arguments.actor.by(&session.settings, Source::Import);
    let progress = Progress::new();
    let (store, clock) = (&session.store, session.clock.as_ref());
    let revision = &session.published.revision;
    let watch = |seen| progress.show(seen);
    let imported = match lines {
        None => import::import(store, revision, &request, &by, clock, &watch).await,
        Some(lines) => {
            let import = LineImport {
                store,
                revision,
                lines,
                input: &request.input,
                no_match: request.no_match,
                dry_run: request.dry_run,
                by: &by,
                clock,
            };
            import.run(&watch).await
        }
    };
    progress.clear();
    let report = imported?;
    match arguments.format.format {
        Format::Text => output::facts(&text(&request, &report))?,
        Format::Json => output::json(&facts(&request, &report))?,
    }
    Ok(Exit::Done)
}

fn request(arguments: &Bring) -> ImportRequest {
    ImportRequest {
        input: Input {
            path: arguments.file().to_owned(),
            table: TableOptions {
                delimiter: arguments.delimiter,
                encoding: arguments.encoding,
                skip_lines: arguments.skip_lines,
                sheet: arguments.sheet.clone(),
            },
            map: arguments.map.clone(),
            rejects: arguments.rejects.clone(),
            key: Some(arguments.key.clone()),
        },
        // Of a list that is yet to be made a dry run knows nothing.
        list: match (&arguments.new_list, arguments.dry_run) {
            (Some(_), true) => None,
            (new, _) => new.clone().or_else(|| arguments.list.clone()),
        },
        no_match: arguments.no_match.into(),
        several_match: arguments.several_match.into(),
        tags: arguments.tag.clone(),
        consents: arguments.consent.clone(),
        dry_run: arguments.dry_run,
    }
}

fn facts(request: &ImportRequest, report: &ImportReport) -> serde_json::Value {
    json!({
        "read": report.read,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "duplicates": report.duplicates,
        "skipped": report.skipped,
        "import": report.import,
        "rejects_file": report.rejects_file,
        "ignored_columns": report.ignored_columns,
        "encoding": report.encoding,
        "dry_run": request.dry_run,
    })
}

fn text(request: &ImportRequest, report: &ImportReport) -> String {
    let file = request.input.path.display();
    let mut text = format!("{file}: {} rows read\n", counted(report.read));
    let rejects = report.rejects_file.as_ref();
    let rejects = rejects.map(|file| format!("see {}", file.display()));
    let duplicates = (report.duplicates > 0).then_some("a later row has the same id");
    let row = |what: &str, count, remark: &str| {
        let count = counted(count);
        [what.to_owned(), format!("{count:>9}"), remark.to_owned()]
    };
    let rows = [
        row("created", report.created, ""),
        row("updated", report.updated, ""),
        row("unchanged", report.unchanged, ""),
        row(
            "repeated",
            report.duplicates,
            duplicates.unwrap_or_default(),
        ),
        row("rejected", report.rejected, &rejects.unwrap_or_default()),
    ];
    text.push_str(&aligned(2, &rows));
    if report.skipped > 0 {
        let _ = writeln!(
            text,
            "{} rows found nobody and were passed over",
            counted(report.skipped)
        );
    }
    if !report.ignored_columns.is_empty() {
        let columns = report.ignored_columns.join("`, `");
        let columns = format!("columns without a field: `{columns}`");
        text.push_str(&columns);
        text.push_str(" (fill one with --map COLUMN=FIELD)\n");
    }
    if let Some(import) = report.import {
        let _ = writeln!(
            text,
            "this was import {import}: `drumbeat import revert` takes it back"
        );
    }
    if request.dry_run {
        text.push_str("nothing was stored: this was a dry run\n");
    }
    text
}
