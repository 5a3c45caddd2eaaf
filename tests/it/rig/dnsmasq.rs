//! Owns a name server of one test: dnsmasq, which knows the TXT records that it was given and nothing else.

use std::process::{Child, Command, Stdio};

use super::port;

/// A running server; it ends when this is dropped.
pub(crate) struct Dnsmasq {
    pub(crate) port: u16,
    child: Child,
}

impl Dnsmasq {
    /// Names below `test.`, each with one record.
    pub(crate) async fn start(records: &[(&str, &str)]) -> Self {
        let port = port::free();
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
            ])
            .args([
                "--local=/test/",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
            ])
            .args(["--log-facility=-", "--pid-file", "--user=root"])
            .arg(format!("--port={port}"));
        for (name, text) in records {
            // Strings of a record have at most 255 bytes each.
            assert!(!text.contains(','), "a comma parts strings");
            let strings: Vec<_> = text
                .as_bytes()
                .chunks(200)
                .map(String::from_utf8_lossy)
                .collect();
            command.arg(format!("--txt-record={name},{}", strings.join(",")));
        }
        let child = command
            .stderr(Stdio::null())
            .spawn()
            .expect("dnsmasq starts: install the Debian package `dnsmasq-base`");
        let server = Self { port, child };
        port::open(port).await;
        server
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
