//! Owns reading DMARC records (RFC 7489): what a domain asks receivers to do, and which domains count as the same.

use super::{tag, tags};

/// What receivers are asked to do with what fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    None,
    Quarantine,
    Reject,
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) policy: Policy,
    /// Whether DKIM's domain must be the very same (§3.1.1).
    pub(super) strict_dkim: bool,
    /// Whether the return path's domain must be the very same (§3.1.2).
    pub(super) strict_spf: bool,
}

/// Those of a name's texts that are DMARC records (§6.6.3).
pub(super) fn records(texts: &[String]) -> Vec<&str> {
    let is_record = |text: &&String| {
        let first = text.split(';').next().unwrap_or_default();
        let version = first.split_once('=').map(|(v, one)| (v.trim(), one.trim()));
        version == Some(("v", "DMARC1"))
    };
    texts.iter().filter(is_record).map(String::as_str).collect()
}

/// Reads a record; none, when it has no policy that can be read.
pub(super) fn read(record: &str) -> Option<Record> {
    let tags = tags(record)?;
    let policy = match tag(&tags, "p")?.to_ascii_lowercase().as_str() {
        "none" => Policy::None,
        "quarantine" => Policy::Quarantine,
        "reject" => Policy::Reject,
        _ => return None,
    };
    let strict = |name| tag(&tags, name).is_some_and(|mode| mode.eq_ignore_ascii_case("s"));
    Some(Record {
        policy,
        strict_dkim: strict("adkim"),
        strict_spf: strict("aspf"),
    })
}

/// Whether a domain counts as that of the sender. Without strictness one of them within the other is
/// enough, which is what the public list of suffixes comes to for all but sister domains.
pub(super) fn is_aligned(from: &str, other: &str, strict: bool) -> bool {
    let (from, other) = (normal(from), normal(other));
    let within = |inner: &str, outer: &str| {
        inner
            .strip_suffix(outer)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    from == other || (!strict && (within(&from, &other) || within(&other, &from)))
}

fn normal(domain: &str) -> String {
    domain.trim_end_matches('.').to_ascii_lowercase()
}

/// The names at which the record of a domain is looked for, in their order: its own, then those above it
/// (RFC 9091, and what the organizational domain comes to), but no single label.
pub(super) fn names(domain: &str) -> Vec<String> {
    let domain = normal(domain);
    let mut names = Vec::new();
    let mut rest = domain.as_str();
    while rest.contains('.') {
        names.push(format!("_dmarc.{rest}"));
        rest = rest.split_once('.').map_or("", |(_, above)| above);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_its_policy_and_how_strict_it_is() {
        let texts = [
            "v=DMARC1; p=reject; adkim=s; rua=mailto:x@example.com",
            "v=DMARC2; p=none",
        ];
        let texts = texts.map(str::to_owned);
        let found = records(&texts);
        assert_eq!(found.len(), 1);
        let record = read(found[0]).unwrap();
        assert_eq!(record.policy, Policy::Reject);
        assert_eq!((record.strict_dkim, record.strict_spf), (true, false));
        assert_eq!(read("v=DMARC1; p=perhaps"), None);
        assert_eq!(read("v=DMARC1"), None);
    }

    #[test]
    fn domains_within_each_other_are_the_same_unless_it_is_strict() {
        for (from, other, relaxed, strict) in [
            ("bank.example", "bank.example", true, true),
            ("bank.example", "BANK.example.", true, true),
            ("bank.example", "mail.bank.example", true, false),
            ("news.bank.example", "bank.example", true, false),
            ("bank.example", "otherbank.example", false, false),
            ("bank.example", "bank.test", false, false),
        ] {
            assert_eq!(is_aligned(from, other, false), relaxed, "{from} {other}");
            assert_eq!(is_aligned(from, other, true), strict, "{from} {other}");
        }
    }

    #[test]
    fn a_record_is_looked_for_at_the_domain_and_above_it() {
        assert_eq!(
            names("news.bank.example"),
            ["_dmarc.news.bank.example", "_dmarc.bank.example"]
        );
    }
}
