//! Owns programs of others that say what they hear: a JSON object a line, with its kind as `event`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::port;

/// A running program; it ends when this is dropped.
pub(crate) struct Lines {
    child: Child,
    input: Mutex<ChildStdin>,
    said: Arc<Mutex<Vec<Value>>>,
}

impl Lines {
    /// Started, and at which port it listens.
    pub(crate) async fn listening(mut command: Command) -> (Self, u16) {
        let mut child = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("the program speaks JSON");
                heard.lock().unwrap().push(line);
            }
        });
        let lines = Self {
            input: Mutex::new(child.stdin.take().unwrap()),
            child,
            said,
        };
        let listening = lines.said("listening", 1).await;
        let port = u16::try_from(listening[0]["port"].as_u64().unwrap()).unwrap();
        (lines, port)
    }

    /// Asks it to do something now.
    pub(crate) fn ask(&self, what: &Value) {
        let mut input = self.input.lock().unwrap();
        writeln!(input, "{what}").unwrap();
        input.flush().unwrap();
    }

    /// What reached us of one kind by now.
    pub(crate) fn so_far(&self, event: &str) -> Vec<Value> {
        let said = self.said.lock().unwrap();
        let mine = said.iter().filter(|line| line["event"] == event);
        mine.cloned().collect()
    }

    /// What it said of one kind, once there is so much.
    pub(crate) async fn said(&self, event: &str, count: usize) -> Vec<Value> {
        port::eventually(&format!("{count} times `{event}`"), || {
            let said = self.so_far(event);
            (said.len() >= count).then_some(said)
        })
        .await
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
