//! Damaged files whose import is killed half-way: nothing valid is lost, nothing invalid is stored.

use std::path::PathBuf;
use std::process::Stdio;

use drumbeat::store::Store;
use serde_json::{Value, json};

use crate::rig::home::Home;
use crate::rig::node::Node;
use crate::rig::port;

const SETTINGS: &str =
    "workspace: lakeside\nzone: America/New_York\nimports: { folder: imports, settle: 0s }\n";
const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
"#;

/// A workspace with a database of its own.
struct Killed {
    node: Node,
    home: Home,
    store: Store,
}

/// A file of so many rows, and how many of them can be taken: of the others some are ragged, some hold
/// bytes that are no text, and a tenth holds an invalid value.
fn damaged(rows: u64) -> (Vec<u8>, u64) {
    let mut file = b"id,first_name,email,born_on\n".to_vec();
    let mut valid = 0;
    for n in 0..rows {
        match n % 40 {
            3 | 13 => file.extend(format!("c{n},José,nobody,2000-01-31\n").bytes()),
            23 | 33 => file.extend(format!("c{n},José,c{n}@example.com,31.02.2000\n").bytes()),
            7 => file.extend(format!("c{n},José\n").bytes()),
            17 => file.extend(format!("c{n},José,c{n}@example.com,,too,many\n").bytes()),
            27 => {
                file.extend(format!("c{n},Jos").bytes());
                file.extend(b"\xff,a@example.com,\n");
            }
            _ => {
                valid += 1;
                file.extend(format!("c{n},José,c{n}@example.com,2000-01-31\n").bytes());
            }
        }
    }
    (file, valid)
}

impl Killed {
    async fn new() -> Self {
        let node = Node::with(&[("drumbeat.yaml", SETTINGS), ("policy.yaml", POLICY)]);
        std::fs::create_dir(node.path().join("imports")).unwrap();
        let home = Home::of_the_run(node.path()).await;
        let listen = format!("127.0.0.1:{}", port::free());
        let node = node.told("--database", &home.url).told("--listen", &listen);
        let store = home.open(node.path()).await;
        Self { node, home, store }
    }

    async fn json(&self, words: &str) -> Value {
        let words: Vec<&str> = words.split_whitespace().collect();
        let words = [
            &words[..],
            &["--database", &self.home.url, "--format", "json"],
        ];
        let mut command = self.node.command(&words.concat());
        let output = command.stdout(Stdio::piped()).output().await.unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn customers(&self) -> u64 {
        self.store.customer_count().await.unwrap()
    }

    async fn until_some_are_stored(&self) {
        let mut beat = tokio::time::interval(std::time::Duration::from_millis(2));
        while self.customers().await == 0 {
            beat.tick().await;
        }
    }

    /// Nobody has a value that was not to be taken.
    async fn is_as_the_valid_rows_say(&self, valid: u64) {
        assert_eq!(self.customers().await, valid);
        let day = "SELECT count(*) FROM customers WHERE fd_born_on IS NOT NULL \
             AND f_first_name = 'José' AND f_email = external_id || '@example.com'";
        assert_eq!(self.home.number(day).await.unsigned_abs(), valid);
    }
}

#[tokio::test]
async fn a_damaged_file_that_is_killed_halfway_is_imported_by_the_next_one_and_taken_back() {
    let killed = Killed::new().await;
    let (file, valid) = damaged(24_000);
    std::fs::write(killed.node.path().join("people.csv"), file).unwrap();
    let import = ["import", "people.csv", "--database", &killed.home.url];
    let mut child = killed.node.command(&import).spawn().unwrap();
    killed.until_some_are_stored().await;
    child.kill().await.unwrap();
    let stored = killed.customers().await;
    assert!(stored < valid, "{stored}");
    let report = killed.json("import people.csv").await;
    let counts = ["read", "created", "unchanged", "rejected"];
    let counts = counts.map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [24_000, valid - stored, stored, 24_000 - valid]);
    killed.is_as_the_valid_rows_say(valid).await;
    let rejects = std::fs::read(killed.node.path().join("people.rejects.csv")).unwrap();
    let lines = String::from_utf8_lossy(&rejects).lines().count() as u64;
    assert_eq!(lines, 24_000 - valid + 1);
    for (import, left) in [(2, stored), (1, 0)] {
        let back = killed.json(&format!("import revert {import}")).await;
        assert_eq!(back["left"], json!(0), "{back}");
        assert_eq!(killed.customers().await, left);
    }
}

#[tokio::test]
async fn a_damaged_file_whose_daemon_is_killed_halfway_is_gone_on_with_and_taken_back() {
    let mut killed = Killed::new().await;
    killed.node.start().await;
    let (file, valid) = damaged(20_000);
    let imports = killed.node.path().join("imports");
    std::fs::write(imports.join("people.csv.part"), file).unwrap();
    std::fs::rename(imports.join("people.csv.part"), imports.join("people.csv")).unwrap();
    killed.until_some_are_stored().await;
    killed.node.kill().await;
    let stored = killed.customers().await;
    assert!(stored < valid, "{stored}");
    killed.node.start().await;
    let is_report = |path: &PathBuf| path.to_string_lossy().ends_with(".report.json");
    let reported = || {
        let files = std::fs::read_dir(imports.join("done")).ok()?;
        let mut files = files.flatten().map(|file| file.path());
        files.find(is_report)
    };
    let report = port::eventually("the report", reported).await;
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let counts = ["read", "created", "unchanged", "rejected"];
    let counts = counts.map(|key| report["counts"][key].as_u64().unwrap());
    assert_eq!(counts, [20_000, valid, 0, 20_000 - valid]);
    killed.is_as_the_valid_rows_say(valid).await;
    let rejects = "SELECT count(*) FROM import_rejects";
    let rejects = killed.home.number(rejects).await.unsigned_abs();
    assert_eq!(rejects, 20_000 - valid);
    let back = killed.json("import revert").await;
    assert_eq!(
        (&back["changed"], &back["left"]),
        (&json!(valid), &json!(0))
    );
    assert_eq!(killed.customers().await, 0);
    assert_eq!(killed.node.stop().await, Some(0));
}
