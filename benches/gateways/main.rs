//! Owns the measure of the gateways: messages a second of each adapter, beside a program of others that does the same
//! against the same server.
//!
//! The others are Postfix's `smtp-sink` and `smtp-source`, `wrk`, and npm's `smpp`, which `scripts/test` installs.
//!
//! `cargo bench --bench gateways` measures all, `cargo bench --bench gateways smtp` one. Each figure is the median of
//! three runs of three seconds, ours and theirs in turn.
#![expect(
    clippy::print_stdout,
    reason = "the report of a measurement is its output"
)]

mod adapter;
mod http;
mod posting;
mod smpp;
mod smtp;

use std::fs;
use std::time::Duration;

use adapter::Adapter;

const RUNS: usize = 3;
const TIME: Duration = Duration::from_secs(3);

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [server, port] = words.as_slice()
        && server == http::SERVER
    {
        return http::serve(port.parse()?);
    }
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut adapters: Vec<Box<dyn Adapter>> = vec![Box::new(smtp::Smtp), Box::new(smpp::Smpp)];
    for adapter in posting::ALL {
        adapters.push(Box::new(adapter));
    }
    println!("load average before: {}", load());
    println!(
        "{:8} {:>12} {:>12} {:>6}  beside",
        "adapter", "messages/s", "theirs/s", "share"
    );
    for adapter in adapters {
        if wanted.is_empty() || wanted.iter().any(|name| *name == adapter.name()) {
            measure(adapter.as_ref())?;
        }
    }
    println!("load average after: {}", load());
    Ok(())
}

fn measure(adapter: &dyn Adapter) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let server = adapter.server()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(runtime.block_on(adapter.ours(server.port, TIME))?);
        theirs.push(adapter.theirs(server.port, TIME)?);
    }
    let (ours, theirs) = (
        median(ours),
        theirs.into_iter().collect::<Option<Vec<f64>>>(),
    );
    match theirs.map(median) {
        Some(theirs) => println!(
            "{:8} {ours:12.0} {theirs:12.0} {:6.2}  {}",
            adapter.name(),
            ours / theirs,
            adapter.beside()
        ),
        None => println!(
            "{:8} {ours:12.0} {:>12} {:>6}  {}: it is not installed",
            adapter.name(),
            "-",
            "-",
            adapter.beside()
        ),
    }
    Ok(())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}
