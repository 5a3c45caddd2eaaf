//! Owns our side's words: each with its code and enhanced code (RFC 5321 §4.2, RFC 3463).

/// What we say, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply(pub(super) &'static str);

pub(super) const GREETING: Reply = Reply("220 Drumbeat LMTP");
pub(super) const BYE: Reply = Reply("221 2.0.0 Bye");
pub(super) const FINE: Reply = Reply("250 2.0.0 Ok");
pub(super) const SENDER_FINE: Reply = Reply("250 2.1.0 Ok");
pub(super) const RECIPIENT_FINE: Reply = Reply("250 2.1.5 Ok");
pub(super) const STORED: Reply = Reply("250 2.0.0 Stored");
pub(super) const PERHAPS: Reply = Reply("252 2.1.5 Send it and see");
pub(super) const GO_ON: Reply = Reply("354 End with a dot on a line of its own");
pub(super) const ENOUGH: Reply = Reply("421 4.7.0 Too many mistakes");
pub(super) const LATER: Reply = Reply("451 4.3.0 Not stored, try again later");
pub(super) const TOO_MANY: Reply = Reply("452 4.5.3 Too many recipients");
pub(super) const SYNTAX: Reply = Reply("501 5.5.4 Syntax error");
pub(super) const LONG: Reply = Reply("500 5.5.2 Line too long");
pub(super) const UNKNOWN: Reply = Reply("500 5.5.2 Unknown command");
/// RFC 2033 §4.1.
pub(super) const LHLO: Reply = Reply("500 5.5.1 This is LMTP: say LHLO");
pub(super) const NOT_HERE: Reply = Reply("502 5.5.1 Not offered");
pub(super) const ORDER: Reply = Reply("503 5.5.1 Out of order");
/// RFC 2033 §4.2.
pub(super) const NOBODY: Reply = Reply("503 5.5.1 No valid recipients");
pub(super) const NO_SUCH: Reply = Reply("550 5.1.1 No such address");
pub(super) const NO_LETTERS: Reply =
    Reply("550 5.7.1 Nobody reads this address: it takes reports of mail servers");
pub(super) const TOO_BIG: Reply = Reply("552 5.3.4 Too big");

impl Reply {
    /// Whether it says that something was wrong.
    pub(super) fn is_fault(self) -> bool {
        self.0.starts_with('5')
    }
}
