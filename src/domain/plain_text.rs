//! Owns the seams between HTML and plain text: escaping, a text part made from HTML, the hidden preheader.

use std::fmt;

/// Writes `text` with `& < > " '` escaped, which is enough for element content and quoted attributes.
pub fn write_escaped(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.write_str(&rest[..at])?;
        out.write_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &rest[at + 1..];
    }
    out.write_str(rest)
}

/// A text on one line: control characters and runs of white space become one space each, so that a
/// header can hold it (RFC 5322 §2.2).
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Puts a text that only the list of messages shows at the start of the body.
pub fn with_preheader(html: &str, preheader: &str) -> String {
    let at = body_start(html);
    let mut hidden = String::new();
    let written = write_escaped(&mut hidden, &one_line(preheader));
    debug_assert!(written.is_ok(), "a String takes every text");
    format!(
        "{}<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">{hidden}</div>{}",
        &html[..at],
        &html[at..]
    )
}

/// Behind `<body …>`, or the start when there is none.
fn body_start(html: &str) -> usize {
    find_tag(html, "<", "body")
        .and_then(|body| html[body..].find('>').map(|end| body + end + 1))
        .unwrap_or(0)
}

/// The text part of an e-mail that has only HTML: words in order, one line a block, links behind
/// their words in round brackets, list items behind a dash.
pub fn from_html(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.words(&rest[..at]);
        rest = text.markup(&rest[at..]);
    }
    text.words(rest);
    text.out.trim().to_owned()
}

#[derive(Default)]
struct Text {
    out: String,
    /// Line breaks owed before the next word.
    breaks: usize,
    /// Whether a space is owed before the next word.
    space: bool,
    /// Where the current link leads, and where its words begin.
    link: Option<(String, usize)>,
}

impl Text {
    /// Takes one tag or comment from the start of `rest` and gives back what follows it.
    fn markup<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(comment) = rest.strip_prefix("<!--") {
            return behind(comment, "-->");
        }
        let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        if !is_tag {
            self.words("<");
            return &rest[1..];
        }
        let end = tag_end(rest);
        let tag = &rest[1..end];
        let name_end = tag[1..].find(|c: char| c.is_whitespace() || c == '/');
        let name = tag[..name_end.map_or(tag.len(), |at| at + 1)].to_ascii_lowercase();
        let rest = &rest[(end + 1).min(rest.len())..];
        match name.as_str() {
            "style" | "script" | "head" | "title" => return behind_close(rest, &name),
            _ => self.tag(&name, tag),
        }
        rest
    }

    fn tag(&mut self, name: &str, tag: &str) {
        match name {
            "br" => self.breaks += 1,
            "li" => {
                self.breaks = self.breaks.max(1);
                self.words("- ");
            }
            "a" => self.link = attribute(tag, "href").map(|href| (href, self.out.len())),
            "/a" => self.close_link(),
            "img" => {
                let alt = attribute(tag, "alt").unwrap_or_default();
                self.plain(&alt);
            }
            "td" | "/td" | "th" | "/th" => self.space = true,
            "/p" | "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "/h1" | "/h2" | "/h3"
            | "/h4" | "/h5" | "/h6" | "ul" | "/ul" | "ol" | "/ol" | "table" | "/table" | "hr"
            | "blockquote" | "/blockquote" => self.breaks = self.breaks.max(2),
            "div" | "/div" | "tr" | "/tr" | "/li" | "section" | "/section" => {
                self.breaks = self.breaks.max(1);
            }
            _ => {}
        }
    }

    fn close_link(&mut self) {
        let Some((href, start)) = self.link.take() else {
            return;
        };
        let words = self.out.get(start..).unwrap_or_default().trim();
        let says_it = words == href || href == format!("mailto:{words}");
        if href.is_empty() || href.starts_with('#') || says_it {
            return;
        }
        let target = if words.is_empty() {
            href
        } else {
            format!(" ({href})")
        };
        self.plain(&target);
    }

    /// Adds source text: entities are read, white space is one space.
    fn words(&mut self, source: &str) {
        self.plain(&unescape(source));
    }

    fn plain(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                // A zero-width or soft character holds a preview open and says nothing.
                '\u{200b}'..='\u{200d}' | '\u{ad}' | '\u{feff}' | '\u{34f}' => {}
                _ if c.is_whitespace() || c.is_control() => self.space = true,
                _ => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        if !self.out.is_empty() && self.breaks > 0 {
            self.out
                .extend(std::iter::repeat_n('\n', self.breaks.min(2)));
        } else if self.space && !self.out.is_empty() {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        self.out.push(c);
    }
}

/// What follows `end`, or nothing.
fn behind<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

fn behind_close<'a>(text: &'a str, name: &str) -> &'a str {
    find_tag(text, "</", name).map_or("", |at| behind(&text[at..], ">"))
}

/// Where a tag begins, by its name in small letters.
pub(super) fn find_tag(text: &str, opening: &str, name: &str) -> Option<usize> {
    let named = |at: &usize| {
        let start = at + opening.len();
        let found = text.get(start..start + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    text.match_indices(opening).map(|(at, _)| at).find(named)
}

/// Where the tag at the start of `text` ends: a `>` in quotes does not count.
pub(super) fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    text.len()
}

/// The value of an attribute in quotes or without.
pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let (at, _) = lower.match_indices(name).find(|(at, _)| {
        let before = lower[..*at].ends_with(|c: char| c.is_ascii_whitespace() || c == '"');
        before && lower[at + name.len()..].trim_start().starts_with('=')
    })?;
    let value = tag[at + name.len()..]
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quoted = |quote: char| {
        value
            .strip_prefix(quote)
            .and_then(|v| v.split(quote).next())
    };
    let bare = value.split([' ', '\t', '\n', '>']).next();
    quoted('"').or_else(|| quoted('\'')).or(bare).map(unescape)
}

/// Reads character references; unknown ones stay as they are.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        if let Some((end, c)) = end.and_then(|end| Some((end, reference(&rest[1..end])?))) {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out + rest
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "rsquo" => '’',
        "lsquo" => '‘',
        "rdquo" => '”',
        "ldquo" => '“',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "euro" => '€',
        "zwnj" => '\u{200c}',
        "bull" => '•',
        "middot" => '·',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "<p>One\n  two</p><p>Three<br>four<br/>five</p>",
        "One two\n\nThree\nfour\nfive"
    )]
    #[case("<ul><li>a</li><li><b>b</b> c</li></ul>after", "- a\n- b c\n\nafter")]
    #[case(
        "<a href=\"https://x.example/?a=1&amp;b=2\">Read <i>on</i></a>!",
        "Read on (https://x.example/?a=1&b=2)!"
    )]
    #[case(
        "<a href='https://x.example'>https://x.example</a> <a href=\"mailto:a@x.example\">a@x.example</a>",
        "https://x.example a@x.example"
    )]
    #[case(
        "<a data-href=\"x\" href=https://x.example><img src=\"i.png\" alt=\"Offer\"></a>",
        "Offer (https://x.example)"
    )]
    #[case(
        "<head><title>T</title></head><style>p > a {}</style><!-- <p>no</p> --><script>a < b</script>Yes",
        "Yes"
    )]
    #[case(
        "5 &lt; 6 &amp; 7 < 8 &unknown; &#8364;&#x20ac;&nbsp;x",
        "5 < 6 & 7 < 8 &unknown; €€ x"
    )]
    #[case(
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
        "a b\nc"
    )]
    #[case("<p title=\"a > b\">x</p>", "x")]
    #[case("<!DOCTYPE html><p>x", "x")]
    #[case("<div>x</div", "x")]
    fn html_reads_as_plain_text(#[case] html: &str, #[case] expected: &str) {
        assert_eq!(from_html(html), expected);
    }

    #[test]
    fn a_preheader_stands_at_the_start_of_the_body_and_is_escaped() {
        let html = with_preheader("<html><BODY class=a><p>x</p>", "5 < 6\n& more");
        let (before, after) = html.split_once("<div").unwrap();
        assert_eq!(before, "<html><BODY class=a>");
        assert!(
            after.ends_with(">5 &lt; 6 &amp; more</div><p>x</p>"),
            "{after}"
        );
        assert!(with_preheader("<p>x</p>", "y").starts_with("<div"));
    }

    #[test]
    fn a_header_is_one_line() {
        assert_eq!(one_line(" a\r\nBcc:\tb\u{0}c "), "a Bcc: b c");
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_escaping_and_reading(text in "[a-z&<>\"';#é ]{0,40}") {
            let mut html = String::new();
            write_escaped(&mut html, &text).unwrap();
            proptest::prop_assert_eq!(from_html(&html), one_line(&text));
        }

        #[test]
        fn any_html_is_read_without_a_panic(html in "[a-e&<>\"'=/;!é \n-]{0,60}") {
            from_html(&html);
            with_preheader(&html, "x");
        }
    }
}
