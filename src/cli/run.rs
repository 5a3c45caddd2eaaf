//! Owns `drumbeat run`: the daemon in the foreground.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use super::output;
use super::place::Place;
use crate::daemon::{self, Failure, Options};
use crate::settings::Settings;

/// Everything worth knowing; the scheduler tells about itself only when something is wrong.
const DEFAULT_LOG: &str = "info,tokio_cron_scheduler=warn";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace; `--workspace` unless given.
    dir: Option<PathBuf>,
    /// Seconds of flow time in one second: 86400 makes a day a second.
    #[arg(long, value_name = "N", value_parser = scale)]
    clock_scale: Option<f64>,
    /// Stop when no enrollment is waiting or sending.
    #[arg(long)]
    until_idle: bool,
    /// Where HTTP is served, or `off`; overrides `drumbeat.yaml`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text
        .parse()
        .map_err(|_| "a number is needed, such as 86400".to_owned())?;
    if (1.0..=10_000_000.0).contains(&scale) {
        Ok(scale)
    } else {
        Err("from 1 (the machine's pace) to 10000000".to_owned())
    }
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::from_process();
    log_to_stderr(&settings);
    let options = Options {
        workspace: arguments
            .dir
            .clone()
            .unwrap_or_else(|| place.workspace.clone()),
        database: place.database.clone(),
        clock_scale: arguments.clock_scale,
        until_idle: arguments.until_idle,
        listen: arguments.listen.clone(),
    };
    match runtime()?.block_on(daemon::run(options, settings)) {
        Ok(()) => Ok(Exit::Done),
        Err(Failure::Configuration(why)) => {
            output::problem(why.trim_end());
            Ok(Exit::Configuration)
        }
        Err(Failure::Other(error)) => Err(error),
    }
}

pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// People read lines; a journal or a file gets one JSON object a line. `DRUMBEAT_LOG` chooses what.
fn log_to_stderr(settings: &Settings) {
    let wanted = settings.variable("DRUMBEAT_LOG").unwrap_or(DEFAULT_LOG);
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let as_json = settings.variable("DRUMBEAT_LOG_FORMAT") == Some("json");
    if as_json {
        let _already_set = subscriber.json().flatten_event(true).try_init();
    } else {
        let colors = std::io::stderr().is_terminal();
        let _already_set = subscriber.with_ansi(colors).with_target(false).try_init();
    }
}
