//! Owns a daemon among others on one database: a folder of its own, and what becomes of its process.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a daemon may take to work, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// It ends with the test, its process at the latest with the thread that started it.
pub(crate) struct Node {
    folder: TempDir,
    /// The network namespace in which it runs; none: the one of everybody.
    island: Option<String>,
    /// What `drumbeat run` is told beside its files, which are the same for all nodes.
    told: Vec<String>,
    /// What its environment holds beside everybody's.
    knows: Vec<(String, String)>,
    child: Option<Child>,
    /// Where it says that it works, as to a service manager.
    notices: UnixDatagram,
}

impl Node {
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let notices = UnixDatagram::bind(folder.path().join("notices")).unwrap();
        let node = Self {
            folder,
            island: None,
            told: Vec::new(),
            knows: Vec::new(),
            child: None,
            notices,
        };
        for (name, text) in files {
            node.write(name, text);
        }
        node
    }

    /// It is to run in this network namespace.
    pub(crate) fn on(mut self, island: &str) -> Self {
        self.island = Some(island.to_owned());
        self
    }

    /// `drumbeat run` is to be told this, too.
    pub(crate) fn told(mut self, option: &str, value: &str) -> Self {
        self.told.extend([option.to_owned(), value.to_owned()]);
        self
    }

    /// Its environment is to hold this, too.
    pub(crate) fn knows(&mut self, name: &str, value: &str) {
        self.knows.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Everything that its daemons said so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// Which start of a daemon the last one here was.
    pub(crate) fn number(&self) -> i64 {
        let number = std::fs::read_to_string(self.path().join("var/drumbeat.node"));
        number.unwrap().trim().parse().unwrap()
    }

    /// A command in its folder, beside its daemon.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig=KILL", "--"]);
        if let Some(island) = &self.island {
            command.args(["/sbin/ip", "netns", "exec", island]);
        }
        command
            .arg(env!("CARGO_BIN_EXE_drumbeat"))
            .args(arguments)
            .current_dir(self.path())
            .env("DRUMBEAT_LOG", "info,tokio_cron_scheduler=warn")
            .envs(self.knows.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts the daemon and waits until it works. As by a service manager, one that cannot reach the
    /// database is started again.
    pub(crate) async fn start(&mut self) {
        let started = timeout(PATIENCE, async { while !self.try_to_start().await {} });
        started
            .await
            .unwrap_or_else(|_| panic!("it did not start:\n{}", self.log()));
    }

    async fn try_to_start(&mut self) -> bool {
        let mut log = File::options();
        let log = log.create(true).append(true).open(self.path().join("log"));
        let told = self.told.iter().map(String::as_str);
        let mut command = self.command(&[&["run"], told.collect::<Vec<_>>().as_slice()].concat());
        command.env("NOTIFY_SOCKET", self.path().join("notices"));
        let child = command.stderr(log.unwrap()).spawn().unwrap();
        let child = self.child.insert(child);
        let mut notice = [0; 256];
        loop {
            tokio::select! {
                said = self.notices.recv(&mut notice) => {
                    let said = String::from_utf8_lossy(&notice[..said.unwrap()]);
                    if said.contains("READY=1") {
                        return true;
                    }
                }
                ended = child.wait() => {
                    let ended = ended.unwrap();
                    assert_eq!(ended.code(), Some(1), "it is not to be started again");
                    return false;
                }
            }
        }
    }

    /// Lets it run; it is not to end by itself.
    pub(crate) async fn runs_for(&mut self, time: Duration) {
        let child = self.child.as_mut().expect("it runs");
        if let Ok(ended) = timeout(time, child.wait()).await {
            panic!("it ended by itself: {ended:?}\n{}", self.log());
        }
    }

    pub(crate) async fn kill(&mut self) {
        self.child.take().expect("it runs").kill().await.unwrap();
    }

    /// The process of its daemon.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    pub(crate) fn signal(&self, signal: &str) {
        let mut command = std::process::Command::new("kill");
        let sent = command.args([signal, &self.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Stops it as a service manager does; its exit code.
    pub(crate) async fn stop(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.ended().await
    }

    /// The exit code of a daemon that was told to stop.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("it runs");
        let ended = timeout(PATIENCE, child.wait()).await;
        ended.expect("it stops in time").unwrap().code()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
        }
    }
}
