//! Owns a real browser: Debian's Chromium without a window, driven by W3C `WebDriver` over loopback.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const DRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";
/// How long anything may take that a browser is asked for.
const PATIENCE: Duration = Duration::from_mins(1);

/// It ends with the test, the browser with its driver.
pub(crate) struct Browser {
    client: Client,
    session: String,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        for program in [DRIVER, CHROMIUM] {
            let is_there = Path::new(program).exists();
            assert!(
                is_there,
                "`{program}` is missing: install `chromium` and `chromium-driver`"
            );
        }
        let profile = TempDir::new().unwrap();
        let (driver, address) = drive(profile.path()).await;
        let client = Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let told = client
            .post(format!("{address}/session"))
            .json(&capabilities(profile.path()));
        let told: Value = told.send().await.unwrap().json().await.unwrap();
        let id = told["value"]["sessionId"].as_str();
        let id = id.unwrap_or_else(|| panic!("no browser: {told}"));
        let session = format!("{address}/session/{id}");
        Self {
            client,
            session,
            driver,
            _profile: profile,
        }
    }

    /// Opens a page, and waits until it is loaded.
    pub(crate) async fn open(&self, url: &str) {
        self.ask("url", &json!({ "url": url })).await;
    }

    /// What an expression of JavaScript comes to in the page; of a promise, what it is resolved with.
    pub(crate) async fn run(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             Promise.resolve({expression}).then(done, error => done('failed: ' + error));"
        );
        let body = json!({ "script": script, "args": [] });
        self.ask("execute/async", &body).await
    }

    /// The pages are as wide as on such a screen, in CSS pixels.
    pub(crate) async fn widen(&self, width: u32, is_phone: bool) {
        let size = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": is_phone,
        });
        self.tell("Emulation.setDeviceMetricsOverride", &size).await;
    }

    /// The whole page, also what is below the fold, as a PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        let whole = json!({ "captureBeyondViewport": true });
        let shot = self.tell("Page.captureScreenshot", &whole).await;
        let data = shot["data"].as_str().expect("a picture");
        STANDARD.decode(data).unwrap()
    }

    /// Chromium's own commands (Chrome `DevTools` Protocol).
    async fn tell(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("goog/cdp/execute", &body).await
    }

    async fn ask(&self, what: &str, body: &Value) -> Value {
        let asking = self
            .client
            .post(format!("{}/{what}", self.session))
            .json(body);
        let answer: Value = asking.send().await.unwrap().json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{what}: {answer}");
        answer["value"].clone()
    }

    /// Ends the browser, then its driver.
    pub(crate) async fn quit(mut self) {
        let ending = self.client.delete(&self.session).send().await;
        assert!(ending.unwrap().status().is_success());
        self.driver.kill().await.unwrap();
    }
}

/// The driver on a port of its own choice; it ends with the thread that started it, and whatever it
/// started with it, as processes do whose first one is gone (`pid_namespaces(7)`).
async fn drive(folder: &Path) -> (Child, String) {
    let mut driver = Command::new("setpriv")
        .args(["--pdeathsig=KILL", "--", "unshare", "--pid", "--fork"])
        .args([
            "--kill-child=KILL",
            "--mount-proc",
            "--",
            DRIVER,
            "--port=0",
        ])
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let started = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let port = line.strip_prefix("ChromeDriver was started successfully on port ");
            if let Some(port) = port {
                return port.trim_end_matches('.').to_owned();
            }
        }
        panic!("the driver ended");
    };
    let port = timeout(PATIENCE, started).await.expect("the driver starts");
    // What it says later is read, so that it never waits for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (driver, format!("http://127.0.0.1:{port}"))
}

fn capabilities(profile: &Path) -> Value {
    let profile = format!("--user-data-dir={}", profile.join("profile").display());
    let told = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        &profile,
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "timeouts": { "script": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis() },
        "goog:chromeOptions": { "binary": CHROMIUM, "args": told },
    } } })
}
