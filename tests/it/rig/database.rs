//! Owns a database of a test's own on a PostgreSQL that many tests share.
#![expect(
    clippy::disallowed_methods,
    reason = "the PostgreSQL of a run is started outside"
)]

use std::process::Command;
use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use super::citus::Spread;
use super::postgres::{Cluster, create_database, psql, psql_command};

/// Names the PostgreSQL of a whole run, which `scripts/test` starts and stops.
const OF_THE_RUN: &str = "DRUMBEAT_TEST_POSTGRES";
/// Without one, the tests of a process share theirs; it ends with the last that uses it.
static OF_THE_PROCESS: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

/// Empty at first, unless it is on Citus, and gone when this is dropped, whoever is still connected.
pub(crate) struct Database {
    url: String,
    server: String,
    spread: Option<Spread>,
    _ours: Option<Arc<Cluster>>,
}

impl Database {
    /// Sorts by code points, as locale `C` does.
    pub(crate) async fn fresh() -> Self {
        Self::with("").await
    }

    /// Sorts as people of a language do, such as `en-US`, by the rules of ICU.
    pub(crate) async fn sorted_for(language: &str) -> Self {
        Self::with(&format!("LOCALE_PROVIDER icu ICU_LOCALE '{language}'")).await
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What statements answer, past the store.
    pub(crate) async fn psql(&self, sql: &str) -> String {
        psql(&self.url, sql).await.unwrap()
    }

    /// Whether it is on Citus.
    pub(crate) fn is_spread(&self) -> bool {
        self.spread.is_some()
    }

    async fn with(options: &str) -> Self {
        if let Some(spread) = Spread::create(options).await {
            let url = spread.url();
            return Self {
                server: url.clone(),
                url,
                spread: Some(spread),
                _ours: None,
            };
        }
        let (server, ours) = server().await;
        Self {
            url: create_database(&server, options).await,
            server,
            spread: None,
            _ours: ours,
        }
    }

    fn removals(&self) -> Vec<Command> {
        if let Some(spread) = &self.spread {
            return spread.removals();
        }
        let (_, name) = self.url.rsplit_once('/').unwrap();
        let sql = format!("DROP DATABASE {name} WITH (FORCE)");
        vec![psql_command(&self.server, &sql)]
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        for mut removal in self.removals() {
            let output = removal.output().unwrap();
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() || std::thread::panicking(),
                "{words}"
            );
        }
    }
}

async fn server() -> (String, Option<Arc<Cluster>>) {
    if let Ok(url) = std::env::var(OF_THE_RUN) {
        return (url, None);
    }
    let mut ours = OF_THE_PROCESS.lock().await;
    let cluster = if let Some(cluster) = ours.upgrade() {
        cluster
    } else {
        Arc::new(Cluster::start().await)
    };
    *ours = Arc::downgrade(&cluster);
    (cluster.url(), Some(cluster))
}
