//! Owns a real systemd as PID 1 in namespaces of its own, over a copy-on-write view of this machine.

use std::io::{BufRead, BufReader};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{fs, thread};

use tempfile::TempDir;

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rig/systemd.sh");
const GROUPS: [&str; 3] = [
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/systemd",
    "/sys/fs/cgroup/unified",
];

/// A booted systemd; everything it started ends when this is dropped.
pub(crate) struct Systemd {
    /// `unshare`, which takes the whole of its namespaces with it when it ends.
    outside: Child,
    pid: u32,
    _folder: TempDir,
}

impl Systemd {
    /// Boots with `files` laid over the root. Needs root, and a container that allows namespaces.
    pub(crate) fn boot(files: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("drumbeat-test{}", folder.path().display());
        let name = name.replace('/', "-");
        let socket = SocketAddr::from_abstract_name(&name).unwrap();
        let ready = UnixDatagram::bind_addr(&socket).unwrap();
        let log = fs::File::create(folder.path().with_extension("log")).unwrap();
        let mut outside = Command::new("sh")
            .arg(SCRIPT)
            .args([folder.path(), files])
            .arg(format!("@{name}"))
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn()
            .unwrap();
        if let Err(error) = await_ready(&ready, &mut outside) {
            let log = fs::read_to_string(folder.path().with_extension("log"));
            panic!(
                "systemd did not boot ({error}): this test needs root, the Debian package `systemd`, and in a container `--privileged`\n{}",
                log.unwrap_or_default()
            );
        }
        fs::remove_file(folder.path().with_extension("log")).unwrap();
        let pid = only_child(outside.id());
        Self {
            outside,
            pid,
            _folder: folder,
        }
    }

    /// A path inside, as it is reached from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.pid))
    }

    pub(crate) fn systemctl(&self, arguments: &[&str]) -> Output {
        let mut command = self.inside("systemctl");
        command.args(arguments).output().unwrap()
    }

    /// Runs a command on the booted machine, which must succeed.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.inside(program).args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {output:?}"
        );
    }

    /// One property of a unit.
    pub(crate) fn property(&self, unit: &str, property: &str) -> String {
        let output = self.systemctl(&["show", "--value", "--property", property, unit]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What a unit and systemd said of it so far.
    pub(crate) fn log(&self, unit: &str) -> String {
        let mut command = self.inside("journalctl");
        let output = command.args(["--output=cat", "--unit", unit]).output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    }

    /// Follows the journal of a unit from its first line on.
    pub(crate) fn journal(&self, unit: &str) -> Journal {
        let mut follower = self
            .inside("journalctl")
            .args(["--follow", "--lines=all", "--output=cat", "--unit", unit])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(follower.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            lines.all(|line| sender.send(line).is_ok())
        });
        Journal {
            follower,
            lines,
            seen: Vec::new(),
        }
    }

    fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.pid))
            .args([
                "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--root", "--wd",
            ])
            .arg(program);
        command
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // PID 1 is gone only after all others in its namespace are.
        let killed = Command::new("kill")
            .args(["-KILL", &self.pid.to_string()])
            .status();
        assert!(killed.unwrap().success());
        self.outside.wait().unwrap();
        for hierarchy in GROUPS {
            let group = format!("{hierarchy}/drumbeat-test-{}", self.outside.id());
            remove_groups(Path::new(&group));
        }
    }
}

/// The lines of a unit's journal, its own and systemd's about it.
pub(crate) struct Journal {
    follower: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Journal {
    /// Reads on until a line contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!(
                    "`{text}` never came; the journal says:\n{}",
                    self.seen.join("\n")
                );
            };
            let found = line.contains(text);
            self.seen.push(line);
            if found {
                return;
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.follower.kill().unwrap();
        self.follower.wait().unwrap();
    }
}

fn await_ready(ready: &UnixDatagram, outside: &mut Child) -> std::io::Result<()> {
    let mut news = [0; 4096];
    ready.set_read_timeout(Some(Duration::from_millis(200)))?;
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        match ready.recv(&mut news) {
            Ok(length) if news[..length].starts_with(b"READY=1") => return Ok(()),
            Err(error) if std::time::Instant::now() > deadline => return Err(error),
            _ => {
                if let Some(status) = outside.try_wait()? {
                    return Err(std::io::Error::other(status.to_string()));
                }
            }
        }
    }
}

fn only_child(pid: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.trim().parse().unwrap()
}

/// Control groups are removed from the leaves up; one that is still emptying is left behind.
fn remove_groups(group: &Path) {
    let Ok(entries) = fs::read_dir(group) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            remove_groups(&entry.path());
        }
    }
    let _left_behind = fs::remove_dir(group);
}
