//! Owns short message centres of others: started on a free port, told what to do, heard in what they say.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{counterpart, port};

/// A running centre; it ends when this is dropped.
pub(crate) struct Smsc {
    pub(crate) port: u16,
    child: Child,
    input: Mutex<ChildStdin>,
    said: Arc<Mutex<Vec<Value>>>,
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

    async fn run(mut command: Command) -> Self {
        let mut child = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the centre starts");
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("the centre speaks JSON");
                heard.lock().unwrap().push(line);
            }
        });
        let mut smsc = Self {
            port: 0,
            input: Mutex::new(child.stdin.take().unwrap()),
            child,
            said,
            echoes: AtomicU64::new(0),
        };
        let listening = smsc.said("listening", 1).await;
        smsc.port = u16::try_from(listening[0]["port"].as_u64().unwrap()).unwrap();
        smsc
    }

    /// Asks it to do something now.
    pub(crate) fn ask(&self, what: &Value) {
        let mut input = self.input.lock().unwrap();
        writeln!(input, "{what}").unwrap();
        input.flush().unwrap();
    }

    /// All that it had to say of one kind by now: what it says reaches us later than its answers do.
    pub(crate) async fn so_far(&self, event: &str) -> Vec<Value> {
        let echo = self.echoes.fetch_add(1, Ordering::Relaxed) + 1;
        self.ask(&json!({ "echo": echo }));
        port::eventually("the centre's echo", || {
            let heard = self.heard("echo");
            heard.iter().any(|line| line["echo"] == echo).then_some(())
        })
        .await;
        self.heard(event)
    }

    fn heard(&self, event: &str) -> Vec<Value> {
        let said = self.said.lock().unwrap();
        let mine = said.iter().filter(|line| line["event"] == event);
        mine.cloned().collect()
    }

    /// What it said of one kind, once there is so much.
    pub(crate) async fn said(&self, event: &str, count: usize) -> Vec<Value> {
        port::eventually(&format!("{count} times `{event}` of the centre"), || {
            let said = self.heard(event);
            (said.len() >= count).then_some(said)
        })
        .await
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What is wanted of a centre that answers each message in turn like this.
pub(crate) fn answering(acts: &[&str]) -> Value {
    json!({ "submit": acts })
}
