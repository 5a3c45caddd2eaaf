//! Owns what this disk and these cores allow: the same work in the plainest form, without Drumbeat.

mod postgres;
mod sqlite;
mod wire;

use std::time::Instant;

use anyhow::Result;

use crate::phases::{Measures, number};
use crate::place::Place;
use crate::process;

/// All limits at a size, and the CPU that the wires' clients took for a message.
pub(crate) async fn run(place: &Place) -> Result<Measures> {
    let mut measures = Measures::new();
    if let Some(server) = &place.server {
        postgres::run(server, place.customers, &mut measures).await?;
    } else {
        let path = place.folder.join("limits.db");
        sqlite::store(&path, place.customers, &mut measures).await?;
    }
    let messages = (place.customers / 10).clamp(5_000, 30_000);
    for (name, pipelined) in [("smtp", false), ("smtp_pipelined", true)] {
        let begun = Instant::now();
        wire::mails(place.ports, messages, pipelined).await?;
        measures.insert(
            name.to_owned(),
            number(messages) / begun.elapsed().as_secs_f64(),
        );
    }
    let begun = Instant::now();
    wire::posts(place.ports, messages).await?;
    measures.insert(
        "http".to_owned(),
        number(messages) / begun.elapsed().as_secs_f64(),
    );
    measures.insert("cpu".to_owned(), process::cpu_seconds()?);
    Ok(measures)
}
