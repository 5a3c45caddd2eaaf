//! Owns questions that may walk through everybody: few at once, because sending asks the same connections.

use std::panic::resume_unwind;

use super::bind::Bind;
use super::db::Store;
use super::error::{Error, Result};
use super::sql::{Row, composed};

impl Store {
    /// Asks when it is its turn. A database goes on with its answer when nobody waits for it any more,
    /// and only then it is the next one's turn.
    pub(super) async fn scan(&self, sql: String, binds: Vec<Bind>) -> Result<Vec<Row>> {
        let turn = Box::pin(self.scans.clone().acquire_owned()).await;
        let turn = turn.map_err(|error| Error::Unusable(error.to_string()))?;
        let store = self.clone();
        let asked = tokio::spawn(async move {
            let rows = composed(sql, None, binds).persistent(false);
            let rows = rows.fetch_all(store.read()).await;
            drop(turn);
            rows
        });
        match asked.await {
            Ok(rows) => rows,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(error) => Err(Error::Away(format!("the question was broken off: {error}"))),
            },
        }
    }
}
