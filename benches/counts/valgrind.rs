//! Owns the counting of processes: callgrind runs them, and says how many instructions they took.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context as _, Result, bail};

/// Where callgrind's files are kept, for `callgrind_annotate`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("counts")
}

/// Which of its variants the C library takes to copy depends on the processor, and where the processor
/// repeats an instruction each round counts: here everybody has the plainest (sourceware.org/glibc/manual,
/// "Hardware Capability Tunables").
const PLAIN: &str =
    "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,-FSRM,-MOVBE,-RTM";

/// Instructions of all threads of `counts run NAME PLACE`: the least of several processes, which run
/// beside each other. Where threads wait for one another one may do more, never less.
pub(crate) fn count(name: &str, places: &[&Path]) -> Result<u64> {
    std::fs::create_dir_all(folder())?;
    let start = |(n, place): (usize, &&Path)| Counted::start(name, n + 1, place);
    let all: Vec<Result<Counted>> = places.iter().enumerate().map(start).collect();
    let totals: Vec<Result<u64>> = all.into_iter().map(|one| one?.total()).collect();
    let totals: Vec<u64> = totals.into_iter().collect::<Result<_>>()?;
    totals.into_iter().min().context("nothing is counted")
}

/// A process under callgrind, and the file that it will write.
struct Counted {
    process: Child,
    file: PathBuf,
}

impl Counted {
    fn start(name: &str, n: usize, place: &Path) -> Result<Self> {
        let file = folder().join(format!("{name}-{n}.callgrind"));
        let process = Command::new("valgrind")
            // Threads take turns: who waits for whom changes less from run to run.
            .args(["--tool=callgrind", "--quiet", "--fair-sched=yes"])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(std::env::current_exe()?)
            .args(["run", name])
            .arg(place)
            .env("GLIBC_TUNABLES", PLAIN)
            // The allocator would give memory back by the clock.
            .env("MIMALLOC_PURGE_DELAY", "-1")
            .spawn()
            .context("cannot start `valgrind`")?;
        Ok(Self { process, file })
    }

    fn total(mut self) -> Result<u64> {
        let (status, file) = (self.process.wait()?, self.file.display());
        if !status.success() {
            bail!("the process of `{file}` failed under valgrind: {status}");
        }
        let said = std::fs::read_to_string(&self.file)?;
        total(&said).with_context(|| format!("`{file}` holds no total"))
    }
}

/// The total of a file of callgrind's format (valgrind.org, "Callgrind Format Specification").
fn total(said: &str) -> Option<u64> {
    let mut totals = said
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "));
    totals.next_back()?.trim().parse().ok()
}
