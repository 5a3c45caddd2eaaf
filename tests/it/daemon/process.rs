//! Owns a running daemon with a workspace of its own; it ends with the test.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use drumbeat::domain::ids::{NameNo, RevisionNo};
use drumbeat::domain::revision::NameKind;
use drumbeat::store::{FlowState, Store};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::rig::port;

pub(super) const FLOW: &str = r#"flow: welcome
name: Welcome
category: onboarding
group: retail
segment: { where: { all: [ { field: city, is: Lyon } ] } }
steps:
  - { id: hello, after: 1h, email: { subject: Hello, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
  - { id: again, after: 1h, email: { subject: Again, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
"#;

const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
"#;

const CHANNEL: &str = r#"channel: email
gateway: { file: { folder: var/messages } }
from: "Lakeside <hello@lakeside.example>"
"#;

pub(super) struct Place {
    folder: TempDir,
    pub(super) port: u16,
}

pub(super) struct Running {
    pub(super) child: Child,
    pub(super) store: Store,
}

impl Place {
    /// A workspace with one flow and two customers, one of whom qualifies.
    pub(super) async fn new() -> Self {
        let place = Self {
            folder: TempDir::new().unwrap(),
            port: port::free(),
        };
        std::fs::create_dir(place.path().join("flows")).unwrap();
        let settings = format!("workspace: test\nlisten: \"127.0.0.1:{}\"\n", place.port);
        place.write("drumbeat.yaml", &settings);
        place.write("email.yaml", CHANNEL);
        place.write("flows/policy.yaml", POLICY);
        place.write("flows/welcome.yaml", FLOW);
        place.write(
            "customers.csv",
            "id,email,city\nana,ana@example.com,Lyon\nbo,bo@example.com,Paris\n",
        );
        let imported = place
            .command(&["import", "customers.csv"])
            .status()
            .await
            .unwrap();
        assert!(imported.success());
        place
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drumbeat"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("DRUMBEAT_LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts the daemon and waits until it serves.
    pub(super) async fn run(&self) -> Running {
        let child = self.command(&["run"]).spawn().unwrap();
        port::open(self.port).await;
        let store = self.store().await;
        Running { child, store }
    }

    /// Its store, opened once more.
    pub(super) async fn store(&self) -> Store {
        let url = format!("sqlite://{}", self.path().join("var/drumbeat.db").display());
        Store::open(&url, Path::new("")).await.unwrap()
    }

    /// Runs a command to its good end, and gives what it said.
    pub(super) async fn said(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {problem}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The facts that a command prints.
    pub(super) async fn facts(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [arguments, &["--format", "json"]].concat();
        serde_json::from_str(&self.said(&arguments).await).unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = reqwest::get(url).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Running {
    /// Waits for a revision later than `than`.
    pub(super) async fn revision_after(&self, than: RevisionNo) -> RevisionNo {
        self.until("a later revision", async |store| {
            let current = store.current_revision_no().await.unwrap()?;
            (current > than).then_some(current)
        })
        .await
    }

    pub(super) async fn revision(&self) -> RevisionNo {
        self.store.current_revision_no().await.unwrap().unwrap()
    }

    pub(super) async fn flow_state(&self) -> FlowState {
        let flow = self.number(NameKind::Flow, "welcome").await;
        self.store
            .flow_states()
            .await
            .unwrap()
            .remove(&flow)
            .unwrap()
    }

    pub(super) async fn number(&self, kind: NameKind, name: &str) -> NameNo {
        self.store
            .numbers()
            .await
            .unwrap()
            .number(kind, name)
            .unwrap()
    }

    pub(super) async fn until<T>(
        &self,
        awaited: &str,
        look: impl AsyncFn(&Store) -> Option<T>,
    ) -> T {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            let mut beat = tokio::time::interval(Duration::from_millis(5));
            loop {
                if let Some(found) = look(&self.store).await {
                    return found;
                }
                beat.tick().await;
            }
        });
        waited
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {awaited}"))
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Stops it as a service manager does, and gives its exit code.
    pub(super) async fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        ended.expect("it stops in time").unwrap().code()
    }
}
