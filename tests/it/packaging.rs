//! Owns what is shipped beside the binary: the unit is as closed as it claims to be.

use std::path::PathBuf;
use std::process::{Command, Output};

/// What `systemd-analyze security` may find at most, times ten: 1.5 of 10.
const EXPOSURE: &str = "15";

fn unit() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packaging/drumbeat.service")
}

fn exposure_of(unit: &std::path::Path) -> Output {
    Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={EXPOSURE}"))
        .arg(unit)
        .output()
        .unwrap_or_else(|error| {
            panic!("`systemd-analyze` cannot be run: install the package `systemd` ({error})")
        })
}

#[test]
fn the_unit_leaves_a_broken_in_daemon_almost_nothing() {
    let output = exposure_of(&unit());
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("Overall exposure level"), "{report}");
}

#[test]
fn an_open_unit_would_be_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("drumbeat.service");
    let closed = std::fs::read_to_string(unit()).unwrap();
    let kept = |line: &&str| !line.starts_with("SystemCallFilter") && !line.starts_with("Protect");
    let lines: Vec<&str> = closed.lines().filter(kept).collect();
    std::fs::write(&open, lines.join("\n")).unwrap();
    assert!(!exposure_of(&open).status.success());
}

#[test]
fn the_unit_restarts_after_a_crash_but_not_after_a_bad_configuration() {
    let unit = std::fs::read_to_string(unit()).unwrap();
    let has = |line: &str| unit.lines().any(|written| written == line);
    for line in [
        "Type=notify",
        "NotifyAccess=main",
        "Restart=on-failure",
        "RestartPreventExitStatus=78",
    ] {
        assert!(has(line), "the unit lacks `{line}`");
    }
}
