//! Owns what a centre's answers, or its silence, mean for a message that went in one part or in several.

use rusmpp::CommandStatus;

use crate::channels::detail::clean;
use crate::domain::dispatch::{DeferCause, Fault, Outcome};

use super::stage::{Cause, Failure, Stage};
use super::status::{self, Meaning};

/// What the centre said to the parts of a message.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Of the parts that were taken, in order; none where the centre gave none.
    pub(super) ids: Vec<Option<String>>,
    pub(super) parts: usize,
}

impl Taken {
    /// All parts were taken.
    pub(super) fn outcome(&self) -> Outcome {
        let ids: Vec<&str> = self.ids.iter().flatten().map(String::as_str).collect();
        let detail = match (self.parts, ids.as_slice()) {
            (1, [id]) => format!("submit_sm: ESME_ROK, id {id}"),
            (1, _) => "submit_sm: ESME_ROK, no id".to_owned(),
            (parts, ids) => format!("submit_sm: ESME_ROK, {parts} parts, ids {}", ids.join(" ")),
        };
        Outcome::Accepted {
            gateway_id: self.ids.first().cloned().flatten(),
            detail: clean(&detail),
        }
    }

    /// The next part was not taken, or nobody knows. Parts that were taken may be on the phone: the
    /// whole is never sent again by itself, and not every part will come, so nothing definite can be
    /// said of it.
    pub(super) fn broken(&self, failure: &Failure) -> Outcome {
        if self.ids.is_empty() {
            return failed(failure);
        }
        let detail = format!(
            "{} of {} parts were taken, then {}",
            self.ids.len(),
            self.parts,
            failure.detail()
        );
        Outcome::Uncertain {
            detail: clean(&detail),
        }
    }
}

fn failed(failure: &Failure) -> Outcome {
    let detail = failure.detail();
    match &failure.cause {
        Cause::Said(status) if failure.stage == Stage::Submit => said(*status, detail),
        Cause::Recalled(recalled) => (*recalled).into(),
        // It was not understood, so it was not taken; and what it cannot read is not this message alone.
        Cause::Nacked(_) => deferred(detail, DeferCause::Gateway),
        _ if failure.stage == Stage::Submit => Outcome::Uncertain { detail },
        _ => deferred(detail, DeferCause::Gateway),
    }
}

fn said(status: CommandStatus, detail: String) -> Outcome {
    match status::meaning(status) {
        Meaning::Taken => Outcome::Accepted {
            gateway_id: None,
            detail,
        },
        Meaning::Throttled => deferred(detail, DeferCause::Throttled),
        Meaning::Centre => deferred(detail, DeferCause::Gateway),
        Meaning::Later => deferred(detail, DeferCause::Message),
        Meaning::DeadAddress => Outcome::Refused {
            detail,
            fault: Fault::Address,
        },
        Meaning::Never => Outcome::Refused {
            detail,
            fault: Fault::Message,
        },
    }
}

fn deferred(detail: String, cause: DeferCause) -> Outcome {
    Outcome::Deferred {
        detail,
        retry_after: None,
        cause,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn without_an_answer_only_what_was_handed_over_is_uncertain() {
        for cause in [
            Cause::Lost("reset".to_owned()),
            Cause::Silent(Duration::from_secs(1)),
            Cause::Unfit("babble".to_owned()),
        ] {
            for stage in [Stage::Connect, Stage::Tls, Stage::Bind, Stage::Bound] {
                let outcome = failed(&Failure::new(stage, cause.clone()));
                let Outcome::Deferred { cause, .. } = outcome else {
                    panic!("{stage:?}: {outcome:?}")
                };
                assert_eq!(cause, DeferCause::Gateway);
            }
            let outcome = failed(&Failure::new(Stage::Submit, cause));
            assert!(matches!(outcome, Outcome::Uncertain { .. }), "{outcome:?}");
        }
    }

    #[test]
    fn parts_that_were_taken_make_the_whole_uncertain_whatever_follows() {
        let taken = Taken {
            ids: vec![Some("a".to_owned()), None],
            parts: 3,
        };
        let status = CommandStatus::EsmeRinvdstadr;
        let failure = Failure::new(Stage::Submit, Cause::Said(status));
        let Outcome::Uncertain { detail } = taken.broken(&failure) else {
            panic!("it is uncertain")
        };
        assert_eq!(
            detail,
            "2 of 3 parts were taken, then submit_sm: ESME_RINVDSTADR (0x0000000B)"
        );
        let none = Taken {
            parts: 3,
            ..Taken::default()
        };
        assert!(matches!(none.broken(&failure), Outcome::Refused { .. }));
    }
}
