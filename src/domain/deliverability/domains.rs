//! Owns what is found about those who send: SPF, DKIM and DMARC of their domains, and whether they agree.

use super::Remark;
use super::answers::{Answer, Answers};
use super::dkim::{self, Record};
use super::dmarc::{self, Policy};
use super::spf_walk::{Walked, walk};

/// Who sends a channel's e-mails, as receivers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// What it is said of: `channel email`.
    pub about: String,
    /// The domain of `From:`.
    pub from: String,
    /// The domain of the return path.
    pub return_path: String,
    /// How its messages are signed here.
    pub signing: Option<Signing>,
}

/// The key that messages are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    pub domain: String,
    pub selector: String,
    /// What DNS has to say of the key; none: the key cannot be read here.
    pub record: Option<String>,
}

/// RSA keys below 2048 bits are shorter than this as `SubjectPublicKeyInfo` (RFC 8301 §3.2).
const SHORTEST_RSA: usize = 290;

/// What is found about a sender; none: names are still to be asked for.
pub fn remarks(sender: &Sender, answers: &Answers) -> Option<Vec<Remark>> {
    let spf = of_spf(sender, answers);
    let dkim = match &sender.signing {
        Some(signing) => of_dkim(sender, signing, answers),
        None => Some(Vec::new()),
    };
    let dmarc = of_dmarc(sender, answers);
    let mut remarks = spf?;
    remarks.extend(dkim?);
    remarks.extend(dmarc?);
    Some(remarks)
}

fn of_spf(sender: &Sender, answers: &Answers) -> Option<Vec<Remark>> {
    let (about, domain) = (&sender.about, &sender.return_path);
    let error = |message: String, help: String| vec![Remark::error(about, message, help)];
    let warning = |message: String, help: String| vec![Remark::warning(about, message, help)];
    Some(match walk(domain, answers)? {
        Walked::Missing => error(
            format!("`{domain}` has no SPF record: receivers cannot tell who may send for it"),
            format!(
                "publish a TXT record at `{domain}` that names your mail server, such as `v=spf1 mx -all`"
            ),
        ),
        Walked::Several(count) => error(
            format!("`{domain}` has {count} SPF records: receivers take none of them"),
            "join them in one, and remove the others".to_owned(),
        ),
        Walked::Bad(bad) => error(
            format!("the SPF record of `{domain}` cannot be read: {bad}"),
            "mend that term; receivers stop there".to_owned(),
        ),
        Walked::Dangling(other) => error(
            format!("the SPF record of `{domain}` includes `{other}`, which has none"),
            "remove it: receivers stop there".to_owned(),
        ),
        Walked::TooMany(lookups) => error(
            format!("the SPF record of `{domain}` takes {lookups} look-ups: receivers stop at 10"),
            "name addresses (`ip4:`, `ip6:`) instead, or remove what sends no more".to_owned(),
        ),
        Walked::Silent(name, why) => vec![silent(about, &name, &why)],
        Walked::Whole(Some('+')) => error(
            format!("the SPF record of `{domain}` lets everybody send"),
            "end it with `-all` or `~all`".to_owned(),
        ),
        Walked::Whole(Some('-' | '~')) => Vec::new(),
        Walked::Whole(_) => warning(
            format!("the SPF record of `{domain}` says nothing of those that it does not name"),
            "end it with `-all` or `~all`".to_owned(),
        ),
    })
}

fn of_dkim(sender: &Sender, signing: &Signing, answers: &Answers) -> Option<Vec<Remark>> {
    let Signing {
        domain, selector, ..
    } = signing;
    let name = format!("{selector}._domainkey.{domain}");
    let texts = match answers.texts(&name)? {
        Answer::Texts(texts) => texts,
        Answer::Silence(why) => return Some(vec![silent(&sender.about, &name, why)]),
    };
    let found = match texts.as_slice() {
        [] => Err(format!(
            "`{name}` has no TXT record: signatures count for nothing"
        )),
        [text] => dkim::read(text).ok_or_else(|| format!("`{name}` holds no key of DKIM")),
        [..] => Err(format!(
            "`{name}` has {} TXT records where one is allowed",
            texts.len()
        )),
    };
    let found = found.and_then(|record| fits(&name, &record, signing.record.as_deref()));
    let help = match &signing.record {
        Some(record) => format!("publish there the TXT record `{record}`"),
        None => "publish there the public key of the one that signs".to_owned(),
    };
    Some(match found {
        Ok(()) => Vec::new(),
        Err(message) => vec![Remark::error(&sender.about, message, help)],
    })
}

fn fits(name: &str, record: &Record, ours: Option<&str>) -> Result<(), String> {
    let Record::Key { kind, bytes } = record else {
        return Err(format!("`{name}` says that the key was taken back"));
    };
    if kind == "rsa" && bytes.len() < SHORTEST_RSA {
        return Err(format!(
            "`{name}` holds an RSA key of less than 2048 bits: large receivers do not count it"
        ));
    }
    match ours.and_then(dkim::read) {
        Some(ours) if ours != *record => Err(format!(
            "`{name}` holds another key than the one that signs"
        )),
        _ => Ok(()),
    }
}

fn of_dmarc(sender: &Sender, answers: &Answers) -> Option<Vec<Remark>> {
    let (about, from) = (&sender.about, &sender.from);
    let mut record = None;
    for name in dmarc::names(from) {
        match answers.texts(&name)? {
            Answer::Silence(why) => return Some(vec![silent(about, &name, why)]),
            Answer::Texts(texts) => {
                record = dmarc::records(texts).first().map(|one| dmarc::read(one));
            }
        }
        if record.is_some() {
            break;
        }
    }
    let record = match record {
        None => {
            let message = format!(
                "`{from}` has no DMARC record: Google and Yahoo refuse bulk mail without one"
            );
            let help = format!(
                "publish a TXT record at `_dmarc.{from}`, to begin with `v=DMARC1; p=none; rua=mailto:dmarc@{from}`"
            );
            return Some(vec![Remark::error(about, message, help)]);
        }
        Some(None) => {
            let message = format!("the DMARC record of `{from}` has no policy that can be read");
            let help = "write `v=DMARC1; p=none`, `p=quarantine` or `p=reject`";
            return Some(vec![Remark::error(about, message, help)]);
        }
        Some(Some(record)) => record,
    };
    let mut remarks = Vec::new();
    if record.policy == Policy::None {
        remarks.push(Remark::warning(
            about,
            format!("DMARC of `{from}` asks nothing of receivers (`p=none`): anybody may pretend to be you"),
            "read its reports for some weeks, then go on to `p=quarantine` and `p=reject`",
        ));
    }
    remarks.extend(alignment(sender, record));
    Some(remarks)
}

/// DMARC holds when DKIM or SPF does, for a domain that counts as that of `From:` (RFC 7489 §3.1).
fn alignment(sender: &Sender, record: dmarc::Record) -> Option<Remark> {
    let (about, from) = (&sender.about, &sender.from);
    let spf = dmarc::is_aligned(from, &sender.return_path, record.strict_spf);
    match &sender.signing {
        Some(signing) if dmarc::is_aligned(from, &signing.domain, record.strict_dkim) => None,
        Some(signing) => {
            let domain = &signing.domain;
            let message =
                format!("DKIM signs as `{domain}`, which does not count as `{from}` of `From:`");
            let help =
                format!("sign as `{from}`, so that DMARC holds when a mail is forwarded, too");
            Some(if spf {
                Remark::warning(about, message, help)
            } else {
                Remark::error(about, message, help)
            })
        }
        None => Some(Remark::warning(
            about,
            "its messages are not signed here (DKIM): DMARC holds only if the relay signs them",
            format!("set `dkim:` in the channel, or see to it that the relay signs as `{from}`"),
        )),
    }
}

fn silent(about: &str, name: &str, why: &str) -> Remark {
    Remark::warning(
        about,
        format!("DNS does not say what `{name}` has: {why}"),
        "ask again, or another server with `--dns ADDRESS`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deliverability::Severity;

    /// RFC 8463, Appendix A.2.
    const OURS: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn sender() -> Sender {
        Sender {
            about: "channel email".to_owned(),
            from: "news.bank.example".to_owned(),
            return_path: "bounces.bank.example".to_owned(),
            signing: Some(Signing {
                domain: "bank.example".to_owned(),
                selector: "s1".to_owned(),
                record: Some(OURS.to_owned()),
            }),
        }
    }

    /// What is right in every part.
    fn right() -> Vec<(&'static str, String)> {
        vec![
            (
                "bounces.bank.example",
                "v=spf1 ip4:192.0.2.1 -all".to_owned(),
            ),
            ("s1._domainkey.bank.example", OURS.to_owned()),
            ("_dmarc.bank.example", "v=DMARC1; p=reject".to_owned()),
        ]
    }

    fn found(sender: &Sender, records: &[(&str, String)]) -> Vec<(Severity, String)> {
        let mut answers = Answers::default();
        loop {
            if let Some(remarks) = remarks(sender, &answers) {
                let told = remarks.into_iter();
                return told.map(|one| (one.severity, one.message)).collect();
            }
            for name in answers.wanted() {
                let texts = records.iter().filter(|(one, _)| *one == name);
                let texts = texts.map(|(_, text)| text.clone()).collect();
                answers.learn(name, Answer::Texts(texts));
            }
        }
    }

    fn with(name: &'static str, text: &str) -> Vec<(&'static str, String)> {
        let mut records = right();
        records.retain(|(one, _)| *one != name);
        records.push((name, text.to_owned()));
        records
    }

    #[test]
    fn nothing_is_found_where_all_is_right() {
        assert_eq!(found(&sender(), &right()), []);
    }

    #[test]
    fn each_fault_is_found_alone() {
        let key = "s1._domainkey.bank.example";
        for (name, text, severity, words) in [
            (
                "bounces.bank.example",
                "google=1",
                Severity::Error,
                "no SPF record",
            ),
            (
                "bounces.bank.example",
                "v=spf1 +all",
                Severity::Error,
                "lets everybody send",
            ),
            (
                "bounces.bank.example",
                "v=spf1 mx",
                Severity::Warning,
                "says nothing",
            ),
            (key, "v=DKIM1; p=", Severity::Error, "taken back"),
            (key, "hello", Severity::Error, "no key"),
            (
                key,
                "v=DKIM1; k=ed25519; p=AAAA",
                Severity::Error,
                "another key",
            ),
            (
                "_dmarc.bank.example",
                "hello",
                Severity::Error,
                "no DMARC record",
            ),
            (
                "_dmarc.bank.example",
                "v=DMARC1; p=some",
                Severity::Error,
                "no policy",
            ),
            (
                "_dmarc.bank.example",
                "v=DMARC1; p=none",
                Severity::Warning,
                "asks nothing",
            ),
            (
                "_dmarc.bank.example",
                "v=DMARC1; p=reject; adkim=s",
                Severity::Error,
                "does not count",
            ),
        ] {
            let found = found(&sender(), &with(name, text));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].0, severity, "{text}: {found:?}");
            assert!(found[0].1.contains(words), "{text}: {found:?}");
        }
    }

    #[test]
    fn who_does_not_sign_here_is_told_so() {
        let mut sender = sender();
        sender.signing = None;
        let found = found(&sender, &right());
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("not signed here"), "{found:?}");
    }

    #[test]
    fn a_server_that_does_not_answer_is_no_fault_of_the_sender() {
        let mut answers = Answers::default();
        for _ in 0..3 {
            for name in answers.wanted() {
                answers.learn(name, Answer::Silence("timed out".to_owned()));
            }
            if let Some(remarks) = remarks(&sender(), &answers) {
                assert!(remarks.iter().all(|one| one.severity == Severity::Warning));
                assert_eq!(remarks.len(), 3);
                return;
            }
        }
        panic!("never content");
    }
}
