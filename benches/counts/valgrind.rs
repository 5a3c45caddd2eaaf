//! Owns the counting of one process: callgrind runs it, and says how many instructions it took.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Where callgrind's files are kept, one for each process, for `callgrind_annotate`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("counts")
}

/// Which of its variants the C library takes for a copy depends on the processor, and a copy of a page
/// can count as six instructions or as a thousand: here everybody has the plainest
/// (sourceware.org/glibc/manual, "Hardware Capability Tunables").
const PLAIN: &str =
    "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,-FSRM,-MOVBE,-RTM";

/// Instructions of all threads of `counts run NAME FOLDER`.
pub(crate) fn count(name: &str, place: &Path) -> Result<u64> {
    std::fs::create_dir_all(folder())?;
    let file = folder().join(format!("{name}.callgrind"));
    let status = Command::new("valgrind")
        // Threads take turns: who waits for whom changes less from run to run.
        .args(["--tool=callgrind", "--quiet", "--fair-sched=yes"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?)
        .args(["run", name])
        .arg(place)
        .env("GLIBC_TUNABLES", PLAIN)
        .status()
        .context("cannot start `valgrind`")?;
    if !status.success() {
        bail!("`{name}` failed under valgrind: {status}");
    }
    let said = std::fs::read_to_string(&file)?;
    total(&said).with_context(|| format!("`{}` holds no total", file.display()))
}

/// The total of a file of callgrind's format (valgrind.org, "Callgrind Format Specification").
fn total(said: &str) -> Option<u64> {
    let mut totals = said
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "));
    totals.next_back()?.trim().parse().ok()
}
