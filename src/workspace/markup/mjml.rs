//! Owns laying out MJML (mjml.io) as HTML for mail programs.

use std::collections::HashMap;
use std::ops::Range;

use mrml::prelude::parser::{Error, Origin, ParserOptions, WarningKind};
use mrml::prelude::render::RenderOptions;

use super::includes::Includes;
use super::problem::MarkupProblem;
use super::styles;
use super::veil::{Veil, lift};

/// What MJML came to.
pub(crate) struct Mjml {
    pub(crate) html: String,
    pub(crate) doubts: Vec<MarkupProblem>,
}

/// The HTML of a text in MJML, its styles in the tags, its placeholders as they were.
pub(crate) fn mjml(source: &str, includes: &Includes<'_>) -> Result<Mjml, MarkupProblem> {
    let veil = Veil::over(source, 0);
    let options = ParserOptions {
        include_loader: Box::new(includes.loader()),
    };
    let place = Places {
        veil: &veil,
        includes,
    };
    let parsed =
        mrml::parse_with_options(&veil.text, &options).map_err(|error| place.of_error(&error))?;
    // No fonts from elsewhere that nobody asked for: whoever opens the mail would be seen there.
    let rendering = RenderOptions {
        fonts: HashMap::new(),
        ..RenderOptions::default()
    };
    let laid_out = parsed.element.render(&rendering);
    let html = laid_out.map_err(|error| MarkupProblem::new(0..1, error.to_string()))?;
    let html = styles::inlined(&html).map_err(|why| MarkupProblem::new(0..1, why))?;
    let veils: Vec<&Veil> = includes.veils().chain([&veil]).collect();
    let doubts = parsed.warnings.into_iter();
    let doubts = doubts.filter(|doubt| doubt.kind == WarningKind::UnexpectedAttribute);
    let doubts = doubts.map(|doubt| MarkupProblem {
        is_doubt: true,
        ..place.problem(
            &doubt.origin,
            doubt.span.start..doubt.span.end,
            "this element has no such attribute",
        )
    });
    Ok(Mjml {
        html: lift(&html, &veils),
        doubts: doubts.collect(),
    })
}

/// Finds the places of what was read in what was written.
struct Places<'a> {
    veil: &'a Veil,
    includes: &'a Includes<'a>,
}

impl Places<'_> {
    fn problem(
        &self,
        origin: &Origin,
        range: Range<usize>,
        message: impl Into<String>,
    ) -> MarkupProblem {
        let (file, veil) = match origin {
            Origin::Root => (None, self.veil),
            Origin::Include { path } => (
                Some(path.clone()),
                self.includes.veil(path).unwrap_or(self.veil),
            ),
        };
        let range = veil.origin(range.start)..veil.origin(range.end);
        MarkupProblem {
            file,
            ..MarkupProblem::new(range, message)
        }
    }

    fn of_error(&self, error: &Error) -> MarkupProblem {
        let whole = 0..1;
        match error {
            Error::UnexpectedElement { origin, position } => self
                .problem(
                    origin,
                    position.start..position.end,
                    "this element cannot stand here",
                )
                .help("see which elements may hold it: documentation.mjml.io"),
            Error::UnexpectedToken { origin, position } => self
                .problem(
                    origin,
                    position.start..position.end,
                    "text cannot stand here",
                )
                .help("put it into `<mj-text>`, and HTML into `<mj-raw>`"),
            Error::MissingAttribute {
                name,
                origin,
                position,
            } => self.problem(
                origin,
                position.start..position.end,
                format!("this element needs the attribute `{name}`"),
            ),
            Error::InvalidAttribute { origin, position } => self.problem(
                origin,
                position.start..position.end,
                "this attribute cannot be read",
            ),
            Error::InvalidFormat { origin, position } => {
                self.problem(origin, position.start..position.end, "this cannot be read")
            }
            Error::EndOfStream { origin } => self
                .problem(
                    origin,
                    whole,
                    "the text ends before its last element is closed",
                )
                .help("close every element, also `<br />`"),
            Error::SizeLimit { origin } => self.problem(origin, whole, "the text is too long"),
            Error::ParserError { origin, source } => {
                self.problem(origin, whole, format!("this is no markup: {source}"))
            }
            Error::NoRootNode => MarkupProblem::new(whole, "there is no `<mjml>` element")
                .help("begin with `<mjml><mj-body>`"),
            Error::IncludeLoaderError {
                origin, position, ..
            } => self.problem(
                origin,
                position.start..position.end,
                "the file to include is not there",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(source: &str) -> Result<Mjml, MarkupProblem> {
        let includes = Includes::of(source, &|_| None)?;
        mjml(source, &includes)
    }

    fn body(inner: &str) -> String {
        format!(
            "<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"
        )
    }

    #[test]
    fn placeholders_come_through_wherever_they_stand() {
        let inner = "<mj-text color=\"{{ color }}\">Dear {{ customer.first_name|default('friend') }} \
             {% if a > b %}<b>x</b>{% endif %}</mj-text>\
             {% for item in customer.products %}<mj-text>{{ item }}</mj-text>{% endfor %}\
             <mj-table>{% for x in y %}<tr><td>{{ x }}</td></tr>{% endfor %}</mj-table>\
             <mj-raw>{% if c %}<tr><td>d</td></tr>{% endif %}</mj-raw>\
             <mj-button href=\"{{ unsubscribe_url }}\">Stop</mj-button>";
        let html = made(&body(inner)).unwrap().html;
        for part in [
            "color:{{ color }}",
            "Dear {{ customer.first_name|default('friend') }} {% if a > b %}<b>x</b>{% endif %}",
            "{{ x }}</td></tr>{% endfor %}</table>",
            "d</td></tr>{% endif %}",
            "href=\"{{ unsubscribe_url }}\"",
        ] {
            assert!(html.contains(part), "`{part}` is not in\n{html}");
        }
        let [start, item, end] =
            ["{% for item", "{{ item }}", "{% endfor %}"].map(|part| html.find(part).unwrap());
        assert!(start < item && item < end, "{html}");
        for part in ["q9drumbeat", "googleapis"] {
            assert!(!html.contains(part), "{html}");
        }
    }

    #[test]
    fn a_mistake_is_where_it_was_written() {
        let source = body("{{ a }}<mj-txt>x</mj-txt>");
        let problem = made(&source).err().unwrap();
        assert_eq!(problem.message, "there is no element `mj-txt`");
        assert_eq!(&source[problem.range], "mj-txt");
        let source = body("<mj-carousel>{{ a }}<mj-text>x</mj-text></mj-carousel>");
        let problem = made(&source).err().unwrap();
        assert_eq!(problem.message, "this element cannot stand here");
        assert!(
            source[problem.range.clone()].contains("mj-text"),
            "{problem:?}"
        );
        let source = "<mjml><mj-head><mj-breakpoint width=\"320px\" wide=\"1\" /></mj-head></mjml>";
        let doubts = made(source).unwrap().doubts;
        assert!(
            source[doubts[0].range.clone()].contains("wide"),
            "{doubts:?}"
        );
    }

    #[test]
    fn no_file_includes_itself() {
        let read = |path: &str| match path {
            "a.mjml" => Some("<mj-include path=\"b.mjml\" />"),
            "b.mjml" => Some("<mj-include path=\"a.mjml\" />"),
            _ => None,
        };
        let source = "<mjml><mj-include path='a.mjml' /></mjml>";
        let problem = Includes::of(source, &read).err().unwrap();
        assert_eq!(problem.message, "`a.mjml` includes itself");
        assert_eq!(problem.file.as_deref(), Some("b.mjml"));
        let missing = Includes::of("<mj-include path=\"c\" />", &read)
            .err()
            .unwrap();
        assert_eq!(missing.message, "there is no file `c`");
    }

    #[test]
    fn what_grows_by_including_is_refused() {
        let names: Vec<String> = (0..8).map(|n| format!("{n}.mjml")).collect();
        let texts: Vec<String> = (1..=8)
            .map(|n| format!("<mj-include path=\"{n}.mjml\" />").repeat(10))
            .collect();
        let read = |path: &str| {
            let found = names.iter().position(|name| name == path)?;
            Some(if found == 7 {
                "<mj-text>x</mj-text>"
            } else {
                texts[found].as_str()
            })
        };
        let problem = Includes::of("<mj-include path=\"0.mjml\" />", &read)
            .err()
            .unwrap();
        assert!(problem.message.contains("1 MiB"), "{problem:?}");
    }
}
