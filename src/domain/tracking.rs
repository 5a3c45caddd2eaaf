//! Owns how it is seen that somebody opened a message or followed a link of it, where that is allowed.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::customer::{Customer, FieldValue};
use super::message::{Rendered, RenderedEmail, RenderedPush};
use super::plain_text::{find_tag, tag_end, unescape, write_escaped};
use super::value::Value;

/// What a channel may see; nothing unless it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tracking {
    /// E-mail: a picture of one pixel tells that the message was opened; `false` unless set.
    #[serde(default)]
    pub opens: bool,
    /// Links lead over this daemon, which tells that they were followed; `false` unless set.
    #[serde(default)]
    pub clicks: bool,
    /// The customer's field, of type `boolean`, that must be true; everybody is asked for unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_field: Option<String>,
}

impl Tracking {
    /// What may be seen of this customer.
    pub fn of(&self, customer: &Customer) -> Seen {
        let agreed = self.consent_field.as_ref().is_none_or(|field| {
            customer.fields.get(field) == Some(&FieldValue::One(Value::Boolean(true)))
        });
        Seen {
            opens: self.opens && agreed,
            clicks: self.clicks && agreed,
        }
    }
}

/// What may be seen of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub opens: bool,
    pub clicks: bool,
}

impl Seen {
    pub fn nothing(self) -> bool {
        !self.opens && !self.clicks
    }
}

/// Makes the addresses that tell.
pub trait Trace {
    /// Of the picture.
    fn pixel(&self) -> String;
    /// That leads on to `target`; none: the link stays as it is.
    fn click(&self, target: &str) -> Option<String>;
}

/// The message with what tells of it.
#[must_use]
pub fn traced(rendered: Rendered, seen: Seen, trace: &dyn Trace) -> Rendered {
    match rendered {
        Rendered::Email(email) => Rendered::Email(RenderedEmail {
            html: email.html.map(|html| traced_html(html, seen, trace)),
            ..email
        }),
        Rendered::Push(push) if seen.clicks => Rendered::Push(RenderedPush {
            link: push.link.map(|link| click(&link, trace).unwrap_or(link)),
            ..push
        }),
        other => other,
    }
}

fn traced_html(html: String, seen: Seen, trace: &dyn Trace) -> String {
    let html = if seen.clicks {
        with_clicks(&html, trace)
    } else {
        html
    };
    if seen.opens {
        with_pixel(&html, &trace.pixel())
    } else {
        html
    }
}

fn click(target: &str, trace: &dyn Trace) -> Option<String> {
    let is_web = ["https://", "http://"].iter().any(|scheme| {
        let start = target.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    is_web.then(|| trace.click(target)).flatten()
}

/// Comments stay as they are: some mail programs read what stands in them.
fn with_clicks(html: &str, trace: &dyn Trace) -> String {
    let mut out = String::with_capacity(html.len() * 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = match rest.strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map_or(rest.len(), |end| end + 7),
            None => (tag_end(rest) + 1).min(rest.len()),
        };
        let (tag, behind) = rest.split_at(end);
        rest = behind;
        let target =
            href(tag).and_then(|at| Some((click(&unescape(&tag[at.clone()]), trace)?, at)));
        let Some((url, at)) = target else {
            out.push_str(tag);
            continue;
        };
        out.push_str(&tag[..at.start]);
        let written = write_escaped(&mut out, &url);
        debug_assert!(written.is_ok(), "a String takes every text");
        out.push_str(&tag[at.end..]);
    }
    out.push_str(rest);
    out
}

/// Where the target of a link stands in its tag, without quotes.
fn href(tag: &str) -> Option<Range<usize>> {
    let inside = tag.strip_prefix(['<'])?;
    let name = inside.find(|c: char| c.is_whitespace())?;
    if !matches!(inside[..name].to_ascii_lowercase().as_str(), "a" | "area") {
        return None;
    }
    let mut at = 1 + name;
    loop {
        at += tag[at..].find(|c: char| !c.is_whitespace() && c != '/')?;
        let name_end = at + tag[at..].find(|c: char| c.is_whitespace() || "=>/".contains(c))?;
        let name = &tag[at..name_end];
        let equals = name_end + tag[name_end..].find(|c: char| !c.is_whitespace())?;
        if !tag[equals..].starts_with('=') {
            if name.is_empty() {
                return None;
            }
            at = name_end;
            continue;
        }
        let value = equals + 1 + tag[equals + 1..].find(|c: char| !c.is_whitespace())?;
        let range = if let quote @ ('"' | '\'') = tag[value..].chars().next()? {
            let start = value + 1;
            start..start + tag[start..].find(quote)?
        } else {
            let end = tag[value..].find(|c: char| c.is_whitespace() || c == '>');
            value..value + end?
        };
        if name.eq_ignore_ascii_case("href") {
            return Some(range);
        }
        at = (range.end + 1).min(tag.len());
    }
}

/// Before the end of the body, where it delays nothing.
fn with_pixel(html: &str, url: &str) -> String {
    let at = find_tag(html, "</", "body").unwrap_or(html.len());
    let mut image = String::from("<img src=\"");
    let written = write_escaped(&mut image, url);
    debug_assert!(written.is_ok(), "a String takes every text");
    image.push_str("\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0;width:1px;height:1px\">");
    format!("{}{image}{}", &html[..at], &html[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    struct Bare;

    impl Trace for Bare {
        fn pixel(&self) -> String {
            "https://us.example/o/T?a=1&b=2".to_owned()
        }

        fn click(&self, target: &str) -> Option<String> {
            (!target.contains("us.example")).then(|| format!("C[{target}]"))
        }
    }

    #[rstest]
    #[case(
        "<p><a href=\"https://x.example/?a=1&amp;b=2\">x</a></p>",
        "<p><a href=\"C[https://x.example/?a=1&amp;b=2]\">x</a></p>"
    )]
    #[case(
        "<A class=b HREF='HTTP://x.example'>x</A>",
        "<A class=b HREF='C[HTTP://x.example]'>x</A>"
    )]
    #[case(
        "<a href=https://x.example>x</a>",
        "<a href=C[https://x.example]>x</a>"
    )]
    #[case(
        "<a title=\"a > b\" disabled href = \"https://x.example\" />",
        "<a title=\"a > b\" disabled href = \"C[https://x.example]\" />"
    )]
    #[case(
        "<a href=\"mailto:a@x.example\">x</a>",
        "<a href=\"mailto:a@x.example\">x</a>"
    )]
    #[case(
        "<a href=\"#top\">x</a> <abbr href=\"https://x.example\">",
        "<a href=\"#top\">x</a> <abbr href=\"https://x.example\">"
    )]
    #[case(
        "<a href=\"https://us.example/u/T\">x</a>",
        "<a href=\"https://us.example/u/T\">x</a>"
    )]
    #[case(
        "<!-- <a href=\"https://x.example\"> --><b>",
        "<!-- <a href=\"https://x.example\"> --><b>"
    )]
    #[case(
        "a < b <a data-href=\"https://x.example\" href",
        "a < b <a data-href=\"https://x.example\" href"
    )]
    #[case(
        "<img src=\"https://x.example/i.png\">",
        "<img src=\"https://x.example/i.png\">"
    )]
    fn only_links_to_the_web_are_led_over_us(#[case] html: &str, #[case] expected: &str) {
        assert_eq!(with_clicks(html, &Bare), expected);
    }

    #[test]
    fn the_picture_stands_at_the_end_of_the_body() {
        let seen = Seen {
            opens: true,
            clicks: false,
        };
        let html = traced_html("<body>x</BODY></html>".to_owned(), seen, &Bare);
        let (before, image) = html.split_once("<img ").unwrap();
        assert_eq!(before, "<body>x");
        assert!(
            image.starts_with("src=\"https://us.example/o/T?a=1&amp;b=2\""),
            "{image}"
        );
        assert!(image.ends_with("</BODY></html>"), "{image}");
        assert!(with_pixel("x", "u").starts_with("x<img"));
    }

    proptest::proptest! {
        #[test]
        fn any_html_keeps_all_but_its_targets(html in "[aA-c<>\"'=/!é h-]{0,60}") {
            proptest::prop_assert_eq!(with_clicks(&html, &Bare), html);
        }
    }
}
