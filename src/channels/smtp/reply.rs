//! Owns the server's replies (RFC 5321 §4.2): the code, the enhanced code (RFC 3463), the words.

use std::fmt;

/// A whole reply; the words of its lines are joined by newlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) words: String,
}

/// The bytes are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl Reply {
    /// The first reply in the buffer and how many bytes it takes; none while its last line is missing.
    pub(super) fn take(buffer: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let mut used = 0;
        let mut reply: Option<Self> = None;
        while let Some(end) = buffer[used..].iter().position(|byte| *byte == b'\n') {
            let line = Line::parse(&buffer[used..used + end])?;
            used += end + 1;
            match &mut reply {
                Some(reply) if reply.code != line.code => return Err(Malformed),
                Some(reply) => reply.add(&line.words),
                None => reply = Some(Self::new(line.code, line.words)),
            }
            if line.last {
                return Ok(reply.map(|reply| (reply, used)));
            }
        }
        Ok(None)
    }

    fn new(code: u16, words: String) -> Self {
        Self { code, words }
    }

    fn add(&mut self, words: &str) {
        self.words.push('\n');
        self.words.push_str(words);
    }

    /// The first digit: 2 done, 3 go on, 4 try again, 5 never.
    pub(super) fn class(&self) -> u16 {
        self.code / 100
    }

    /// `5.1.1` and the like, when it stands before the words and agrees with the code.
    pub(super) fn enhanced(&self) -> Option<(u16, u16, u16)> {
        let mut numbers = self.words.split_whitespace().next()?.splitn(3, '.');
        let mut number = || numbers.next()?.parse::<u16>().ok();
        let code = (number()?, number()?, number()?);
        (code.0 == self.class()).then_some(code)
    }

    /// The relay's own number, where it says "queued as NUMBER" as Postfix does.
    pub(super) fn queued_as(&self) -> Option<String> {
        let (_, after) = self.words.split_once("queued as ")?;
        let id = after.split_whitespace().next()?;
        Some(id.trim_end_matches(['.', ',', ';']).to_owned())
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.words)
    }
}

struct Line {
    code: u16,
    words: String,
    last: bool,
}

impl Line {
    fn parse(line: &[u8]) -> Result<Self, Malformed> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, rest) = line.split_at_checked(3).ok_or(Malformed)?;
        let code = std::str::from_utf8(code)
            .ok()
            .and_then(|code| code.parse().ok());
        let code = code
            .filter(|code| (200..600).contains(code))
            .ok_or(Malformed)?;
        let (last, words) = match rest {
            [] => (true, rest),
            [b' ', words @ ..] => (true, words),
            [b'-', words @ ..] => (false, words),
            _ => return Err(Malformed),
        };
        Ok(Self {
            code,
            words: String::from_utf8_lossy(words).into_owned(),
            last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: &str) -> Result<Option<(Reply, usize)>, Malformed> {
        Reply::take(bytes.as_bytes())
    }

    #[test]
    fn a_reply_is_whole_when_its_last_line_is_there() {
        assert_eq!(taken(""), Ok(None));
        assert_eq!(taken("250-a.test\r\n250 PIPE"), Ok(None));
        let (reply, used) = taken("250-a.test\r\n250-PIPELINING\r\n250 SIZE 9\r\n354 go")
            .unwrap()
            .unwrap();
        assert_eq!((reply.code, used), (250, 40));
        assert_eq!(reply.words, "a.test\nPIPELINING\nSIZE 9");
        assert_eq!(taken("221\n").unwrap().unwrap().0.to_string(), "221 ");
    }

    #[test]
    fn what_is_no_reply_is_said_to_be_none() {
        for bytes in [
            "HTTP/1.1 400\r\n",
            "25\r\n",
            "250x\r\n",
            "099 a\r\n",
            "250-a\r\n550 b\r\n",
        ] {
            assert_eq!(taken(bytes), Err(Malformed), "{bytes}");
        }
    }

    #[test]
    fn the_enhanced_code_and_the_relays_number_are_found() {
        let reply = |code, words: &str| Reply::new(code, words.to_owned());
        assert_eq!(reply(550, "5.1.10 nobody").enhanced(), Some((5, 1, 10)));
        assert_eq!(reply(550, "4.1.1 odd").enhanced(), None);
        assert_eq!(reply(550, "no such user").enhanced(), None);
        assert_eq!(reply(550, "5.1 short").enhanced(), None);
        let queued = reply(250, "2.0.0 Ok: queued as 4Xk2.");
        assert_eq!(queued.queued_as().as_deref(), Some("4Xk2"));
        assert_eq!(reply(250, "2.0.0 Ok").queued_as(), None);
    }
}
