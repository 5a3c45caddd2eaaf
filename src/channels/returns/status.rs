//! Owns what a status code says became of a mail (RFC 3463, and what large receivers write), when the server
//! that took it gives it up.

use crate::domain::news::{Bounce, Fate};

/// An enhanced status code: class, subject, detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(u16, u16, u16);

impl Code {
    /// `5.1.1`, whatever stands behind it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let token = text.trim_start_matches('#');
        let token = token.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let mut numbers = token.into_iter().next()?.split('.');
        let mut number = |longest| {
            let text = numbers.next()?;
            (1..=longest).contains(&text.len()).then_some(())?;
            text.parse().ok()
        };
        let code = Self(number(1)?, number(3)?, number(3)?);
        let is_whole = numbers.next().is_none();
        (is_whole && matches!(code.0, 2 | 4 | 5)).then_some(code)
    }

    /// Whether it says more than a class and a subject.
    fn is_exact(self) -> bool {
        self.1 != 0 && self.2 != 0
    }
}

/// A server's words of why it refused, as a report quotes them (RFC 3464 §2.3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnostic<'a> {
    /// Without the kind that stands in front of them: `550 5.1.1 no such user`.
    pub(super) words: &'a str,
    reply: Option<u16>,
    code: Option<Code>,
}

/// How far into the words a code is looked for: further on they speak of something else.
const EARLY: usize = 6;

impl<'a> Diagnostic<'a> {
    pub(super) fn read(field: &'a str) -> Self {
        let words = match field.split_once(';') {
            Some((kind, words)) if !kind.contains(' ') => words.trim(),
            _ => field.trim(),
        };
        let tokens = || {
            let apart = |letter: char| letter.is_whitespace() || "-(<[".contains(letter);
            words.split(apart).filter(|token| !token.is_empty())
        };
        let reply = tokens().next().filter(|token| token.len() == 3);
        let reply = reply.and_then(|token| token.parse().ok());
        Self {
            words,
            reply: reply.filter(|code| (400..600).contains(code)),
            code: tokens().take(EARLY).find_map(Code::read),
        }
    }

    fn says(&self, phrases: &[&str]) -> bool {
        let words = self.words.to_ascii_lowercase();
        phrases.iter().any(|phrase| words.contains(phrase))
    }
}

/// How servers without exact codes say that nobody has an address.
const NOBODY: [&str; 12] = [
    "user unknown",
    "unknown user",
    "no such user",
    "unknown recipient",
    "recipient unknown",
    "no such recipient",
    "no such mailbox",
    "mailbox not found",
    "user not found",
    "does not exist",
    "doesn't exist",
    "no mailbox here",
];

/// What a mail's end with such a status means. The code of the status counts unless the server's own words
/// hold a more exact one; without any only clear words make an address dead.
pub(super) fn fate(status: Option<Code>, said: &Diagnostic<'_>) -> Fate {
    let exact = [status, said.code].into_iter().flatten();
    let exact = exact.into_iter().find(|code| code.is_exact());
    match exact.or(status).or(said.code) {
        Some(code) if code.is_exact() => by_code(code, said),
        Some(Code(5, 7, _)) => Fate::Bounced(Bounce::Policy),
        Some(Code(5, 5 | 6, _)) => Fate::Failed,
        Some(Code(5, _, _)) | None => {
            let is_refusal = matches!(said.reply, None | Some(550 | 551 | 553));
            if is_refusal && said.says(&NOBODY) {
                Fate::Bounced(Bounce::Hard)
            } else {
                Fate::Bounced(Bounce::Soft)
            }
        }
        Some(Code(_, 7, _)) => Fate::Expired,
        Some(_) => Fate::Bounced(Bounce::Soft),
    }
}

fn by_code(code: Code, said: &Diagnostic<'_>) -> Fate {
    let (hard, soft) = (Fate::Bounced(Bounce::Hard), Fate::Bounced(Bounce::Soft));
    match (code.0, code.1, code.2) {
        // RFC 7505 for the null MX.
        (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1) => hard,
        // Gmail's words for an account that nobody uses; elsewhere it is full.
        (5, 2, 2) if said.says(&["inactive"]) => hard,
        // The sender's limit of the day, and all that is held against sender or content.
        (5, 4, 5) | (5, 7, _) => Fate::Bounced(Bounce::Policy),
        // The sender's own address, the size, the protocol, the content: the same for every address.
        (5, 1, 7..=9) | (5, 2 | 3, 3 | 4) | (5, 5 | 6, _) => Fate::Failed,
        // Kept waiting until its time was over, for a reason that is not the address.
        (4, 5..=7, _) | (_, 4, 7) => Fate::Expired,
        _ => soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HARD: Fate = Fate::Bounced(Bounce::Hard);
    const SOFT: Fate = Fate::Bounced(Bounce::Soft);
    const POLICY: Fate = Fate::Bounced(Bounce::Policy);

    #[rstest]
    // Nobody has the address.
    #[case("5.1.1", "smtp; 550 5.1.1 <a@b.test> User unknown", HARD)]
    #[case("5.1.1", "", HARD)]
    #[case("5.1.2", "smtp; 553 5.1.2 bad host", HARD)]
    #[case("5.1.3", "smtp; 553 5.1.3 bad syntax", HARD)]
    #[case("5.1.6", "smtp; 551 5.1.6 moved", HARD)]
    #[case("5.1.10", "smtp; 556 5.1.10 null MX", HARD)]
    #[case("5.2.1", "smtp; 550 5.2.1 disabled", HARD)]
    #[case(
        "5.2.2",
        "smtp; 552 5.2.2 The account is over quota and inactive",
        HARD
    )]
    // The exact code stands in the words of the server.
    #[case("5.0.0", "smtp; 550 5.1.1 nobody", HARD)]
    #[case("5.0.0", "smtp; 550-5.1.1 The account 550-5.1.1 is gone", HARD)]
    #[case("5.3.0", "smtp; 550 #5.1.1 nobody", HARD)]
    #[case("5.0.0", "smtp; 550 5.7.1 spam", POLICY)]
    #[case("", "smtp; 550 5.7.515 access denied", POLICY)]
    // No exact code at all.
    #[case("5.0.0", "smtp; 550 No such user here", HARD)]
    #[case("", "x-unix; user unknown", HARD)]
    #[case("5.0.0", "smtp; 554 No such user here", SOFT)]
    #[case("5.0.0", "smtp; 550 rejected", SOFT)]
    #[case("5.0.0", "", SOFT)]
    #[case("nonsense", "nonsense", SOFT)]
    // Full, away, or out of reach.
    #[case("5.2.2", "smtp; 552 5.2.2 mailbox full", SOFT)]
    #[case("4.2.2", "smtp; 452 4.2.2 mailbox full", SOFT)]
    #[case("4.2.1", "smtp; 450 4.2.1 receiving too quickly", SOFT)]
    #[case("5.2.0", "", SOFT)]
    #[case("4.4.1", "X-Postfix; connect to b.test: timed out", SOFT)]
    #[case("5.4.4", "X-Postfix; host not found", SOFT)]
    #[case("5.4.6", "", SOFT)]
    #[case(
        "5.4.1",
        "smtp; 550 5.4.1 Recipient address rejected: Access denied",
        SOFT
    )]
    // Sender or content are not wanted, or the day's limit is reached: the address stays good.
    #[case("5.7.1", "smtp; 554 5.7.1 blocked", POLICY)]
    #[case("5.7.26", "smtp; 550-5.7.26 unauthenticated", POLICY)]
    #[case("5.7.0", "smtp; 550 5.7.0", POLICY)]
    #[case("5.4.5", "smtp; 550 5.4.5 Daily sending quota exceeded", POLICY)]
    #[case("5.7.1", "smtp; 550 5.7.1 user unknown", POLICY)]
    // The message's own fault.
    #[case("5.3.4", "smtp; 552 5.3.4 too big", Fate::Failed)]
    #[case("5.2.3", "smtp; 552 5.2.3 too long", Fate::Failed)]
    #[case("5.1.8", "smtp; 550 5.1.8 sender's domain", Fate::Failed)]
    #[case("5.5.2", "smtp; 500 5.5.2 syntax", Fate::Failed)]
    #[case("5.6.0", "smtp; 554 5.6.0 bad content", Fate::Failed)]
    // Kept waiting until its time was over.
    #[case("4.7.1", "smtp; 451 4.7.1 greylisted", Fate::Expired)]
    #[case("4.7.28", "smtp; 421 4.7.28 rate limited", Fate::Expired)]
    #[case("4.7.0", "smtp; 421-4.7.0 try again", Fate::Expired)]
    #[case("5.4.7", "", Fate::Expired)]
    fn each_status_has_its_fate(#[case] status: &str, #[case] said: &str, #[case] expected: Fate) {
        assert_eq!(fate(Code::read(status), &Diagnostic::read(said)), expected);
    }

    #[rstest]
    #[case("5.1.1", Some(Code(5, 1, 1)))]
    #[case("5.1.1 (bad destination mailbox)", Some(Code(5, 1, 1)))]
    #[case("5.7.515", Some(Code(5, 7, 515)))]
    #[case("#4.2.2,", Some(Code(4, 2, 2)))]
    #[case("3.1.1", None)]
    #[case("5.1", None)]
    #[case("5.1.1.1", None)]
    #[case("5.1.1000", None)]
    #[case("10.1.1", None)]
    #[case("5..1", None)]
    #[case("", None)]
    fn codes_are_read_from_what_stands_around_them(
        #[case] text: &str,
        #[case] expected: Option<Code>,
    ) {
        assert_eq!(Code::read(text), expected);
    }

    #[test]
    fn the_kind_of_a_diagnostic_is_not_part_of_its_words() {
        assert_eq!(Diagnostic::read("smtp; 550 no").words, "550 no");
        assert_eq!(Diagnostic::read("550 no; really").words, "550 no; really");
    }
}
