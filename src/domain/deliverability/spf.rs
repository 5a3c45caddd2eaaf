//! Owns reading SPF records (RFC 7208): who may send for a domain, and what that costs a receiver to find out.

/// How many terms that need a look-up a record may have, with those that it includes (§4.6.4).
pub(super) const MOST_LOOKUPS: u32 = 10;

/// A record as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    /// The domains whose records it includes; all of these are looked up.
    pub(super) includes: Vec<String>,
    /// The domain whose record counts in its place.
    pub(super) redirect: Option<String>,
    /// Its other terms that need a look-up: `a`, `mx`, `ptr`, `exists`.
    pub(super) lookups: u32,
    /// What becomes of everybody else: `-`, `~`, `?`, `+`; none: nothing is said.
    pub(super) all: Option<char>,
}

/// Why a text is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no term of SPF")]
pub(super) struct BadTerm(pub String);

/// Those of a name's texts that are SPF records (§4.5).
pub(super) fn records(texts: &[String]) -> Vec<&str> {
    let is_record = |text: &&String| {
        let rest = text.get(..6).filter(|v| v.eq_ignore_ascii_case("v=spf1"));
        rest.is_some() && matches!(text.as_bytes().get(6), None | Some(b' '))
    };
    texts.iter().filter(is_record).map(String::as_str).collect()
}

/// Reads what stands behind `v=spf1`.
pub(super) fn read(record: &str) -> Result<Record, BadTerm> {
    let mut read = Record::default();
    for term in record.split_ascii_whitespace().skip(1) {
        take(&mut read, term).ok_or_else(|| BadTerm(term.to_owned()))?;
    }
    Ok(read)
}

fn take(record: &mut Record, term: &str) -> Option<()> {
    if let Some((name, value)) = modifier(term) {
        if name.eq_ignore_ascii_case("redirect") {
            if record.redirect.is_some() || value.is_empty() {
                return None;
            }
            record.redirect = Some(value.to_owned());
        }
        return Some(());
    }
    let qualifier = term.chars().next().filter(|c| "+-~?".contains(*c));
    let mechanism = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
    let end = mechanism.find([':', '/']).unwrap_or(mechanism.len());
    let (name, rest) = mechanism.split_at(end);
    let value = rest.strip_prefix(':');
    match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => record.all = Some(qualifier.unwrap_or('+')),
        "include" => record.includes.push(named(value)?),
        "a" | "mx" => record.lookups += 1,
        "ptr" => record.lookups += 1,
        "exists" => {
            named(value)?;
            record.lookups += 1;
        }
        "ip4" => network::<std::net::Ipv4Addr>(value?, 32)?,
        "ip6" => network::<std::net::Ipv6Addr>(value?, 128)?,
        _ => return None,
    }
    Some(())
}

fn named(value: Option<&str>) -> Option<String> {
    value.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// `name=value`, where the name has letters, digits, `-`, `_` and `.` only (§12).
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(allowed);
    fits.then_some((name, value))
}

fn network<A: std::str::FromStr>(text: &str, width: u8) -> Option<()> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, prefix.parse().ok()?),
        None => (text, width),
    };
    let fits = address.parse::<A>().is_ok() && prefix <= width;
    fits.then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_from_other_texts() {
        let texts = ["v=spf1 -all", "v=spf10 -all", "V=SPF1", "google-site=1", ""];
        let texts = texts.map(str::to_owned);
        assert_eq!(records(&texts), ["v=spf1 -all", "V=SPF1"]);
    }

    #[test]
    fn what_needs_a_lookup_is_counted() {
        let text = "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a mx:mail.example.com/24 \
                    exists:%{i}.x.example include:_spf.example.com ~all exp=why.example.com";
        let record = read(text).unwrap();
        assert_eq!(record.includes, ["_spf.example.com"]);
        assert_eq!((record.lookups, record.all), (3, Some('~')));
        let redirected = read("v=spf1 redirect=_spf.example.com").unwrap();
        assert_eq!(redirected.redirect.as_deref(), Some("_spf.example.com"));
        assert_eq!(redirected.all, None);
    }

    #[test]
    fn a_term_that_is_none_is_named() {
        for term in [
            "ip4:192.0.2.256",
            "ip4:192.0.2.0/33",
            "ip6:192.0.2.1",
            "include:",
            "include",
            "exists:",
            "all:x",
            "ipv4:192.0.2.1",
            "redirect=",
        ] {
            let bad = read(&format!("v=spf1 {term} -all"));
            assert_eq!(bad, Err(BadTerm(term.to_owned())));
        }
    }
}
