//! Owns Postfix's `smtp-sink`: a mail server that takes everything, or fails as it is told to.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::port;
use super::program::{chmod, is_root, program};

/// A running sink; it ends when this is dropped.
pub(crate) struct SmtpSink {
    pub(crate) port: u16,
    child: Child,
    folder: TempDir,
}

impl SmtpSink {
    /// `faults` are smtp-sink's own options, such as `["-q", "RCPT"]` or `["-W", ".:9"]`. Finding
    /// out that it listens takes one session.
    pub(crate) async fn start(faults: &[&str]) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST, faults).await
    }

    async fn start_at(address: Ipv4Addr, faults: &[&str]) -> Self {
        loop {
            let folder = TempDir::new().unwrap();
            let port = port::free();
            let mut child = spawn(faults, (address, port), folder.path());
            port::open_at(address, port).await;
            // Somebody else may have taken the port meanwhile.
            if child.try_wait().unwrap().is_none() {
                return Self {
                    port,
                    child,
                    folder,
                };
            }
        }
    }

    /// The same, keeping every mail it takes.
    pub(crate) async fn start_keeping(faults: &[&str]) -> Self {
        Self::start_keeping_at(Ipv4Addr::LOCALHOST, faults).await
    }

    /// The same at an address of this machine that others can reach.
    pub(crate) async fn start_keeping_at(address: Ipv4Addr, faults: &[&str]) -> Self {
        let options = [&["-D", "mails"], faults].concat();
        Self::start_at(address, &options).await
    }

    /// Every mail kept so far, headers first, with smtp-sink's own `X-` lines before them.
    pub(crate) fn mails(&self) -> Vec<String> {
        let kept = std::fs::read(self.folder.path().join("mails")).unwrap_or_default();
        let text = String::from_utf8_lossy(&kept);
        let mails = text.split("X-Client-Addr: ").skip(1);
        mails.map(str::to_owned).collect()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn spawn(faults: &[&str], (address, port): (Ipv4Addr, u16), folder: &Path) -> Child {
    let mut command = Command::new(program("smtp-sink"));
    if is_root() {
        // It refuses to run as root, and its other self must be able to write.
        command.args(["-u", "nobody"]);
        chmod(folder, 0o777);
    }
    command
        .args(faults)
        .args([&format!("{address}:{port}"), "100"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("smtp-sink starts: install the Debian package `postfix`")
}
