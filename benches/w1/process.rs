//! Owns what the system tells of this process and this machine: CPU time, memory, load.

use anyhow::{Context as _, Result};

/// Seconds of CPU, user and system, since this process began (proc(5), 10 ms grain).
pub(crate) fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("no process name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |place: usize| {
        fields
            .get(place)
            .context("too few fields")?
            .parse::<f64>()
            .context("no number")
    };
    // USER_HZ is 100 on every Linux that this runs on.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// The most memory that this process has had, in megabytes.
pub(crate) fn peak_megabytes() -> Result<f64> {
    status("VmHWM:")
}

/// The memory that this process has now, in megabytes.
pub(crate) fn megabytes() -> Result<f64> {
    status("VmRSS:")
}

fn status(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .with_context(|| format!("no `{name}`"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

/// The load average of the last minute.
pub(crate) fn load() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    let first = text.split_whitespace().next().context("no load average")?;
    Ok(first.parse()?)
}
