//! Owns where the files of a node stand beside those of the others on the same store.

use crate::domain::ids::RevisionNo;
use crate::store::{Result, Store};

/// Where the files of a node stand beside what the nodes of its store run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// What runs is what the files say, or it may be made so, as what comes after this revision.
    Ours { after: Option<RevisionNo> },
    /// The files are those of an older revision, and other nodes run what came later: no node fights
    /// for what it happens to have.
    Differs { revision: RevisionNo },
}

/// What there is to judge by.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// The revision in force.
    current: Option<RevisionNo>,
    /// The last revision that was made from the files as they are.
    made: Option<RevisionNo>,
    /// The last one that was made from the files that this node had until now.
    before: Option<RevisionNo>,
    /// Whether other nodes run the revision in force, or will in a moment.
    others_run: bool,
}

impl Agreement {
    /// `before` is the hash of the files that this node had until now, if it had any.
    pub(super) async fn of(store: &Store, hash: &str, before: Option<&str>) -> Result<Self> {
        // First: after whatever comes later nothing can be published that was judged by this.
        let current = store.current_revision_no().await?;
        let before = match before {
            Some(before) => store.revision_of(before).await?,
            None => None,
        };
        Ok(judge(Known {
            current,
            made: store.revision_of(hash).await?,
            before,
            others_run: store.others_run().await?,
        }))
    }
}

fn judge(known: Known) -> Agreement {
    let after = known.current;
    match known.made {
        // Whoever had what runs, and changes it back, means it.
        Some(revision)
            if known.made != known.current && known.before != known.current && known.others_run =>
        {
            Agreement::Differs { revision }
        }
        _ => Agreement::Ours { after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_files_are_published_when_nobody_else_runs_or_when_they_were_changed_back() {
        let after = Some(RevisionNo(3));
        let (ours, older) = (
            Agreement::Ours { after },
            Agreement::Differs {
                revision: RevisionNo(2),
            },
        );
        let (starting, had_older, had_what_runs) = (None, Some(1), Some(3));
        for (made, before, others_run, expected) in [
            // Files that were never published.
            (None, starting, true, ours),
            (None, had_older, true, ours),
            // Those of what runs.
            (Some(3), starting, true, ours),
            (Some(3), had_older, true, ours),
            // Older ones.
            (Some(2), starting, true, older),
            (Some(2), had_older, true, older),
            (Some(2), had_what_runs, true, ours),
            (Some(2), starting, false, ours),
            (Some(2), had_older, false, ours),
        ] {
            let known = Known {
                current: after,
                made: made.map(RevisionNo),
                before: before.map(RevisionNo),
                others_run,
            };
            assert_eq!(judge(known), expected, "{known:?}");
        }
    }

    #[test]
    fn the_first_revision_comes_after_none() {
        let known = Known {
            current: None,
            made: None,
            before: None,
            others_run: false,
        };
        assert_eq!(judge(known), Agreement::Ours { after: None });
    }
}
