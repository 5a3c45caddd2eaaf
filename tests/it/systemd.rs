//! Owns the tests of the daemon as a unit of a real systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::rig::port;
use crate::rig::systemd::Systemd;

const UNIT: &str = "drumbeat.service";
const STARTED: &str = "Started drumbeat.service";
const FLOWS: &str = "/etc/drumbeat/flows/onboarding.yaml";

const SETTINGS: &str = "workspace: lakeside
link-secret: ${credential:links}
";
const EMAIL: &str = "channel: email
gateway: { file: { folder: /var/lib/drumbeat/out } }
from: \"Lakeside Credit Union <hello@lakeside.example>\"
";
const WORKSPACE: &str = "policy:
  organization: { name: Lakeside Credit Union, postal-address: \"12 Shore Road, Lakeside\" }
  categories: { onboarding: Onboarding }
---
segment: new-members
where: { field: company, is: Lakeside }
---
flow: new-member-onboarding
name: New member onboarding
category: onboarding
segment: new-members
steps:
  - id: welcome
    after: 4d
    email:
      subject: Welcome
      text: \"Hello. {{ organization.postal_address }} {{ unsubscribe_url }}\"
";

/// The unit, the binary and a workspace, as they lie on a machine.
struct Installed {
    files: TempDir,
    port: u16,
}

impl Installed {
    fn with(flows: &str) -> Self {
        let port = port::free();
        let files = tempfile::tempdir().unwrap();
        let installed = Self { files, port };
        let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/drumbeat.service");
        let unit = fs::read_to_string(unit).unwrap();
        let drop_in = format!(
            "[Service]\nWatchdogSec=2s\nRestartSec=100ms\nSocketBindAllow=tcp:{port}\n\
             LoadCredential=links:/etc/credstore/drumbeat.links\n"
        );
        let target = "[Unit]\nRequires=systemd-journald.service\nAfter=systemd-journald.service\n";
        let settings = format!("{SETTINGS}listen: 127.0.0.1:{port}\n");
        let units = "/etc/systemd/system";
        installed.put(&format!("{units}/drumbeat.service"), &unit);
        installed.put(&format!("{units}/drumbeat.service.d/test.conf"), &drop_in);
        installed.put(&format!("{units}/drumbeat-test.target"), target);
        installed.put("/etc/credstore/drumbeat.links", &"s".repeat(32));
        installed.put("/etc/drumbeat/drumbeat.yaml", &settings);
        installed.put("/etc/drumbeat/channels/email.yaml", EMAIL);
        installed.put(FLOWS, flows);
        let binary = installed.path("/usr/bin/drumbeat");
        fs::copy(env!("CARGO_BIN_EXE_drumbeat"), &binary).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        installed
    }

    /// Where a file of the machine lies before the machine boots; its folder is made.
    fn path(&self, inside: &str) -> PathBuf {
        let path = self.files.path().join(inside.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn put(&self, inside: &str, text: &str) {
        fs::write(self.path(inside), text).unwrap();
    }

    fn boot(&self) -> Systemd {
        Systemd::boot(self.files.path())
    }

    async fn readiness(&self) -> Value {
        let url = format!("http://127.0.0.1:{}/readyz", self.port);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Asks until the daemon says it is ready, or that it is not.
    async fn until_ready(&self, ready: bool) {
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        let waited = tokio::time::timeout(Duration::from_secs(30), async {
            while self.readiness().await["ready"] != ready {
                beat.tick().await;
            }
        });
        assert!(waited.await.is_ok(), "`ready` never became {ready}");
    }
}

fn assert_locked_in(systemd: &Systemd) {
    let main = systemd.property(UNIT, "MainPID");
    let status = systemd.path(&format!("/proc/{main}/status"));
    let status = fs::read_to_string(status).unwrap();
    for line in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "`{line}` is not in\n{status}");
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[tokio::test]
async fn the_unit_starts_locked_in_outlives_kill_and_hang_and_drains() {
    let installed = Installed::with(WORKSPACE);
    let systemd = installed.boot();
    let mut journal = systemd.journal(UNIT);

    let started = systemd.systemctl(&["start", UNIT]);
    assert!(
        started.status.success(),
        "{started:?} {}",
        systemd.log(UNIT)
    );
    journal.wait_for(STARTED);
    assert_locked_in(&systemd);
    let readiness = installed.readiness().await;
    assert_eq!(readiness["ready"], true, "{readiness}");
    assert_eq!(readiness["revision"], 1, "{readiness}");

    // What runs comes from the store, whatever the files have become.
    edit(&systemd.path(FLOWS), "after: 4d", "after: soon");
    systemd.systemctl(&["kill", "--signal=KILL", UNIT]);
    journal.wait_for("status=9/KILL");
    journal.wait_for(STARTED);
    assert_eq!(systemd.property(UNIT, "NRestarts"), "1");
    let readiness = installed.readiness().await;
    assert_eq!(readiness["revision"], 1, "{readiness}");
    assert_eq!(readiness["check"]["ok"], false, "{readiness}");

    systemd.systemctl(&["kill", "--kill-whom=main", "--signal=STOP", UNIT]);
    journal.wait_for("Watchdog timeout");
    journal.wait_for(STARTED);
    assert_eq!(systemd.property(UNIT, "NRestarts"), "2");

    assert!(systemd.systemctl(&["stop", UNIT]).status.success());
    assert_eq!(systemd.property(UNIT, "Result"), "success");
    assert_eq!(systemd.property(UNIT, "ExecMainStatus"), "0");
}

#[test]
fn a_configuration_that_cannot_run_is_not_tried_again() {
    let installed = Installed::with("flow: new-member-onboarding\nsegment: nobody\n");
    let systemd = installed.boot();
    let started = systemd.systemctl(&["start", UNIT]);
    assert!(!started.status.success(), "{started:?}");
    assert_eq!(systemd.property(UNIT, "ExecMainStatus"), "78");
    assert_eq!(systemd.property(UNIT, "ActiveState"), "failed");
    assert_eq!(systemd.property(UNIT, "NRestarts"), "0");
}

#[tokio::test]
async fn a_full_disk_is_outlived_without_a_restart() {
    let installed = Installed::with(WORKSPACE);
    let systemd = installed.boot();
    let state = "/var/lib/private/drumbeat";
    systemd.run("mkdir", &["--parents", "--mode=0700", state]);
    let options = ["-t", "tmpfs", "-o", "size=4m,mode=0700", "state", state];
    systemd.run("mount", &options);
    systemd.run("systemctl", &["start", UNIT]);
    installed.until_ready(true).await;

    let filler = systemd.path(&format!("{state}/filler"));
    let full = fs::write(&filler, vec![0; 8 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    installed.until_ready(false).await;
    assert_eq!(systemd.property(UNIT, "NRestarts"), "0");

    fs::remove_file(&filler).unwrap();
    installed.until_ready(true).await;
    assert_eq!(systemd.property(UNIT, "NRestarts"), "0");
    assert!(systemd.systemctl(&["stop", UNIT]).status.success());
}

#[tokio::test]
async fn reloading_waits_for_the_files_and_fails_when_they_are_wrong() {
    let installed = Installed::with(WORKSPACE);
    let systemd = installed.boot();
    systemd.run("systemctl", &["start", UNIT]);

    let flows = systemd.path(FLOWS);
    edit(&flows, "after: 4d", "after: 5d");
    let reloaded = systemd.systemctl(&["reload", UNIT]);
    assert!(reloaded.status.success(), "{reloaded:?}");
    assert_eq!(installed.readiness().await["revision"], 2);

    edit(&flows, "after: 5d", "after: soon");
    let reloaded = systemd.systemctl(&["reload", UNIT]);
    assert!(!reloaded.status.success(), "{reloaded:?}");
    assert_eq!(systemd.property(UNIT, "ActiveState"), "active");
    let readiness = installed.readiness().await;
    assert_eq!(readiness["revision"], 2, "{readiness}");
    assert_eq!(readiness["check"]["ok"], false, "{readiness}");
}
