//! Owns short message centres of others: started on a free port, told what to do, heard in what they say.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::lines::Lines;
use super::{counterpart, port};

/// A running centre; it ends when this is dropped.
pub(crate) struct Smsc {
    pub(crate) port: u16,
    lines: Lines,
    echoes: AtomicU64,
}

impl Smsc {
    /// The one on npm's `smpp`; `tests/counterparts/smsc.js` says what can be wanted of it.
    pub(crate) async fn start(wanted: &Value) -> Self {
        let mut command = Command::new("node");
        command
            .arg("tests/counterparts/smsc.js")
            .arg(wanted.to_string())
            .env("NODE_PATH", counterpart::node().join("node_modules"));
        Self::run(command).await
    }

    /// The one on `PyPI`'s `smpp34`: it takes everything, and its receipts are words alone.
    pub(crate) async fn start_smpp34() -> Self {
        let mut command = Command::new(counterpart::python("python.txt", "python"));
        command
            .arg("tests/counterparts/smsc34.py")
            .arg(port::free().to_string());
        Self::run(command).await
    }

    async fn run(command: Command) -> Self {
        let (lines, port) = Lines::listening(command).await;
        Self {
            port,
            lines,
            echoes: AtomicU64::new(0),
        }
    }

    /// Asks it to do something now.
    pub(crate) fn ask(&self, what: &Value) {
        self.lines.ask(what);
    }

    /// All that it had to say of one kind by now: what it says reaches us later than its answers do.
    pub(crate) async fn so_far(&self, event: &str) -> Vec<Value> {
        let echo = self.echoes.fetch_add(1, Ordering::Relaxed) + 1;
        self.ask(&json!({ "echo": echo }));
        port::eventually("the centre's echo", || {
            let heard = self.lines.so_far("echo");
            heard.iter().any(|line| line["echo"] == echo).then_some(())
        })
        .await;
        self.lines.so_far(event)
    }

    /// What it said of one kind, once there is so much.
    pub(crate) async fn said(&self, event: &str, count: usize) -> Vec<Value> {
        self.lines.said(event, count).await
    }
}

/// What is wanted of a centre that answers each message in turn like this.
pub(crate) fn answering(acts: &[&str]) -> Value {
    json!({ "submit": acts })
}
