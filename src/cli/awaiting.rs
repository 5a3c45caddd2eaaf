//! Owns how a revision is told that waits for somebody to agree.

use super::columns::counted;
use crate::domain::approval::Awaiting;

/// How many flows are named at most.
const FEW: usize = 4;

/// What it would do, and what to type.
pub(super) fn words(awaiting: &Awaiting) -> String {
    let number = awaiting.revision.0;
    let commit = awaiting.commit.as_deref();
    let commit = commit.map_or_else(String::new, |commit| format!(" (commit {})", short(commit)));
    let reach = &awaiting.reach;
    let flows = reach.enters.iter().take(FEW);
    let flows: Vec<String> = flows
        .map(|(flow, customers)| format!("{flow} {}", counted(*customers)))
        .collect();
    let more = match reach.enters.len().saturating_sub(FEW) {
        0 => String::new(),
        more => format!(" and {more} more flows"),
    };
    let what = format!(
        "revision {number}{commit} would newly let in {} customers ({}{more}), and above {} somebody must agree",
        counted(reach.customers()),
        flows.join(", "),
        counted(reach.above),
    );
    match &awaiting.approved {
        Some(approved) => format!(
            "{what}: {} did, it is in force once a daemon reads the files",
            approved.by
        ),
        None => format!("{what}: `drumbeat approve {number} --by NAME`"),
    }
}

fn short(commit: &str) -> String {
    commit.chars().take(9).collect()
}
