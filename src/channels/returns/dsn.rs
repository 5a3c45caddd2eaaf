//! Owns reading delivery status notifications (RFC 3464): what became of a mail at each of its recipients.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::fields::Fields;
use super::slip::{Said, Slip};
use super::status::{self, Code, Diagnostic};
use crate::channels::detail::clean;
use crate::domain::news::{Bounce, Fate, Passed};

/// What a report says of one recipient (RFC 3464 §2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Ended(Slip),
    /// It is still tried.
    Delayed,
}

/// Reads the body of a `message/delivery-status`; none: it says nothing of any recipient.
///
/// A mail of ours has one recipient. If a report speaks of several, the address led to them, and nothing
/// worse is said of it than of the one whom the mail came nearest to.
pub(super) fn read(body: &[u8]) -> Option<Said> {
    let groups = Fields::groups(body);
    let parts: Vec<Part> = groups.iter().filter_map(recipient).collect();
    if parts.is_empty() {
        return None;
    }
    let is_waiting = parts.contains(&Part::Delayed);
    let slips = parts.into_iter().filter_map(|part| match part {
        Part::Ended(slip) => Some(slip),
        Part::Delayed => None,
    });
    let Some(mut slip) = slips.min_by_key(|slip| severity(slip.fate)) else {
        return Some(Said::Passed(Passed::Delayed));
    };
    if is_waiting && slip.fate == Fate::Bounced(Bounce::Hard) {
        slip.fate = Fate::Bounced(Bounce::Soft);
    }
    Some(Said::Slip(slip))
}

fn recipient(group: &Fields) -> Option<Part> {
    let action = group.get("action")?.to_ascii_lowercase();
    let action = action.split_whitespace().next()?;
    let status = group.get("status");
    let said = Diagnostic::read(group.get("diagnostic-code").unwrap_or_default());
    let fate = match action {
        "failed" => status::fate(status.and_then(Code::read), &said),
        // What is passed to a list, or to a server that reports nothing, has arrived as far as is known.
        "delivered" | "relayed" | "expanded" => Fate::Delivered,
        "delayed" => return Some(Part::Delayed),
        _ => return None,
    };
    Some(Part::Ended(Slip {
        fate,
        at: group.get("last-attempt-date").and_then(instant),
        detail: detail(status.unwrap_or_default(), said.words),
    }))
}

/// From what is best to what is worst for an address.
fn severity(fate: Fate) -> u8 {
    match fate {
        Fate::Delivered | Fate::Accepted | Fate::Complained => 0,
        Fate::Bounced(Bounce::Soft) => 1,
        Fate::Expired | Fate::Failed => 2,
        Fate::Bounced(Bounce::Policy) => 3,
        Fate::Bounced(Bounce::Hard) => 4,
    }
}

fn detail(status: &str, words: &str) -> String {
    if words.contains(status) {
        clean(words)
    } else {
        clean(&format!("{status} {words}"))
    }
}

fn instant(date: &str) -> Option<Timestamp> {
    let date = rfc2822::parse(date).ok()?;
    Some(date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Reporting-MTA: dns; relay.test\r\nOriginal-Envelope-Id: x\r\n\
        Arrival-Date: Mon, 12 Jan 2026 10:00:00 +0000\r\n\r\n";

    fn group(action: &str, status: &str) -> String {
        format!(
            "Final-Recipient: rfc822; ana@ok.test\r\nOriginal-Recipient: rfc822;ana@ok.test\r\n\
             Action: {action}\r\nStatus: {status}\r\nRemote-MTA: dns; mx.ok.test\r\n\
             Diagnostic-Code: smtp; 550 {status}\r\n    what it said\r\n\
             Last-Attempt-Date: Mon, 12 Jan 2026 11:00:00 +0100\r\n\r\n"
        )
    }

    fn said(groups: &[(&str, &str)]) -> Option<Said> {
        let groups = groups.iter().map(|(action, status)| group(action, status));
        read(format!("{HEAD}{}", groups.collect::<String>()).as_bytes())
    }

    fn fate(groups: &[(&str, &str)]) -> Fate {
        match said(groups) {
            Some(Said::Slip(slip)) => slip.fate,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_failure_is_told_with_its_time_and_the_servers_words() {
        let Some(Said::Slip(slip)) = said(&[("failed", "5.1.1")]) else {
            panic!("nothing is said");
        };
        assert_eq!(slip.fate, Fate::Bounced(Bounce::Hard));
        assert_eq!(slip.at.unwrap().to_string(), "2026-01-12T10:00:00Z");
        assert_eq!(slip.detail, "550 5.1.1 what it said");
    }

    #[test]
    fn a_delay_is_no_bounce_and_what_arrived_arrived() {
        let delayed = Some(Said::Passed(Passed::Delayed));
        assert_eq!(said(&[("delayed", "4.4.1")]), delayed);
        for action in ["delivered", "Relayed", "EXPANDED (to a list)"] {
            assert_eq!(fate(&[(action, "2.0.0")]), Fate::Delivered, "{action}");
        }
        assert_eq!(said(&[("eaten", "5.1.1")]), None);
        assert_eq!(said(&[]), None);
    }

    #[test]
    fn an_address_that_leads_to_several_is_dead_when_all_of_them_are() {
        let (hard, soft) = (Fate::Bounced(Bounce::Hard), Fate::Bounced(Bounce::Soft));
        assert_eq!(fate(&[("failed", "5.1.1"), ("failed", "5.2.1")]), hard);
        assert_eq!(fate(&[("failed", "5.1.1"), ("failed", "4.2.2")]), soft);
        assert_eq!(
            fate(&[("failed", "5.1.1"), ("delivered", "2.0.0")]),
            Fate::Delivered
        );
        assert_eq!(fate(&[("failed", "5.1.1"), ("delayed", "4.4.1")]), soft);
    }
}
