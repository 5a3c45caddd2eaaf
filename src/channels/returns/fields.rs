//! Owns reading blocks of `Name: value`: the headers of a mail (RFC 5322 §2.2) and the groups of a report (RFC 3464 §2.1).

/// A block with more is cut: nobody means it.
const MOST_FIELDS: usize = 300;
const MOST_GROUPS: usize = 100;
/// In bytes; what is longer is cut.
const LONGEST_VALUE: usize = 4_000;

/// Fields in the order in which they stand. Names are in lower case, values on one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What is no field is passed over.
    pub(super) fn read(block: &[u8]) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines(block) {
            let text = String::from_utf8_lossy(line);
            if text.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    go_on(value, text.trim());
                }
                continue;
            }
            let Some((name, value)) = text.split_once(':') else {
                continue;
            };
            if fields.len() == MOST_FIELDS {
                break;
            }
            let mut whole = String::new();
            go_on(&mut whole, value.trim());
            fields.push((name.trim_end().to_ascii_lowercase(), whole));
        }
        Self(fields)
    }

    /// The groups of a body, which are apart by empty lines.
    pub(super) fn groups(body: &[u8]) -> Vec<Self> {
        let mut groups = Vec::new();
        let mut rest = body;
        while !rest.is_empty() && groups.len() < MOST_GROUPS {
            let (block, behind) = split_at_empty_line(rest);
            let group = Self::read(block);
            if !group.0.is_empty() {
                groups.push(group);
            }
            rest = behind;
        }
        groups
    }

    /// The first with this name, which is given in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(own, _)| own == name);
        named.map(|(_, value)| value.as_str())
    }
}

fn go_on(value: &mut String, more: &str) {
    let room = LONGEST_VALUE.saturating_sub(value.len() + 1);
    if room == 0 || more.is_empty() {
        return;
    }
    if !value.is_empty() {
        value.push(' ');
    }
    let end = (0..=room.min(more.len())).rev();
    let end = end.into_iter().find(|at| more.is_char_boundary(*at));
    value.push_str(&more[..end.unwrap_or_default()]);
}

/// Lines without their ends; both CRLF and LF end one.
pub(super) fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = block.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// What stands before the first empty line, and what behind it.
pub(super) fn split_at_empty_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return (&bytes[..start], &bytes[end..]);
        }
        start = end;
    }
    (bytes, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_named_in_any_case() {
        let fields = Fields::read(
            b"Status: 5.1.1\r\nDiagnostic-CODE : smtp; 550\r\n\t5.1.1 nobody\r\nnonsense\r\nstatus:2\r\n",
        );
        assert_eq!(fields.get("status"), Some("5.1.1"));
        let all: Vec<&str> = fields.all("status").collect();
        assert_eq!(all, ["5.1.1", "2"]);
        assert_eq!(
            fields.get("diagnostic-code"),
            Some("smtp; 550 5.1.1 nobody")
        );
        assert_eq!(fields.get("nonsense"), None);
    }

    #[test]
    fn groups_are_apart_by_empty_lines_however_many() {
        let groups = Fields::groups(b"\n\na: 1\nb: 2\n\r\n\nc: 3\n\n\n");
        let found: Vec<_> = groups.iter().map(|group| group.get("c")).collect();
        assert_eq!(found, [None, Some("3")]);
    }

    #[test]
    fn what_is_endless_is_cut() {
        let many = b"x: y\n".repeat(1000);
        assert_eq!(Fields::read(&many).all("x").count(), MOST_FIELDS);
        let long = format!("x: {}\n {}\n", "é".repeat(3000), "more ".repeat(3000));
        let fields = Fields::read(long.as_bytes());
        assert!(fields.get("x").unwrap().len() <= LONGEST_VALUE);
        let groups = b"x: y\n\n".repeat(1000);
        assert_eq!(Fields::groups(&groups).len(), MOST_GROUPS);
    }
}
