//! Owns a mail as it goes over the wire: the commands of its envelope and its bytes, by what the server can do.

use crate::channels::email::Mail;
use crate::domain::ids::DispatchId;

use super::stage::Stage;

/// What the server said it can do with mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Skills {
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 3030.
    pub(super) chunking: bool,
    /// RFC 3461.
    pub(super) dsn: bool,
}

/// A mail and its envelope.
pub(super) struct Letter {
    sender: String,
    recipient: String,
    /// When what comes back is read: what it is to name.
    envelope: Option<DispatchId>,
    /// The last line is ended.
    bytes: Vec<u8>,
}

impl Letter {
    pub(super) fn new(mail: Mail) -> Self {
        let mut bytes = mail.bytes;
        if !bytes.ends_with(b"\r\n") {
            bytes.extend_from_slice(b"\r\n");
        }
        Self {
            sender: mail.sender.to_string(),
            recipient: mail.recipient.to_string(),
            envelope: mail.envelope,
            bytes,
        }
    }

    /// What comes before the bytes, each with its stage.
    pub(super) fn commands(&self, skills: Skills) -> Vec<(Stage, String)> {
        let Self {
            sender, recipient, ..
        } = self;
        let (mut from, mut to) = (String::new(), String::new());
        if let Some(envelope) = self.envelope.filter(|_| skills.dsn) {
            // The headers are enough to read a bounce; a delay is told, too, and is none.
            from = format!(" RET=HDRS ENVID={envelope}");
            to = format!(" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{}", xtext(recipient));
        }
        let mut commands = vec![
            (Stage::Mail, format!("MAIL FROM:<{sender}>{from}\r\n")),
            (Stage::Rcpt, format!("RCPT TO:<{recipient}>{to}\r\n")),
        ];
        if !skills.chunking {
            commands.push((Stage::Data, "DATA\r\n".to_owned()));
        }
        commands
    }

    /// What follows the commands: with the final dot, or as the one and last chunk, which has none and
    /// needs none to be told from the lines of the mail.
    pub(super) fn body(&self, skills: Skills) -> Vec<u8> {
        if !skills.chunking {
            return stuffed(&self.bytes);
        }
        let mut body = format!("BDAT {} LAST\r\n", self.bytes.len()).into_bytes();
        body.extend_from_slice(&self.bytes);
        body
    }
}

/// RFC 3461 §4: what is no printable ASCII, `+` and `=` in hexadecimal.
fn xtext(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"+=".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("+{byte:02X}")
            }
        })
        .collect()
}

/// Dots stuffed (RFC 5321 §4.5.2), the final dot at the end.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 8);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            body.push(b'.');
        }
        body.extend_from_slice(line);
    }
    body.extend_from_slice(b".\r\n");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(bytes: &[u8], envelope: Option<DispatchId>) -> Letter {
        Letter::new(Mail {
            sender: "bounces@lakeside.test".parse().unwrap(),
            recipient: "ana+news@example.test".parse().unwrap(),
            envelope,
            bytes: bytes.to_vec(),
        })
    }

    fn lines(letter: &Letter, skills: Skills) -> Vec<String> {
        let commands = letter.commands(skills).into_iter();
        commands.map(|(_, line)| line).collect()
    }

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        let wire =
            |bytes: &[u8]| String::from_utf8(letter(bytes, None).body(Skills::default())).unwrap();
        assert_eq!(wire(b""), "\r\n.\r\n");
        assert_eq!(wire(b"a\r\n"), "a\r\n.\r\n");
        assert_eq!(wire(b".\r\n..b\r\nc."), "..\r\n...b\r\nc.\r\n.\r\n");
        assert_eq!(wire(b"a\n.\r\nb"), "a\n..\r\nb\r\n.\r\n");
    }

    #[test]
    fn a_chunk_has_its_length_and_no_dots() {
        let skills = Skills {
            chunking: true,
            ..Skills::default()
        };
        let letter = letter(b".a\r\n..b", None);
        let body = String::from_utf8(letter.body(skills)).unwrap();
        assert_eq!(body, "BDAT 9 LAST\r\n.a\r\n..b\r\n");
        let expected = [
            "MAIL FROM:<bounces@lakeside.test>\r\n",
            "RCPT TO:<ana+news@example.test>\r\n",
        ];
        assert_eq!(lines(&letter, skills), expected);
    }

    #[test]
    fn a_server_that_can_is_asked_to_name_the_message_when_it_comes_back() {
        let skills = Skills {
            dsn: true,
            ..Skills::default()
        };
        let id = DispatchId::from_bytes([0x83; 16]);
        let expected = [
            "MAIL FROM:<bounces@lakeside.test> RET=HDRS ENVID=83838383-8383-8383-8383-838383838383\r\n",
            "RCPT TO:<ana+news@example.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ana+2Bnews@example.test\r\n",
            "DATA\r\n",
        ];
        assert_eq!(lines(&letter(b"a", Some(id)), skills), expected);
        let plain = lines(&letter(b"a", None), skills);
        assert_eq!(plain[0], "MAIL FROM:<bounces@lakeside.test>\r\n");
    }
}
