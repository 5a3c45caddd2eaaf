//! Owns the reading of a template's syntax tree: every name, filter, test and call in it, and what is refused.
//!
//! Only this file, bounds.rs and outline.rs name minijinja's machinery, which has no promise of stability.

use std::ops::Range;

use minijinja::Error;
use minijinja::machinery::ast::{BinOpKind, Call, CallArg, CallType, Expr, ForLoop, Stmt};
use minijinja::machinery::{Span, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::bounds::{self, TooDeep};

/// One thing that a template's text contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub what: Finding,
    /// Bytes of the source.
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// A dotted name from outside of the template, such as `customer.first_name`.
    Name(String),
    Call(String),
    Filter(String),
    Test(String),
    /// The literal format given to the `date` filter.
    DateFormat(String),
    /// A value that is written out; the range is the expression.
    Output,
    /// Something that could run away or hide what is named.
    Refused {
        message: String,
        help: &'static str,
    },
}

impl From<TooDeep> for Found {
    fn from(deep: TooDeep) -> Self {
        Self {
            what: Finding::Refused {
                message: deep.message.to_owned(),
                help: "write it in several shorter parts",
            },
            range: deep.range,
        }
    }
}

/// Everything in a template, in the order of the text.
pub(super) fn template(source: &str) -> Result<Vec<Found>, Error> {
    if let Err(deep) = bounds::check(source, false) {
        return Ok(vec![deep.into()]);
    }
    let tree = parse(source, "template", SyntaxConfig::default())?;
    let mut walk = Walk::default();
    walk.statement(&tree);
    Ok(walk.found)
}

/// Everything in a single expression.
pub(super) fn expression(source: &str) -> Result<Vec<Found>, Error> {
    if let Err(deep) = bounds::check(source, true) {
        return Ok(vec![deep.into()]);
    }
    let tree = parse_expr(source)?;
    let mut walk = Walk::default();
    walk.expression(&tree);
    Ok(walk.found)
}

#[derive(Default)]
struct Walk {
    found: Vec<Found>,
    /// The variables of the loops around the current place.
    loops: Vec<String>,
}

impl Walk {
    fn add(&mut self, what: Finding, span: Span) {
        let range = span.start_offset as usize..span.end_offset as usize;
        self.found.push(Found { what, range });
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>, help: &'static str) {
        let message = message.into();
        self.add(Finding::Refused { message, help }, span);
    }

    fn refuse_statement(&mut self, span: Span, name: &str) {
        let message = format!("`{name}` is not available in templates");
        self.refuse(span, message, "use `{{ … }}`, filters, `if` and `for`");
    }

    fn statements(&mut self, statements: &[Stmt<'_>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => {
                self.add(Finding::Output, emit.expr.span());
                self.expression(&emit.expr);
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::ForLoop(each) => self.each(each, each.span()),
            Stmt::WithBlock(block) => self.refuse_statement(block.span(), "with"),
            Stmt::Set(set) => self.refuse_statement(set.span(), "set"),
            Stmt::SetBlock(set) => self.refuse_statement(set.span(), "set"),
            Stmt::AutoEscape(block) => self.refuse_statement(block.span(), "autoescape"),
            Stmt::FilterBlock(block) => self.refuse_statement(block.span(), "filter"),
            Stmt::Do(call) => self.refuse_statement(call.span(), "do"),
        }
    }

    /// A loop variable holds a part of a field and nothing longer, so nested loops cannot grow texts.
    fn each(&mut self, each: &ForLoop<'_>, span: Span) {
        const HELP: &str = "write `{% for product in customer.products %}`";
        if each.recursive {
            self.refuse(span, "a loop cannot call itself", HELP);
        }
        if path(&each.iter).is_none() {
            let message = "a loop goes over a field with several values";
            self.refuse(each.iter.span(), message, HELP);
        }
        self.expression(&each.iter);
        let Expr::Var(target) = &each.target else {
            let message = "a loop has one variable";
            return self.refuse(each.target.span(), message, HELP);
        };
        let outer = self.loops.len();
        self.loops.extend([target.id.to_owned(), "loop".to_owned()]);
        each.filter_expr.iter().for_each(|e| self.expression(e));
        self.statements(&each.body);
        self.loops.truncate(outer);
        self.statements(&each.else_body);
    }

    fn expressions<'a>(&mut self, expressions: impl IntoIterator<Item = &'a Expr<'a>>) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        if let Some(path) = path(expression) {
            return self.name(&path, expression.span());
        }
        match expression {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::GetAttr(get) => self.expression(&get.expr),
            Expr::GetItem(get) => {
                let message = "a field cannot be named by a computed value";
                self.refuse(get.span(), message, "write `customer.` and the identifier");
                self.expressions([&get.expr, &get.subscript_expr]);
            }
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                let bounds = [&slice.start, &slice.stop, &slice.step];
                self.expressions(bounds.into_iter().flatten());
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                self.operator(operation.op, [&operation.left, &operation.right]);
                self.expressions([&operation.left, &operation.right]);
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                self.expressions(compare.ops.iter().map(|operation| &operation.expr));
            }
            Expr::IfExpr(choice) => {
                self.expressions([&choice.test_expr, &choice.true_expr]);
                self.expressions(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.expressions(&filter.expr);
                self.filter(filter.name, &filter.args, filter.span());
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.add(Finding::Test(test.name.to_owned()), test.span());
                self.arguments(&test.args);
            }
            Expr::Call(call) => self.call(call, call.span()),
            Expr::List(list) => self.expressions(&list.items),
            Expr::Tuple(tuple) => self.expressions(&tuple.items),
            Expr::Map(map) => {
                self.expressions(&map.keys);
                self.expressions(&map.values);
            }
        }
    }

    fn name(&mut self, path: &[String], span: Span) {
        if !self.loops.contains(&path[0]) {
            self.add(Finding::Name(path.join(".")), span);
        }
    }

    fn operator(&mut self, operator: BinOpKind, sides: [&Expr<'_>; 2]) {
        const HELP: &str = "write the texts side by side: `{{ a }}{{ b }}`";
        let is_text = |side: &&Expr<'_>| {
            matches!(side, Expr::List(_) | Expr::Tuple(_))
                || matches!(side, Expr::Const(constant) if constant.value.as_str().is_some())
        };
        let span = sides[1].span();
        match operator {
            BinOpKind::Concat => self.refuse(span, "`~` is not available in templates", HELP),
            BinOpKind::Mul if sides.iter().any(is_text) => {
                self.refuse(span, "a text cannot be multiplied", HELP);
            }
            _ => {}
        }
    }

    fn filter(&mut self, name: &str, arguments: &[CallArg<'_>], span: Span) {
        self.add(Finding::Filter(name.to_owned()), span);
        if let ("date", [CallArg::Pos(Expr::Const(format))]) = (name, arguments)
            && let Some(format) = format.value.as_str()
        {
            self.add(Finding::DateFormat(format.to_owned()), span);
        }
        self.arguments(arguments);
    }

    fn call(&mut self, call: &Call<'_>, span: Span) {
        match call.identify_call() {
            CallType::Function(name) => self.add(Finding::Call(name.to_owned()), span),
            CallType::Method(of, name) => {
                let message = format!("`.{name}()` is not available in templates");
                self.refuse(span, message, "use a filter, such as `|upper`");
                self.expression(of);
            }
            CallType::Object(_) => self.refuse(span, "a value cannot be called", "use a filter"),
        }
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    self.refuse(
                        value.span(),
                        "`*` cannot stand before an argument",
                        "remove it",
                    );
                }
            }
        }
    }
}

/// The parts of a dotted name; an index such as `[0]` names the same field.
fn path(expression: &Expr<'_>) -> Option<Vec<String>> {
    match expression {
        Expr::Var(variable) => Some(vec![variable.id.to_owned()]),
        Expr::GetAttr(get) => Some(extended(path(&get.expr)?, get.name)),
        Expr::GetItem(get) => {
            let path = path(&get.expr)?;
            let Expr::Const(subscript) = &get.subscript_expr else {
                return None;
            };
            match subscript.value.as_str() {
                Some(name) => Some(extended(path, name)),
                None => Some(path),
            }
        }
        _ => None,
    }
}

fn extended(mut path: Vec<String>, name: &str) -> Vec<String> {
    path.push(name.to_owned());
    path
}
