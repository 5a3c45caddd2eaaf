//! A workspace in a folder of its own, and the program run on it as a person runs it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(super) struct Desk {
    pub(super) folder: TempDir,
}

/// The workspace that `init` makes, with its customers imported.
pub(super) fn started() -> Desk {
    let desk = Desk {
        folder: TempDir::new().unwrap(),
    };
    desk.text("init .");
    desk
}

/// A copy of the repository's own workspace.
pub(super) fn lakeside() -> Desk {
    let desk = Desk {
        folder: TempDir::new().unwrap(),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["drumbeat.yaml", "channels", "flows", "examples"] {
        copy(&root.join(name), &desk.folder.path().join(name));
    }
    desk
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

impl Desk {
    pub(super) fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    pub(super) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drumbeat"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env("USER", "mara")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    pub(super) fn text(&self, words: &str) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.text(&format!("{words} --format json"))).unwrap()
    }

    /// The exit code, and what went to stderr.
    pub(super) fn refused(&self, words: &str) -> (Option<i32>, String) {
        let output = self.run(words);
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    }
}

pub(super) fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}
