//! Owns the tests of the daemon as a unit of a real systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::rig::systemd::Systemd;

const UNIT: &str = "drumbeat.service";
const STAND_IN: &str = r#"#!/bin/sh
case "$*" in *reload*) exit 0 ;; esac
trap 'systemd-notify STOPPING=1; echo drained; exit 0' TERM
systemd-notify --ready --status="standing in"
while :; do
    systemd-notify WATCHDOG=1
    sleep 0.2 &
    wait $!
done
"#;

fn put(files: &Path, path: &str, text: &str, mode: u32) {
    let path = files.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

fn files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path();
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/drumbeat.service");
    let unit = fs::read_to_string(unit).unwrap();
    put(files, "etc/systemd/system/drumbeat.service", &unit, 0o644);
    put(
        files,
        "etc/systemd/system/drumbeat.service.d/test.conf",
        "[Service]\nNotifyAccess=all\nWatchdogSec=1s\nRestartSec=100ms\n",
        0o644,
    );
    put(
        files,
        "etc/systemd/system/drumbeat-test.target",
        "[Unit]\nRequires=systemd-journald.service\nAfter=systemd-journald.service\n",
        0o644,
    );
    put(files, "usr/bin/drumbeat", STAND_IN, 0o755);
    put(files, "etc/drumbeat/drumbeat.yaml", "", 0o644);
    folder
}

#[test]
fn a_unit_starts_reloads_survives_kill_and_hang_and_drains() {
    let files = files();
    let systemd = Systemd::boot(files.path());
    let mut journal = systemd.journal(UNIT);
    let started = systemd.systemctl(&["start", UNIT]);
    assert!(started.status.success(), "{started:?}");
    assert_eq!(systemd.property(UNIT, "ActiveState"), "active");

    let main: u32 = systemd.property(UNIT, "MainPID").parse().unwrap();
    let status = fs::read_to_string(systemd.path(&format!("/proc/{main}/status"))).unwrap();
    for line in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "`{line}` is not in\n{status}");
    }

    assert!(systemd.systemctl(&["reload", UNIT]).status.success());
    journal.wait_for("Started drumbeat.service");

    systemd.systemctl(&["kill", "--signal=KILL", UNIT]);
    journal.wait_for("status=9/KILL");
    journal.wait_for("Started drumbeat.service");
    assert_eq!(systemd.property(UNIT, "NRestarts"), "1");

    systemd.systemctl(&["kill", "--kill-whom=main", "--signal=STOP", UNIT]);
    journal.wait_for("Watchdog timeout");
    journal.wait_for("Started drumbeat.service");
    assert_eq!(systemd.property(UNIT, "NRestarts"), "2");

    assert!(systemd.systemctl(&["stop", UNIT]).status.success());
    journal.wait_for("drained");
    assert_eq!(systemd.property(UNIT, "Result"), "success");
}
