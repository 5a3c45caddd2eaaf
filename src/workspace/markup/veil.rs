//! Owns hiding placeholders from those who read markup, and showing them again: where text stands they
//! become comments, which are allowed everywhere, and inside of tags and styles plain words.

use std::ops::Range;

/// What no template says by itself.
const MARK: &str = "q9drumbeat";
const OPEN: &str = "<!--";
const CLOSE: &str = "-->";
/// Elements whose content is text to the last letter.
const VERBATIM: [&str; 7] = [
    "style",
    "script",
    "title",
    "textarea",
    "mj-style",
    "mj-title",
    "mj-preview",
];
const DELIMITERS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

/// A text without its placeholders, and what to show again.
#[derive(Debug, Clone)]
pub(super) struct Veil {
    pub(super) text: String,
    /// Where each stood in the source, and where its stand-in is in the text.
    pieces: Vec<(Range<usize>, Range<usize>)>,
    hidden: Vec<String>,
    /// Sets the stand-ins of one file apart from those of another.
    number: usize,
}

impl Veil {
    pub(super) fn over(source: &str, number: usize) -> Self {
        let mut veil = Self {
            text: String::with_capacity(source.len()),
            pieces: Vec::new(),
            hidden: Vec::new(),
            number,
        };
        let mut place = Place::Text;
        let mut at = 0;
        while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(length) = placeholder(rest) {
                veil.hide(&rest[..length], at, &place);
                at += length;
                continue;
            }
            let step = place.step(rest);
            veil.text.push_str(&rest[..step]);
            at += step;
        }
        veil
    }

    fn hide(&mut self, placeholder: &str, at: usize, place: &Place) {
        let word = format!("{MARK}{}n{}z", self.number, self.hidden.len());
        let word = match place {
            Place::Text => format!("{OPEN}{word}{CLOSE}"),
            Place::Comment | Place::Verbatim(_) | Place::Tag { .. } => word,
        };
        let start = self.text.len();
        self.text.push_str(&word);
        self.pieces
            .push((at..at + placeholder.len(), start..self.text.len()));
        self.hidden.push(placeholder.to_owned());
    }

    /// Where a byte of the text was in the source.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let before = self.pieces.iter().rfind(|(_, new)| new.start <= offset);
        match before {
            None => offset,
            Some((old, new)) if offset < new.end => old.start,
            Some((old, new)) => old.end + (offset - new.end),
        }
    }
}

/// The markup with the placeholders of all veils as they were.
pub(super) fn lift(markup: &str, veils: &[&Veil]) -> String {
    let mut shown = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(at) = rest.find(MARK) {
        let (before, after) = rest.split_at(at);
        let Some((hidden, length)) = named(after, veils) else {
            shown.push_str(before);
            shown.push_str(MARK);
            rest = &after[MARK.len()..];
            continue;
        };
        let after = &after[length..];
        let comment = before.strip_suffix(OPEN).zip(after.strip_prefix(CLOSE));
        let (before, after) = comment.unwrap_or((before, after));
        shown.push_str(before);
        shown.push_str(hidden);
        // Whoever writes markup gives an attribute without a value an empty one.
        rest = after.strip_prefix("=\"\"").unwrap_or(after);
    }
    shown.push_str(rest);
    shown
}

/// Whether a text begins with what stands in for a placeholder.
pub(super) fn is_stand_in(text: &str) -> bool {
    text.starts_with(MARK)
}

/// The placeholder of a stand-in at the beginning of a text, and how long that is.
fn named<'a>(text: &str, veils: &[&'a Veil]) -> Option<(&'a str, usize)> {
    let (word, _) = text.strip_prefix(MARK)?.split_once('z')?;
    let (number, index) = word.split_once('n')?;
    let number: usize = number.parse().ok()?;
    let index: usize = index.parse().ok()?;
    let veil = veils.iter().find(|veil| veil.number == number)?;
    let hidden = veil.hidden.get(index)?;
    Some((hidden, MARK.len() + word.len() + 1))
}

/// How long the placeholder is that a text begins with; one that is not closed is none.
fn placeholder(text: &str) -> Option<usize> {
    let (open, close) = DELIMITERS
        .into_iter()
        .find(|(open, _)| text.starts_with(open))?;
    let mut quote: Option<char> = None;
    for (at, c) in text.char_indices().skip(open.len()) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if text[at..].starts_with(close) => return Some(at + close.len()),
            None if matches!(c, '"' | '\'') && open != "{#" => quote = Some(c),
            None => {}
        }
    }
    None
}

/// Where in markup a byte is.
enum Place {
    Text,
    Comment,
    /// In an element whose content is text.
    Verbatim(&'static str),
    Tag {
        /// What the element's content is, if that is text.
        verbatim: Option<&'static str>,
        quote: Option<char>,
    },
}

impl Place {
    /// Takes what a text begins with; how many bytes that was.
    fn step(&mut self, text: &str) -> usize {
        let first = text.chars().next().unwrap_or_default();
        let (next, taken) = match self {
            Self::Text if text.starts_with(OPEN) => (Some(Self::Comment), OPEN.len()),
            Self::Text if begins_tag(text) => (Some(Self::tag(text)), first.len_utf8()),
            Self::Comment if text.starts_with(CLOSE) => (Some(Self::Text), CLOSE.len()),
            Self::Verbatim(name) if closes(text, name) => (Some(Self::tag("</")), first.len_utf8()),
            Self::Tag { quote: None, .. } if text.starts_with("/>") => (Some(Self::Text), 2),
            Self::Tag {
                quote: None,
                verbatim,
            } if first == '>' => (Some(verbatim.map_or(Self::Text, Self::Verbatim)), 1),
            Self::Tag { quote, .. } => {
                match (*quote, first) {
                    (None, '"' | '\'') => *quote = Some(first),
                    (Some(open), _) if open == first => *quote = None,
                    _ => {}
                }
                (None, first.len_utf8())
            }
            _ => (None, first.len_utf8()),
        };
        if let Some(next) = next {
            *self = next;
        }
        taken
    }

    fn tag(text: &str) -> Self {
        let name = text.trim_start_matches('<');
        let name = name.split(|c: char| c.is_whitespace() || c == '>').next();
        let name = name.unwrap_or_default();
        let verbatim = VERBATIM
            .into_iter()
            .find(|verbatim| verbatim.eq_ignore_ascii_case(name));
        Self::Tag {
            verbatim,
            quote: None,
        }
    }
}

fn begins_tag(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next() == Some('<')
        && letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
}

fn closes(text: &str, name: &str) -> bool {
    let rest = text.strip_prefix("</");
    let end = rest.and_then(|rest| rest.get(..name.len()));
    end.is_some_and(|end| end.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Dear {{ name }}", "Dear <!--q9drumbeat0n0z-->")]
    #[case(
        "<a href=\"{{ url }}\">{{ x }}</a>",
        "<a href=\"q9drumbeat0n0z\"><!--q9drumbeat0n1z--></a>"
    )]
    #[case(
        "<td {% if a > 'x>' %}b{% endif %}>{# c #}",
        "<td q9drumbeat0n0zbq9drumbeat0n1z><!--q9drumbeat0n2z-->"
    )]
    #[case(
        "<style>a { b: {{ c }} }</style>{{ d }}",
        "<style>a { b: q9drumbeat0n0z }</style><!--q9drumbeat0n1z-->"
    )]
    #[case("<mj-title>{{ a }}</mj-title>", "<mj-title>q9drumbeat0n0z</mj-title>")]
    #[case(
        "<!-- {{ a }} -->{{ b }}",
        "<!-- q9drumbeat0n0z --><!--q9drumbeat0n1z-->"
    )]
    #[case(
        "<br/>{{ '}}' }} 1 < 2 {{ open",
        "<br/><!--q9drumbeat0n0z--> 1 < 2 {{ open"
    )]
    fn placeholders_are_hidden_and_shown_again(#[case] source: &str, #[case] hidden: &str) {
        let veil = Veil::over(source, 0);
        assert_eq!(veil.text, hidden);
        assert_eq!(lift(hidden, &[&veil]), source);
    }

    #[test]
    fn a_place_in_the_text_is_one_in_the_source() {
        let source = "ab{{ c }}d<i {{ e }}f";
        let veil = Veil::over(source, 3);
        let of = |what: char| veil.origin(veil.text.find(what).unwrap());
        assert_eq!(of('a'), 0);
        assert_eq!(veil.origin(veil.text.find("<!--").unwrap() + 6), 2);
        assert_eq!(veil.origin(veil.text.find("-->d").unwrap() + 3), 9);
        assert_eq!(veil.origin(veil.text.len() - 1), source.len() - 1);
    }

    #[test]
    fn what_only_looks_like_a_stand_in_stays() {
        let veil = Veil::over("{{ a }}", 0);
        let odd = "q9drumbeat q9drumbeat0n9z q9drumbeat7n0z";
        assert_eq!(lift(odd, &[&veil]), odd);
    }
}
