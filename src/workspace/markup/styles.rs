//! Owns putting CSS into the tags it is about: many mail programs read no other. Rules that cannot be,
//! such as `@media`, stay where they are.

use std::iter::repeat;

use css_inline::{CSSInliner, InlineOptions};

use super::elements::too_deep;
use super::problem::MarkupProblem;
use super::veil::{Veil, is_stand_in, lift};

const BODY: &str = "<tbody";
const END_OF_BODY: &str = "</tbody>";
/// Elements that are there whether they are written or not, and the one whose content moves into tags.
const IMPLIED: [&str; 6] = ["html", "head", "body", "tbody", "colgroup", "style"];
const MARK: &str = " data-written=\"\"";

/// HTML with its `<style>` in the tags, its placeholders as they were; without one it stays to the letter.
pub(crate) fn styled(source: &str) -> Result<String, MarkupProblem> {
    let has_style = source.to_ascii_lowercase().contains("<style");
    if !has_style {
        return Ok(source.to_owned());
    }
    if let Some(range) = too_deep(source) {
        let message = "elements are nested more than 128 deep";
        return Err(MarkupProblem::new(range, message).help("nest less"));
    }
    let veil = Veil::over(source, 0);
    let html = inlined(&veil.text).map_err(|why| MarkupProblem::new(0..1, why))?;
    Ok(lift(&html, &[&veil]))
}

/// The same where nothing is hidden any more.
pub(super) fn inlined(html: &str) -> Result<String, String> {
    let options = InlineOptions {
        keep_at_rules: true,
        keep_link_tags: true,
        load_remote_stylesheets: false,
        ..InlineOptions::default()
    };
    let html = html.replace(BODY, &format!("{BODY}{MARK}"));
    let inlined = CSSInliner::new(options).inline(&html);
    let inlined =
        inlined.map_err(|why| format!("its styles cannot be put into the tags: {why}"))?;
    let inlined = without_implied(&inlined);
    match moved(&html, &inlined) {
        None => Ok(inlined),
        Some(name) => Err(format!(
            "`<{name}>` stands where HTML does not allow it, and would be shown elsewhere: rows of a table \
             begin with `<tr>`"
        )),
    }
}

/// The first element that whoever reads HTML puts elsewhere, out of a placeholder's reach perhaps.
fn moved(written: &str, read: &str) -> Option<String> {
    let (written, read) = (outline(written), outline(read));
    let mut pairs = written
        .iter()
        .zip(read.iter().map(Some).chain(repeat(None)));
    pairs
        .find(|(written, read)| Some(*written) != *read)
        .map(|(written, read)| read.unwrap_or(written).clone())
}

/// The elements and stand-ins of markup in their order, without those that are implied or taken out.
fn outline(html: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        text.chars().take_while(is_name).collect()
    };
    let tags = html.match_indices('<').filter_map(|(at, _)| {
        let after = &html[at + 1..];
        let word = match after.strip_prefix("!--") {
            Some(comment) if is_stand_in(comment) => name(comment),
            Some(_) => return None,
            None => name(after).to_ascii_lowercase(),
        };
        (!word.is_empty() && !IMPLIED.contains(&word.as_str())).then_some(word)
    });
    tags.collect()
}

/// Whoever reads HTML puts rows into a `<tbody>` (HTML Living Standard §13.2.6.4.9). Between it and its
/// table a loop over rows would begin outside and end inside: those that nobody wrote go again.
fn without_implied(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut written = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        kept.push_str(before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        let is_kept = if tag.starts_with(BODY) {
            written.push(tag.contains(MARK));
            tag.contains(MARK)
        } else {
            tag != END_OF_BODY || written.pop().unwrap_or(true)
        };
        if is_kept {
            kept.push_str(&tag.replace(MARK, ""));
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_go_into_the_tags_and_what_cannot_stays() {
        let source = "<!doctype html><html><head><style>p { color: red } @media (max-width: 1px) { p { color: blue } } \
             </style></head><body><p {% if a %}class=\"b\"{% endif %}>{{ x }}</p><table>{% for r in s %}<tr><td>{{ r }}</td></tr>\
             {% endfor %}</table><table><tbody class=\"x\"><tr><td>y</td></tr></tbody></table></body></html>";
        let html = styled(source).unwrap();
        for part in [
            "<p ",
            "style=\"color: red;\"",
            "@media (max-width: 1px)",
            "<table>{% for r in s %}<tr><td>{{ r }}</td></tr>{% endfor %}</table>",
            "<table><tbody class=\"x\"><tr><td>y</td></tr></tbody></table>",
            "{{ x }}</p>",
        ] {
            assert!(html.contains(part), "`{part}` is not in\n{html}");
        }
    }

    #[test]
    fn what_would_be_shown_elsewhere_is_refused() {
        let source = "<style>p { color: red }</style><table>{% if a %}<p>b</p>{% endif %}<tr><td>c</td></tr></table>";
        let problem = styled(source).err().unwrap();
        assert!(
            problem.message.starts_with("`<p>` stands where HTML"),
            "{problem:?}"
        );
    }

    #[test]
    fn what_has_no_style_stays_to_the_letter() {
        let source = "<p>{{ a }}</P><br>";
        assert_eq!(styled(source).unwrap(), source);
    }
}
