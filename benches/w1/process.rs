//! Owns what the system tells of processes and this machine: CPU time, memory, load.

use std::fs;

use anyhow::{Context as _, Result};

/// Seconds of CPU, user and system, since this process began (proc(5), 10 ms grain).
pub(crate) fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    ticks(&stat, 11..13)
}

/// The same of a process and its children, and of its children that have ended: of all processes of a
/// PostgreSQL.
pub(crate) fn family_cpu_seconds(pid: u32) -> Result<f64> {
    family(pid)?
        .iter()
        .map(|(_, stat)| ticks(stat, 11..15))
        .sum()
}

/// The most memory that this process has had, in megabytes.
pub(crate) fn peak_megabytes() -> Result<f64> {
    kilobytes("/proc/self/status", "VmHWM:").map(|kilobytes| kilobytes / 1024.0)
}

/// The memory that this process has now, in megabytes.
pub(crate) fn megabytes() -> Result<f64> {
    kilobytes("/proc/self/status", "VmRSS:").map(|kilobytes| kilobytes / 1024.0)
}

/// The memory that a process and its children have now, what they share counted once.
pub(crate) fn family_megabytes(pid: u32) -> Result<f64> {
    let each = family(pid)?.into_iter().map(|(pid, _)| {
        let shared_once = kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:");
        // One that has ended meanwhile has none.
        shared_once.unwrap_or(0.0)
    });
    Ok(each.sum::<f64>() / 1024.0)
}

/// The memory of this machine, in megabytes.
pub(crate) fn machine_megabytes() -> Result<f64> {
    kilobytes("/proc/meminfo", "MemTotal:").map(|kilobytes| kilobytes / 1024.0)
}

/// The load average of the last minute.
pub(crate) fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let first = text.split_whitespace().next().context("no load average")?;
    Ok(first.parse()?)
}

/// A process and its children, by number, with what the system says of each.
fn family(pid: u32) -> Result<Vec<(u32, String)>> {
    let mut family = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{number}/stat")) else {
            continue;
        };
        let parent = fields(&stat)?.get(1).and_then(|word| word.parse().ok());
        if number == pid || parent == Some(pid) {
            family.push((number, stat));
        }
    }
    Ok(family)
}

/// The fields of proc(5)'s `stat` from the third on: a process's name may have anything in it.
fn fields(stat: &str) -> Result<Vec<&str>> {
    let (_, fields) = stat.rsplit_once(')').context("no process name")?;
    Ok(fields.split_whitespace().collect())
}

/// Seconds in these fields together.
fn ticks(stat: &str, places: std::ops::Range<usize>) -> Result<f64> {
    let fields = fields(stat)?;
    let words = fields.get(places).context("too few fields")?;
    let ticks: Result<f64, _> = words.iter().map(|word| word.parse::<f64>()).sum();
    // USER_HZ is 100 on every Linux that this runs on.
    Ok(ticks? / 100.0)
}

fn kilobytes(path: &str, name: &str) -> Result<f64> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("no `{name}` in `{path}`"))?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
