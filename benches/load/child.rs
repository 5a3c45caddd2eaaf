//! Owns the processes of phases: each measures its own memory and CPU time.

use std::process::Stdio;

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::measures::Measures;
use crate::place::Place;

/// Runs a phase in a process of its own and reads what it measured.
pub(crate) async fn run(phase: &str, place: &Place) -> Result<Measures> {
    let output = Command::new(std::env::current_exe()?)
        .args(["phase", phase, &serde_json::to_string(place)?])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        let (variant, customers) = (&place.variant, place.customers);
        bail!("the phase `{phase}` of `{variant}` at {customers} customers failed");
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
