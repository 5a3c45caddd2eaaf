//! Owns the literal text of a template around its values: what is known of its length before it is rendered.

use std::ops::Range;

use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::parse;
use minijinja::syntax::SyntaxConfig;

use super::bounds;
use super::problem::TemplateProblem;

/// What a value is counted as: a name, an amount, a date.
const VALUE: usize = 12;
/// A link of our own, with its token.
const LINK: usize = 120;

/// A template without its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The longest that the branches of conditions allow; loops run once, and values are `x` at a usual length.
    pub longest: String,
    /// Every literal text with the byte where it begins.
    pub literals: Vec<(usize, String)>,
}

impl Outline {
    /// None: the source cannot be read.
    pub fn of(source: &str) -> Option<Self> {
        bounds::check(source, false).ok()?;
        let tree = parse(source, "template", SyntaxConfig::default()).ok()?;
        let mut walk = Walk {
            source,
            literals: Vec::new(),
        };
        let longest = walk.statement(&tree);
        Some(Self {
            longest,
            literals: walk.literals,
        })
    }
}

impl TemplateProblem {
    /// A problem with one character at a byte of the source.
    pub fn with_character(source: &str, letter: char, offset: usize, message: String) -> Self {
        let range: Range<usize> = offset..offset + letter.len_utf8();
        Self::at(source, &range, message)
    }
}

struct Walk<'a> {
    source: &'a str,
    literals: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn statements(&mut self, statements: &[Stmt<'_>]) -> String {
        let texts = statements.iter().map(|statement| self.statement(statement));
        texts.collect()
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> String {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(text) => self.literal(text.raw),
            Stmt::EmitExpr(emit) => "x".repeat(usual(&emit.expr)),
            Stmt::IfCond(condition) => {
                let yes = self.statements(&condition.true_body);
                let no = self.statements(&condition.false_body);
                if no.chars().count() > yes.chars().count() {
                    no
                } else {
                    yes
                }
            }
            Stmt::ForLoop(each) => self.statements(&each.body),
            // What else there is, is refused when the template is checked.
            _ => String::new(),
        }
    }

    /// The parser's texts are pieces of the source.
    fn literal(&mut self, text: &str) -> String {
        let offset = text
            .as_ptr()
            .addr()
            .checked_sub(self.source.as_ptr().addr());
        let offset = offset.filter(|at| self.source.get(*at..at + text.len()) == Some(text));
        self.literals
            .push((offset.unwrap_or_default(), text.to_owned()));
        text.to_owned()
    }
}

fn usual(expression: &Expr<'_>) -> usize {
    match expression {
        Expr::Var(name) if name.id.ends_with("_url") => LINK,
        Expr::Filter(filter) => filter.expr.as_ref().map_or(VALUE, usual),
        _ => VALUE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_branch_is_counted_and_values_have_a_usual_length() {
        let source = "Hi {{ customer.first_name }}{% if customer.city %}, {{ customer.city }}!{% else %} and hello to you.{% endif %} {{ preferences_url }}";
        let outline = Outline::of(source).unwrap();
        let expected = format!(
            "Hi {} and hello to you. {}",
            "x".repeat(VALUE),
            "x".repeat(LINK)
        );
        assert_eq!(outline.longest, expected);
        for (offset, text) in &outline.literals {
            assert_eq!(
                source.get(*offset..offset + text.len()),
                Some(text.as_str())
            );
        }
        let texts: Vec<&str> = outline
            .literals
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(texts, ["Hi ", ", ", "!", " and hello to you.", " "]);
    }

    #[test]
    fn what_cannot_be_read_has_no_outline() {
        assert_eq!(Outline::of("{% if %}"), None);
    }
}
