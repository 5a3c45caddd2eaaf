//! Owns what a relay's answer, or its silence, means for a mail: by stage, reply code and enhanced code.

use crate::channels::detail::clean;
use crate::domain::dispatch::{DeferCause, Fault, Outcome};

use super::domains::Mood;
use super::reply::Reply;
use super::stage::{Cause, Failure, Stage};

/// Commands out of order, or encryption or authentication missing (RFC 4954 §6): never a mail's fault.
const NOT_LET_IN: [u16; 5] = [503, 530, 534, 535, 538];

/// What one try came to (RFC 5321 §4.2.1: 4yz try again, 5yz do not).
pub(super) fn outcome(result: Result<Reply, Failure>) -> Outcome {
    match result {
        Ok(reply) => Outcome::Accepted {
            gateway_id: reply.queued_as(),
            detail: clean(&reply.to_string()),
        },
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Outcome {
    let detail = failure.detail();
    match &failure.cause {
        Cause::Said(reply) => said(failure.stage, reply, detail),
        Cause::Recalled(recalled) => (*recalled).into(),
        _ if failure.stage == Stage::Dot => Outcome::Uncertain { detail },
        _ => deferred(detail, DeferCause::Gateway),
    }
}

fn said(stage: Stage, reply: &Reply, detail: String) -> Outcome {
    if stage < Stage::Mail || NOT_LET_IN.contains(&reply.code) {
        return deferred(detail, DeferCause::Gateway);
    }
    match (reply.class(), reply.enhanced()) {
        (4, _) if reply.code == 421 => deferred(detail, DeferCause::Throttled),
        (4, Some((4, 7, _))) => deferred(detail, DeferCause::Throttled),
        (4, _) => deferred(detail, DeferCause::Message),
        // The sender's daily limit: tomorrow is another day, for every mail alike.
        (5, Some((5, 4, 5))) => deferred(detail, DeferCause::Throttled),
        (5, _) => Outcome::Refused {
            detail,
            fault: fault(stage, reply),
        },
        _ if stage == Stage::Dot => Outcome::Uncertain { detail },
        _ => deferred(detail, DeferCause::Gateway),
    }
}

fn deferred(detail: String, cause: DeferCause) -> Outcome {
    Outcome::Deferred {
        detail,
        retry_after: None,
        cause,
    }
}

/// RFC 3463 §3.2 and §3.3, and RFC 7505 for 5.1.10: nobody has this address. At MAIL the codes
/// speak of the sender, and without an enhanced code only RCPT is about the address.
fn fault(stage: Stage, reply: &Reply) -> Fault {
    match reply.enhanced() {
        Some((5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1)) if stage > Stage::Mail => Fault::Address,
        Some((5, 2, 2)) if is_left(reply) => Fault::Address,
        Some((5, 7, _)) if stage == Stage::Mail => Fault::Policy,
        Some((5, 7, detail)) if against_the_sender(detail) => Fault::Policy,
        None if stage == Stage::Rcpt && matches!(reply.code, 550 | 551 | 553 | 556) => {
            Fault::Address
        }
        _ => Fault::Message,
    }
}

/// Gmail's word for a mailbox that is full because nobody reads it any more.
fn is_left(reply: &Reply) -> bool {
    reply.words.to_ascii_lowercase().contains("inactive")
}

/// Of 5.7.x (RFC 3463 §3.8, RFC 7293, RFC 7372, and what Microsoft adds above 100): what is against our domain,
/// address or authentication, and so against every mail.
fn against_the_sender(detail: u16) -> bool {
    match detail {
        // A list, a mailbox or a feature of this mail; 5.7.1xx: whom one mailbox takes mail from.
        0..=7 | 12 | 15..=19 | 100..=199 => false,
        _ => true,
    }
}

/// Whether it may mean this recipient, this content, or all of our mail: 5.7.1 says each of them. One mailbox
/// that takes no mail from outside must not stop a channel; that nothing is taken any more must.
pub(super) fn is_doubtful(result: &Result<Reply, Failure>) -> bool {
    let Err(failure) = result else {
        return false;
    };
    let Cause::Said(reply) = &failure.cause else {
        return false;
    };
    if failure.stage <= Stage::Mail || reply.class() != 5 || NOT_LET_IN.contains(&reply.code) {
        return false;
    }
    match reply.enhanced() {
        Some((5, 7, detail)) => matches!(detail, 0 | 1 | 12 | 100..=199),
        Some(_) => false,
        None => failure.stage > Stage::Rcpt && matches!(reply.code, 550 | 554),
    }
}

/// Before RCPT the relay speaks of itself. 4.7.28 is Gmail's word for too much at once, 4.7.5xx and 4.7.6xx Microsoft's.
pub(super) fn mood(result: &Result<Reply, Failure>) -> Mood {
    let Err(failure) = result else {
        return Mood::Takes;
    };
    match &failure.cause {
        Cause::Said(reply) if failure.stage > Stage::Mail => match (reply.code, reply.enhanced()) {
            (421, _) | (_, Some((4, 7, 28 | 500..=699))) => Mood::Busy,
            _ => Mood::Unknown,
        },
        _ => Mood::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn short(outcome: &Outcome) -> String {
        match outcome {
            Outcome::Accepted { .. } => "accepted".to_owned(),
            Outcome::Deferred { cause, .. } => format!("deferred {cause:?}"),
            Outcome::Refused { fault, .. } => format!("refused {fault:?}"),
            Outcome::Uncertain { .. } => "uncertain".to_owned(),
        }
    }

    const TABLE: &[(Stage, &str, &str)] = &[
        (Stage::Greeting, "554 5.7.1 blocked", "deferred Gateway"),
        (Stage::Greeting, "421 4.7.0 busy", "deferred Gateway"),
        (Stage::Ehlo, "500 5.3.0 what", "deferred Gateway"),
        (Stage::StartTls, "454 4.7.0 no", "deferred Gateway"),
        (Stage::Auth, "535 5.7.8 wrong", "deferred Gateway"),
        (
            Stage::Mail,
            "530 5.7.0 must authenticate",
            "deferred Gateway",
        ),
        (Stage::Mail, "503 5.5.1 send AUTH first", "deferred Gateway"),
        (Stage::Mail, "421 4.3.2 closing", "deferred Throttled"),
        (Stage::Mail, "451 4.3.0 later", "deferred Message"),
        (Stage::Mail, "550 5.1.1 sender unknown", "refused Message"),
        (Stage::Mail, "552 5.3.4 too big", "refused Message"),
        (Stage::Rcpt, "550 5.1.1 nobody", "refused Address"),
        (Stage::Rcpt, "553 5.1.2 no host", "refused Address"),
        (Stage::Rcpt, "553 5.1.3 bad syntax", "refused Address"),
        (Stage::Rcpt, "551 5.1.6 moved", "refused Address"),
        (Stage::Rcpt, "556 5.1.10 null MX", "refused Address"),
        (Stage::Rcpt, "550 5.2.1 disabled", "refused Address"),
        (Stage::Rcpt, "550 no such user", "refused Address"),
        (Stage::Rcpt, "554 no", "refused Message"),
        (Stage::Rcpt, "552 5.2.2 full", "refused Message"),
        (Stage::Rcpt, "554 5.7.1 relay denied", "refused Message"),
        (Stage::Rcpt, "550 5.4.5 daily limit", "deferred Throttled"),
        (Stage::Rcpt, "451 4.7.1 greylisted", "deferred Throttled"),
        (Stage::Rcpt, "450 4.2.1 too fast", "deferred Message"),
        (Stage::Rcpt, "452 4.2.2 full", "deferred Message"),
        (Stage::Data, "250 what", "deferred Gateway"),
        (Stage::Data, "554 no valid recipients", "refused Message"),
        (Stage::Dot, "421 4.4.2 closing", "deferred Throttled"),
        (Stage::Dot, "450 4.3.0 later", "deferred Message"),
        (Stage::Dot, "550 spam", "refused Message"),
        (Stage::Dot, "550 5.1.1 nobody", "refused Address"),
        (Stage::Dot, "354 what", "uncertain"),
        (Stage::Rcpt, "556 no mail here", "refused Address"),
        (
            Stage::Rcpt,
            "552 5.2.2 full and inactive",
            "refused Address",
        ),
        (Stage::Rcpt, "550 5.7.0 no", "refused Message"),
        (Stage::Rcpt, "550 5.7.17 owner changed", "refused Message"),
        (Stage::Rcpt, "550 5.7.133 internal only", "refused Message"),
        (Stage::Rcpt, "550 5.7.606 banned", "refused Policy"),
        (Stage::Rcpt, "550 5.7.23 SPF", "refused Policy"),
        (Stage::Rcpt, "552 5.3.4 too big", "refused Message"),
        (Stage::Mail, "550 5.7.1 not you", "refused Policy"),
        (Stage::Mail, "553 5.7.1 not your address", "refused Policy"),
        (Stage::Dot, "550 5.7.26 not aligned", "refused Policy"),
        (
            Stage::Dot,
            "550 5.7.515 not authenticated",
            "refused Policy",
        ),
        (Stage::Dot, "550 5.7.1 unsolicited", "refused Message"),
        (Stage::Dot, "421 4.7.28 rate", "deferred Throttled"),
        (Stage::Dot, "550 5.4.5 daily limit", "deferred Throttled"),
        (Stage::Dot, "552 5.2.2 full", "refused Message"),
        (Stage::Dot, "552 5.3.4 too big", "refused Message"),
        (Stage::Dot, "554 5.6.0 content", "refused Message"),
    ];

    #[test]
    fn each_reply_at_each_stage_has_its_outcome() {
        for &(stage, reply, expected) in TABLE {
            let line = format!("{reply}\r\n");
            let (reply, _) = Reply::take(line.as_bytes()).unwrap().unwrap();
            let outcome = outcome(Err(Failure::new(stage, Cause::Said(reply))));
            assert_eq!(short(&outcome), expected, "{stage:?} {line}");
        }
    }

    #[test]
    fn what_may_mean_one_recipient_or_all_of_our_mail_is_in_doubt() {
        for (stage, reply, expected) in [
            (Stage::Rcpt, "554 5.7.1 relay denied", true),
            (Stage::Dot, "550 5.7.1 unsolicited", true),
            (Stage::Dot, "554 spam", true),
            (Stage::Rcpt, "550 5.7.133 internal only", true),
            (Stage::Rcpt, "550 no such user", false),
            (Stage::Rcpt, "550 5.1.1 nobody", false),
            (Stage::Dot, "552 5.3.4 too big", false),
            (Stage::Dot, "450 4.7.1 later", false),
            (Stage::Mail, "550 5.7.1 not you", false),
            (Stage::Greeting, "554 5.7.1 blocked", false),
        ] {
            let line = format!("{reply}\r\n");
            let (reply, _) = Reply::take(line.as_bytes()).unwrap().unwrap();
            let failure = Failure::new(stage, Cause::Said(reply));
            assert_eq!(is_doubtful(&Err(failure)), expected, "{stage:?} {line}");
        }
    }

    #[test]
    fn a_domain_that_is_busy_says_so_after_it_was_named() {
        for (stage, reply, expected) in [
            (Stage::Rcpt, "421 4.4.5 too many", Mood::Busy),
            (Stage::Dot, "421 4.7.28 rate", Mood::Busy),
            (Stage::Rcpt, "451 4.7.650 limited", Mood::Busy),
            (Stage::Rcpt, "451 4.7.1 greylisted", Mood::Unknown),
            (Stage::Mail, "421 4.3.2 closing", Mood::Unknown),
            (Stage::Rcpt, "550 5.1.1 nobody", Mood::Unknown),
        ] {
            let line = format!("{reply}\r\n");
            let (reply, _) = Reply::take(line.as_bytes()).unwrap().unwrap();
            let failure = Failure::new(stage, Cause::Said(reply));
            assert_eq!(mood(&Err(failure)), expected, "{stage:?} {line}");
        }
    }

    #[test]
    fn without_an_answer_only_the_dot_is_uncertain() {
        for cause in [
            Cause::Lost("reset".to_owned()),
            Cause::Silent(Duration::from_secs(1)),
            Cause::Unfit("babble".to_owned()),
        ] {
            for stage in [
                Stage::Connect,
                Stage::Tls,
                Stage::Mail,
                Stage::Data,
                Stage::Body,
            ] {
                let failure = Failure::new(stage, cause.clone());
                assert_eq!(short(&failed(&failure)), "deferred Gateway", "{stage:?}");
            }
            let failure = Failure::new(Stage::Dot, cause);
            assert_eq!(short(&failed(&failure)), "uncertain");
        }
    }
}
