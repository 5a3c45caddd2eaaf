//! Owns a private PostgreSQL that a test may stop, let fall and start again.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;

use super::installation::Installation;
use super::port;

const CONFIGURATION: &str = include_str!("postgres.conf");
/// How long a server may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a server is ended; see "Shutting Down the Server" in PostgreSQL's manual.
#[derive(Clone, Copy)]
pub(crate) enum Shutdown {
    /// Breaks off what is going on, and writes everything down.
    Fast,
    /// Ends as after a fall: the next start recovers from the log.
    Immediate,
}

impl Shutdown {
    fn signal(self) -> &'static str {
        match self {
            Self::Fast => "-INT",
            Self::Immediate => "-QUIT",
        }
    }
}

/// A running server with its own data, on one port of 127.0.0.1 and a socket in its folder; it ends
/// when this is dropped, and its data with it.
pub(crate) struct Cluster {
    pub(crate) port: u16,
    settings: Vec<String>,
    server: Option<Server>,
    folder: TempDir,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings such as `fsync=on` that go before those of `postgres.conf`.
    pub(crate) async fn start_with(settings: &[&str]) -> Self {
        Self::start_in(&std::env::temp_dir(), settings).await
    }

    /// With its data below a folder.
    pub(crate) async fn start_in(parent: &Path, settings: &[&str]) -> Self {
        let installation = Installation::get();
        let folder = installation.folder(parent);
        installation.lay_out(folder.path());
        let more = folder.path().join("data/postgresql.auto.conf");
        fs::write(more, CONFIGURATION).unwrap();
        let mut cluster = Self {
            port: lasting_port(),
            settings: settings.iter().map(|&setting| setting.into()).collect(),
            server: None,
            folder,
        };
        // Somebody else may take the port before the server does.
        for _ in 0..5 {
            if cluster.try_to_start().await {
                return cluster;
            }
            cluster.port = lasting_port();
        }
        panic!("PostgreSQL did not start:\n{}", cluster.log());
    }

    /// The database that is always there.
    pub(crate) fn url(&self) -> String {
        format!("postgres://drumbeat@127.0.0.1:{}/postgres", self.port)
    }

    /// The URL of a new and empty database.
    pub(crate) async fn create_database(&self) -> String {
        create_database(&self.url(), "").await
    }

    /// What a statement answers in the database that is always there.
    pub(crate) async fn psql(&self, sql: &str) -> String {
        psql(&self.url(), sql).await.unwrap()
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(|server| server.pid)
    }

    /// Everything the server said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) async fn stop(&mut self, shutdown: Shutdown) {
        let server = self.server.as_ref().expect("the server runs");
        server.signal(shutdown.signal());
        let ended = || server.has_ended().then_some(());
        port::eventually("PostgreSQL to stop", ended).await;
        self.server = None;
    }

    /// On the port it had, with the data it had.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.server.is_none(), "the server runs already");
        let started = self.try_to_start().await;
        assert!(started, "PostgreSQL did not start again:\n{}", self.log());
    }

    pub(crate) async fn restart(&mut self, shutdown: Shutdown) {
        self.stop(shutdown).await;
        self.start_again().await;
    }

    async fn try_to_start(&mut self) -> bool {
        let server = Server::start(self.command());
        let status = self.folder.path().join("data/postmaster.pid");
        let started = port::eventually("PostgreSQL to start", || {
            let ended = server.has_ended().then_some(false);
            ended.or_else(|| is_ready(&status, server.pid).then_some(true))
        });
        let started = started.await;
        self.server = started.then_some(server);
        started
    }

    fn command(&self) -> Command {
        let folder = self.folder.path();
        let mut command = Installation::get().server("postgres", folder);
        command.args(["-D", "data", "-k"]).arg(folder);
        command.args(["-p", &self.port.to_string()]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let mut log = File::options();
        let log = log.create(true).append(true).open(folder.join("log"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(log.unwrap());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.end();
        }
    }
}

/// The server's process, and the thread that started it: the kernel ends the one with the other, and
/// a test's own thread may be gone before others are done with the server.
struct Server {
    pid: u32,
    keeper: JoinHandle<()>,
    /// Hears nothing; it is closed when the process has ended.
    running: Mutex<Receiver<()>>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let (started, pid) = channel();
        let (runs, running) = channel();
        let keeper = thread::spawn(move || {
            let mut child = command
                .spawn()
                .expect("setpriv starts: install the Debian package `util-linux`");
            started.send(child.id()).unwrap();
            child.wait().unwrap();
            drop(runs);
        });
        Self {
            pid: pid.recv().unwrap(),
            keeper,
            running: Mutex::new(running),
        }
    }

    fn has_ended(&self) -> bool {
        self.keeper.is_finished()
    }

    fn signal(&self, signal: &str) {
        let mut command = Command::new("kill");
        let sent = command.args([signal, &self.pid.to_string()]).status();
        assert!(sent.unwrap().success() || self.has_ended());
    }

    fn end(self) {
        if self.has_ended() {
            return;
        }
        self.signal(Shutdown::Fast.signal());
        let running = self.running.lock().unwrap();
        if running.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            self.signal("-KILL");
        }
        drop(running);
        self.keeper.join().unwrap();
    }
}

/// The eighth line of `postmaster.pid` is the state of the process on its first line.
fn is_ready(status: &Path, pid: u32) -> bool {
    let status = fs::read_to_string(status).unwrap_or_default();
    let mut lines = status.lines();
    lines.next() == Some(&pid.to_string()) && lines.nth(6).is_some_and(|it| it.trim() == "ready")
}

/// A port that stays free while the server is down: Linux gives those from 32768 on to whoever
/// connects, even to a client that tries to reach that very port.
fn lasting_port() -> u16 {
    loop {
        let [low, high, ..] = *Uuid::new_v4().as_bytes();
        let port = 20_000 + u16::from_le_bytes([low, high]) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The URL of a new database on the server of `url`; `options` are those of `CREATE DATABASE`.
pub(crate) async fn create_database(url: &str, options: &str) -> String {
    let name = format!("test_{}", Uuid::new_v4().simple());
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0 {options}");
    psql(url, &sql).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// What statements answer, one row a line and `|` between columns; or what is said against them.
pub(crate) async fn psql(url: &str, sql: &str) -> Result<String, String> {
    let mut command = tokio::process::Command::from(psql_command(url, sql));
    let output = command.kill_on_drop(true).output().await.unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

pub(crate) fn psql_command(url: &str, sql: &str) -> Command {
    let mut command = Installation::get().client("psql");
    command.args(["-qXAt", "--set=ON_ERROR_STOP=1"]);
    command.args(["--dbname", url, "--command", sql]);
    command.stdin(Stdio::null());
    command
}
