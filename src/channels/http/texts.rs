//! Owns the texts of a request: fixed ones are kept, those with `{{ }}` are compiled once.

use serde::Serialize;

use crate::channels::setup::{BadGateway, Setup};
use crate::domain::gateway::Secretive;
use crate::domain::template::Snippets;

/// A text after its secrets were put in.
pub(super) enum Text {
    /// Written as it stands.
    Fixed(String),
    /// The name of a compiled template.
    Template(String),
}

/// Collects the texts of one gateway.
pub(super) struct Reader<'a> {
    setup: &'a Setup<'a>,
    sources: Vec<(String, String)>,
}

/// The compiled templates of one gateway.
pub(super) struct Texts(Snippets);

impl<'a> Reader<'a> {
    pub(super) fn new(setup: &'a Setup<'a>) -> Self {
        Self {
            setup,
            sources: Vec::new(),
        }
    }

    pub(super) fn setup(&self) -> &'a Setup<'a> {
        self.setup
    }

    /// Reads the text that stands at `place`, which ends in a colon and names it in errors.
    pub(super) fn text(&mut self, place: &str, text: &Secretive) -> Result<Text, BadGateway> {
        let key = place.trim_end_matches([':', ' ']);
        // Asked of what is written in the file, so that a secret is never taken for a template.
        let openings = ["{{", "{%", "{#"];
        let is_template = openings.iter().any(|opening| text.0.contains(opening));
        let text = self.setup.text(&format!("gateway.http.{key}"), text)?;
        if !is_template {
            return Ok(Text::Fixed(text));
        }
        self.sources.push((place.to_owned(), text));
        Ok(Text::Template(place.to_owned()))
    }

    pub(super) fn finish(self) -> Result<Texts, BadGateway> {
        let sources = self.sources.iter();
        Snippets::new(sources.map(|(name, source)| (name.as_str(), source.as_str())))
            .map(Texts)
            .map_err(|error| self.setup.bad("gateway.http", &error))
    }
}

impl Texts {
    pub(super) fn write(&self, text: &Text, context: &impl Serialize) -> Result<String, String> {
        match text {
            Text::Fixed(text) => Ok(text.clone()),
            Text::Template(name) => self.0.render(name, context),
        }
    }
}
