//! Owns a process's connections to a server, and giving up on them when it does not answer.
//!
//! Nothing tells a client that packets to its server are lost: it would wait as long as the system
//! sends them again, which is about a quarter of an hour (`tcp_retries2`, tcp(7)).

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use super::dialect::Dialect;
use super::shards::Shards;

/// A connection that is not used answers within this, or is closed.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// What waits for the server waits no longer when it is let go.
#[derive(Debug, Clone)]
pub(super) struct Lifeline(watch::Sender<u64>);

/// A pool of connections, and what ends waiting on them.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) pool: PgPool,
    pub(super) lifeline: Lifeline,
    /// Which buckets lie together, on Citus.
    pub(super) shards: Option<Arc<Shards>>,
}

/// A connection that goes back to its pool when this is dropped, with an open transaction undone. One
/// that does not answer then is closed.
pub(super) struct Line {
    connection: Option<PoolConnection<Postgres>>,
    lifeline: Lifeline,
    /// A transaction may be open.
    open: bool,
}

impl Lifeline {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Whatever waits now ends as if its connection had been lost.
    pub(super) fn let_go(&self) {
        self.0.send_modify(|times| *times += 1);
    }

    pub(super) async fn hold<T>(
        &self,
        asked: impl Future<Output = sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let mut times = self.0.subscribe();
        tokio::select! {
            biased;
            answer = asked => answer,
            _let_go = times.changed() => Err(silent()),
        }
    }
}

impl Server {
    pub(super) fn dialect(&self) -> Dialect {
        match self.shards {
            Some(_) => Dialect::Citus,
            None => Dialect::Postgres,
        }
    }

    pub(super) async fn line(&self) -> sqlx::Result<Line> {
        let connection = self.lifeline.hold(Box::pin(self.pool.acquire())).await?;
        Ok(Line {
            connection: Some(connection),
            lifeline: self.lifeline.clone(),
            open: false,
        })
    }

    /// A connection with a transaction, begun by this statement.
    pub(super) async fn begin(&self, statement: &'static str) -> sqlx::Result<Line> {
        let mut line = self.line().await?;
        line.open = true;
        line.say(statement).await?;
        Ok(line)
    }
}

impl Line {
    /// Ends the transaction, by `COMMIT` or `ROLLBACK`.
    pub(super) async fn end(mut self, statement: &'static str) -> sqlx::Result<()> {
        self.say(statement).await?;
        self.open = false;
        Ok(())
    }

    async fn say(&mut self, statement: &'static str) -> sqlx::Result<()> {
        let lifeline = self.lifeline.clone();
        let said = sqlx::raw_sql(statement).execute(&mut **self);
        lifeline.hold(said).await.map(|_| ())
    }
}

impl Deref for Line {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        let connection = self.connection.as_ref();
        connection.expect("it is there until it is dropped")
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut PgConnection {
        let connection = self.connection.as_mut();
        connection.expect("it is there until it is dropped")
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.connection.take(), Handle::try_current())
        else {
            return;
        };
        drop(runtime.spawn(timeout(ANSWERS_WITHIN, give_back(connection, self.open))));
    }
}

/// What a pool does by itself, but it would wait for an answer without end.
async fn give_back(mut connection: PoolConnection<Postgres>, open: bool) {
    connection.close_on_drop();
    if open && let Err(error) = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await {
        tracing::debug!(%error, "a transaction ends with its connection");
        return;
    }
    connection.return_to_pool().await;
}

fn silent() -> sqlx::Error {
    let kind = io::ErrorKind::TimedOut;
    io::Error::new(kind, "the database does not answer").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_let_go_and_whoever_comes_later_is_not() {
        let lifeline = Lifeline::new();
        let waits = lifeline.hold(std::future::pending::<sqlx::Result<()>>());
        let (waited, ()) = tokio::join!(waits, async { lifeline.let_go() });
        assert!(
            matches!(waited, Err(sqlx::Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut)
        );
        let answered = lifeline.hold(async { Ok(1) }).await;
        assert_eq!(answered.unwrap(), 1);
    }
}
