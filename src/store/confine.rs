//! Owns keeping a statement to some buckets: wherever it names a table of customers, it gets only their
//! rows. On Citus all of them are on one shard, and so the whole statement goes there, and nowhere else.

use super::tables::is_by_bucket;

/// Words after a table that are no other name for it.
const KEYWORDS: [&str; 17] = [
    "WHERE",
    "CROSS",
    "JOIN",
    "LEFT",
    "INNER",
    "ON",
    "ORDER",
    "GROUP",
    "LIMIT",
    "SET",
    "RETURNING",
    "SELECT",
    "FOR",
    "USING",
    "UNION",
    "HAVING",
    "VALUES",
];

/// A table as a statement names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Rows are read from it.
    Source,
    /// Rows of it are changed.
    Target,
    /// Rows are added to it.
    Into,
}

/// The statement kept to the buckets of the array bound as `$place`; none, where it reads and changes no
/// rows of customers.
pub(super) fn confined(text: &str, place: usize) -> Option<String> {
    let among = format!("ANY(CAST(${place} AS SMALLINT[]))");
    let words = words(text);
    let mut edits: Vec<(usize, usize, String)> = Vec::new();
    let mut target: Option<Target<'_>> = None;
    for (n, word) in words.iter().enumerate() {
        match place_of(&words, n) {
            Some(Place::Source) => {
                let (table, (name, end)) = (word.text, alias(text, &words, n));
                let rows = format!("(SELECT * FROM {table} WHERE bucket = {among}) AS {name}");
                edits.push((word.at, end, rows));
            }
            Some(Place::Target) => target = Some(Target::of(word)),
            Some(Place::Into) => {}
            None => {
                if let Some(target) = &mut target {
                    edits.extend(target.edit(word, &among));
                }
            }
        }
    }
    if target.is_some_and(|target| target.is_open) {
        edits.push((text.len(), text.len(), ")".to_owned()));
    }
    (!edits.is_empty()).then(|| edited(text, &edits))
}

fn edited(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut edited = String::with_capacity(text.len() * 2);
    let mut done = 0;
    for (from, to, instead) in edits {
        edited.push_str(&text[done..*from]);
        edited.push_str(instead);
        done = *to;
    }
    edited + &text[done..]
}

/// The table whose rows are changed.
struct Target<'a> {
    table: &'a str,
    depth: usize,
    /// Its condition has begun.
    is_open: bool,
}

impl<'a> Target<'a> {
    fn of(word: &Word<'a>) -> Self {
        Self {
            table: word.text,
            depth: word.depth,
            is_open: false,
        }
    }

    /// The condition gets one more part, and brackets around the others.
    fn edit(&mut self, word: &Word<'_>, among: &str) -> Option<(usize, usize, String)> {
        let (table, after) = (self.table, word.end());
        match (word.text, self.is_open) {
            _ if word.depth != self.depth => None,
            ("WHERE", false) => {
                self.is_open = true;
                let first = format!(" {table}.bucket = {among} AND (");
                Some((after, after + 1, first))
            }
            ("RETURNING", true) => {
                self.is_open = false;
                Some((word.at - 1, word.at, ") ".to_owned()))
            }
            _ => None,
        }
    }
}

/// How often a statement names tables of customers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) named: usize,
    /// To read their rows or to change them.
    pub(super) read: usize,
}

pub(super) fn tables(text: &str) -> Tables {
    let words = words(text);
    let places = (0..words.len()).filter_map(|n| place_of(&words, n));
    let places: Vec<Place> = places.collect();
    let added = places.iter().filter(|place| **place == Place::Into);
    Tables {
        named: places.len(),
        read: places.len() - added.count(),
    }
}

/// Whether rows are changed, added or locked.
pub(super) fn is_write(text: &str) -> bool {
    let begins = |word: &str| text.starts_with(word);
    begins("INSERT") || begins("UPDATE") || begins("DELETE") || text.contains(" FOR ")
}

struct Word<'a> {
    text: &'a str,
    at: usize,
    /// How many brackets are open around it.
    depth: usize,
}

impl Word<'_> {
    fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// The words of a statement; texts in quotes are none.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let (mut depth, mut quoted, mut begun) = (0_usize, false, None);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_part = !quoted && (c.is_ascii_alphanumeric() || c == '_' || c == '$');
        match (begun, is_part) {
            (None, true) => begun = Some(at),
            (Some(from), false) => {
                let text = &text[from..at];
                let at = from;
                words.push(Word { text, at, depth });
                begun = None;
            }
            _ => {}
        }
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    words
}

fn place_of(words: &[Word<'_>], n: usize) -> Option<Place> {
    let before = |back: usize| Some(words.get(n.checked_sub(back)?)?.text);
    if !is_by_bucket(words[n].text) {
        return None;
    }
    match (before(1)?, before(2)) {
        ("FROM", Some("DELETE")) | ("UPDATE", _) => Some(Place::Target),
        ("FROM" | "JOIN", _) => Some(Place::Source),
        ("INTO", _) => Some(Place::Into),
        _ => None,
    }
}

/// What a table is called in the statement, and where that ends.
fn alias<'a>(text: &str, words: &[Word<'a>], n: usize) -> (&'a str, usize) {
    let table = &words[n];
    let named = match words.get(n + 1) {
        Some(word) if word.text == "AS" => words.get(n + 2),
        Some(word) if KEYWORDS.contains(&word.text) => None,
        other => other,
    };
    // Another name stands beside the table, with nothing but blanks and `AS` between.
    let beside = |word: &&Word<'a>| {
        let between = text[table.end()..word.at].trim();
        between.is_empty() || between == "AS"
    };
    named
        .filter(beside)
        .map_or_else(|| (table.text, table.end()), |word| (word.text, word.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confined(text: &str) -> String {
        super::confined(text, 9).unwrap_or_default()
    }

    #[test]
    fn what_is_read_is_read_of_these_buckets_alone() {
        assert_eq!(
            confined(
                "SELECT c.a FROM unnest($2) AS k CROSS JOIN customers AS c LEFT JOIN activity y ON y.a = c.a"
            ),
            "SELECT c.a FROM unnest($2) AS k CROSS JOIN \
             (SELECT * FROM customers WHERE bucket = ANY(CAST($9 AS SMALLINT[]))) AS c LEFT JOIN \
             (SELECT * FROM activity WHERE bucket = ANY(CAST($9 AS SMALLINT[]))) AS y ON y.a = c.a"
        );
        assert_eq!(
            confined("SELECT bucket FROM bucket_leases WHERE owner = $2 FOR SHARE"),
            "SELECT bucket FROM (SELECT * FROM bucket_leases WHERE bucket = \
             ANY(CAST($9 AS SMALLINT[]))) AS bucket_leases WHERE owner = $2 FOR SHARE"
        );
    }

    #[test]
    fn what_is_changed_is_changed_in_these_buckets_alone() {
        assert_eq!(
            confined(
                "UPDATE dirty SET mark = 1 FROM (SELECT 1 WHERE true) AS j WHERE a = 1 OR b RETURNING mark"
            ),
            "UPDATE dirty SET mark = 1 FROM (SELECT 1 WHERE true) AS j WHERE dirty.bucket = \
             ANY(CAST($9 AS SMALLINT[])) AND (a = 1 OR b) RETURNING mark"
        );
        assert_eq!(
            confined("DELETE FROM dirty WHERE mark IN (SELECT mark FROM dirty LIMIT 2)"),
            "DELETE FROM dirty WHERE dirty.bucket = ANY(CAST($9 AS SMALLINT[])) AND (mark IN \
             (SELECT mark FROM (SELECT * FROM dirty WHERE bucket = ANY(CAST($9 AS SMALLINT[]))) \
             AS dirty LIMIT 2))"
        );
    }

    #[test]
    fn what_reads_and_changes_no_customers_stays_as_it_is() {
        for text in [
            "SELECT 'FROM customers' FROM names",
            "INSERT INTO dirty (mark) SELECT $1 ON CONFLICT (mark) DO UPDATE SET mark = 2 WHERE true",
        ] {
            assert_eq!(super::confined(text, 9), None);
        }
        let of = |named, read| Tables { named, read };
        assert_eq!(tables("SELECT 'FROM customers' FROM names"), of(0, 0));
        let both = "INSERT INTO dirty SELECT 1 FROM customers c JOIN activity a ON true";
        assert_eq!(tables(both), of(3, 2));
    }
}
