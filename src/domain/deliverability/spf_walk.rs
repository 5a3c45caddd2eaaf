//! Owns following an SPF record through those that it includes, as a receiver does (RFC 7208 §4.6).

use std::collections::BTreeSet;

use super::answers::{Answer, Answers};
use super::spf::{BadTerm, MOST_LOOKUPS, read, records};

/// What a receiver comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Walked {
    Missing,
    /// So many records where one is allowed.
    Several(usize),
    Bad(BadTerm),
    /// What it includes, or is redirected to, has no record of its own.
    Dangling(String),
    /// So many look-ups, and more than are allowed.
    TooMany(u32),
    /// No server said what this name has, and why.
    Silent(String, String),
    /// It can be followed to its end; what becomes of everybody else.
    Whole(Option<char>),
}

/// None: names are still to be asked for.
pub(super) fn walk(domain: &str, answers: &Answers) -> Option<Walked> {
    let mut walk = Walk {
        answers,
        lookups: 0,
        seen: BTreeSet::new(),
    };
    Some(match walk.follow(domain)? {
        Ok(_) if walk.lookups > MOST_LOOKUPS => Walked::TooMany(walk.lookups),
        Ok(all) => Walked::Whole(all),
        Err(why) => why,
    })
}

struct Walk<'a> {
    answers: &'a Answers,
    lookups: u32,
    seen: BTreeSet<String>,
}

impl Walk<'_> {
    fn follow(&mut self, domain: &str) -> Option<Result<Option<char>, Walked>> {
        let texts = match self.answers.texts(domain)? {
            Answer::Texts(texts) => texts,
            Answer::Silence(why) => {
                return Some(Err(Walked::Silent(domain.to_owned(), why.clone())));
            }
        };
        let record = match records(texts)[..] {
            [] => return Some(Err(Walked::Missing)),
            [record] => record,
            [..] => return Some(Err(Walked::Several(records(texts).len()))),
        };
        let record = match read(record) {
            Ok(record) => record,
            Err(bad) => return Some(Err(Walked::Bad(bad))),
        };
        self.lookups += record.lookups;
        let mut is_known = true;
        // What stands behind `all` is not looked at (RFC 7208 §6.1).
        let redirect = record.redirect.iter().filter(|_| record.all.is_none());
        for other in record.includes.iter().chain(redirect) {
            self.lookups += 1;
            // A name of the message's own parts means something else each time.
            let is_fixed = !other.contains('%');
            if is_fixed && self.lookups <= 2 * MOST_LOOKUPS && self.seen.insert(other.clone()) {
                match self.follow(other) {
                    None => is_known = false,
                    Some(Err(Walked::Missing)) => {
                        return Some(Err(Walked::Dangling(other.clone())));
                    }
                    Some(Err(why)) => return Some(Err(why)),
                    Some(Ok(all)) if Some(other) == record.redirect.as_ref() => {
                        return is_known.then_some(Ok(all));
                    }
                    Some(Ok(_)) => {}
                }
            }
        }
        is_known.then_some(Ok(record.all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(records: &[(&str, &[&str])]) -> Walked {
        let mut answers = Answers::default();
        loop {
            if let Some(walked) = walk("bank.example", &answers) {
                return walked;
            }
            for name in answers.wanted() {
                let texts = records.iter().find(|(one, _)| *one == name);
                let texts = texts.map(|(_, texts)| texts.iter().map(|&text| text.to_owned()));
                let texts = texts.into_iter().flatten().collect();
                answers.learn(name, Answer::Texts(texts));
            }
        }
    }

    type Names = &'static [(&'static str, &'static [&'static str])];

    #[test]
    fn a_record_is_followed_as_a_receiver_does() {
        let cases: &[(Names, Walked)] = &[
            (
                &[("bank.example", &["v=spf1 redirect=a.example -all"])],
                Walked::Whole(Some('-')),
            ),
            (&[], Walked::Missing),
            (
                &[("bank.example", &["v=spf1 -all", "v=spf1 ~all"])],
                Walked::Several(2),
            ),
            (
                &[("bank.example", &["google=1", "v=spf1 ip4:192.0.2.1 -all"])],
                Walked::Whole(Some('-')),
            ),
            (
                &[("bank.example", &["v=spf1 ipv4:192.0.2.1 -all"])],
                Walked::Bad(BadTerm("ipv4:192.0.2.1".to_owned())),
            ),
            (
                &[("bank.example", &["v=spf1 include:a.example ~all"])],
                Walked::Dangling("a.example".to_owned()),
            ),
            (
                &[
                    ("bank.example", &["v=spf1 include:a.example ~all"]),
                    ("a.example", &["v=spf1 a ?all"]),
                ],
                Walked::Whole(Some('~')),
            ),
            (
                &[
                    ("bank.example", &["v=spf1 redirect=a.example"]),
                    ("a.example", &["v=spf1 a -all"]),
                ],
                Walked::Whole(Some('-')),
            ),
            (
                &[("bank.example", &["v=spf1 include:bank.example -all"])],
                Walked::Whole(Some('-')),
            ),
            (
                &[("bank.example", &["v=spf1 a a a a a a a a a a a -all"])],
                Walked::TooMany(11),
            ),
            (
                &[
                    ("bank.example", &["v=spf1 a a a a a include:a.example -all"]),
                    ("a.example", &["v=spf1 a a a a a -all"]),
                ],
                Walked::TooMany(11),
            ),
        ];
        for (records, expected) in cases {
            assert_eq!(walked(records), *expected, "{records:?}");
        }
    }
}
