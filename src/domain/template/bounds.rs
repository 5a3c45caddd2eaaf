//! Owns how deep a template may be, asked before it is parsed: the parser and what follows it call
//! themselves for every level, and a thread's stack is finite.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// The most words and signs in one `{{ … }}` or `{% … %}`.
const LONGEST_EXPRESSION: usize = 400;
/// The most `if`, `elif` and `for` around one place.
const DEEPEST_NESTING: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooDeep {
    pub message: &'static str,
    /// Bytes of the source.
    pub range: Range<usize>,
}

/// Whether a template, or with `in_expression` a single expression, is too deep to be parsed. What
/// cannot be split into words is left for the parser to explain.
pub(super) fn check(source: &str, in_expression: bool) -> Result<(), TooDeep> {
    let mut depth = Depth::default();
    for token in tokenize(source, in_expression, SyntaxConfig::default()) {
        let Ok((token, span)) = token else {
            return Ok(());
        };
        if let Some(message) = depth.exceeded(&token) {
            let range = span.start_offset as usize..span.end_offset as usize;
            return Err(TooDeep { message, range });
        }
    }
    Ok(())
}

#[derive(Default)]
struct Depth {
    /// Words and signs since the last `{{` or `{%`.
    words: usize,
    /// Whether the next word says what the statement is.
    is_statement: bool,
    /// For each open `if` and `for`, how many levels it and its `elif`s are.
    open: Vec<usize>,
}

impl Depth {
    fn exceeded(&mut self, token: &Token<'_>) -> Option<&'static str> {
        match token {
            Token::VariableStart | Token::TemplateData(_) => self.words = 0,
            Token::BlockStart => (self.words, self.is_statement) = (0, true),
            Token::Ident(word) if std::mem::take(&mut self.is_statement) => self.statement(word),
            _ => self.words += 1,
        }
        if self.words > LONGEST_EXPRESSION {
            Some("the expression is too long")
        } else if self.open.iter().sum::<usize>() > DEEPEST_NESTING {
            Some("the template is nested too deeply")
        } else {
            None
        }
    }

    fn statement(&mut self, word: &str) {
        match word {
            "if" | "for" => self.open.push(1),
            "elif" => self
                .open
                .iter_mut()
                .next_back()
                .into_iter()
                .for_each(|level| *level += 1),
            "endif" | "endfor" => _ = self.open.pop(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{lint, sandbox, snippets::Snippets};
    use crate::domain::field::DataModel;
    use rstest::rstest;

    /// Checks and compiles on a stack that is smaller than those of the daemon's threads.
    fn problems(source: String) -> (usize, bool) {
        let both = move || {
            let problems = lint::check(&source, true, &DataModel::default()).len();
            lint::uses(&source);
            lint::check_expression(&source);
            let mut environment = sandbox::environment();
            let compiled = sandbox::add(&mut environment, "text", &source).is_ok();
            assert_eq!(compiled, Snippets::new([("text", source.as_str())]).is_ok());
            (problems, compiled)
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(both);
        thread.unwrap().join().unwrap()
    }

    #[rstest]
    #[case("{{ 1", "+1", " }}")]
    #[case("{{ 1", "**1", " }}")]
    #[case("{{ flow.id", ".b", " }}")]
    #[case("{{ flow.id", "[0]", " }}")]
    #[case("{{ flow.id", "|upper", " }}")]
    #[case("{{ flow.id", " and flow.id", " }}")]
    #[case("{{ flow.id", "()", " }}")]
    #[case("{{ flow.id", " if flow.id else flow.id", " }}")]
    #[case("{{ ", "(", "")]
    #[case("{{ ", "[", "")]
    #[case("{{ ", "not ", "flow.id }}")]
    #[case("{{ ", "-", "1 }}")]
    #[case("{% if flow.id %}", "{% elif flow.id %}x", "{% endif %}")]
    #[case("", "{% if flow.id %}", "")]
    fn what_is_too_deep_is_refused_before_it_is_parsed(
        #[case] before: &str,
        #[case] level: &str,
        #[case] after: &str,
    ) {
        let source = [before, &level.repeat(50_000), after].concat();
        assert_eq!(problems(source), (1, false));
        // What is just not too deep may be wrong, and must not overflow a stack.
        for levels in [57, 130, 190, 390] {
            problems([before, &level.repeat(levels), after].concat());
        }
    }

    #[test]
    fn a_long_template_of_short_parts_is_fine() {
        let part = "<p>{{ customer.id }}</p>{% if flow.id %}a{% elif step.id %}b{% endif %}";
        assert_eq!(problems(part.repeat(2_000)), (0, true));
        let longest = format!("{{{{ 1{} }}}}", "+1".repeat(199));
        assert_eq!(problems(longest), (0, true));
    }
}
