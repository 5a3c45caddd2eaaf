//! Owns a line of the table: a figure beside its limit, the ratio, and whether the targets are held.

use std::fmt::Write as _;

use serde::Serialize;

/// The heading of the lines' columns.
pub(crate) fn heading() -> String {
    format!(
        "{:<48}{:>11}{:>10}{:>11}{:>8}  {:<14}{:<14}\n",
        "", "measured", "per node", "limit", "ratio", "first stage", "second stage"
    )
}

/// What a figure is compared with.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// At least this share of the limit.
    Share(f64, f64),
    /// At most this much.
    AtMost(f64, f64),
    None,
}

/// A line of the table.
pub(crate) struct Line {
    pub(crate) code: &'static str,
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) limit: Option<f64>,
    /// What one of several nodes has of it.
    pub(crate) each: Option<f64>,
    pub(crate) target: Target,
    pub(crate) digits: usize,
}

/// One value of a summary, as it is written to a file.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    code: &'static str,
    what: &'static str,
    value: f64,
    per_node: Option<f64>,
    limit: Option<f64>,
    ratio: Option<f64>,
    first_stage: Option<bool>,
    second_stage: Option<bool>,
}

impl Line {
    pub(crate) fn plain(
        (code, what): (&'static str, &'static str),
        value: f64,
        digits: usize,
    ) -> Self {
        Self {
            code,
            what,
            value,
            limit: None,
            each: None,
            target: Target::None,
            digits,
        }
    }

    pub(crate) fn most(
        line: (&'static str, &'static str),
        value: f64,
        target: (f64, f64),
        digits: usize,
    ) -> Self {
        Self {
            target: Target::AtMost(target.0, target.1),
            ..Self::plain(line, value, digits)
        }
    }

    pub(crate) fn ratio(&self) -> Option<f64> {
        self.limit.map(|limit| self.value / limit)
    }

    fn holds(&self) -> (Option<bool>, Option<bool>) {
        match self.target {
            Target::None => (None, None),
            Target::AtMost(first, second) => {
                (Some(self.value <= first), Some(self.value <= second))
            }
            Target::Share(first, second) => {
                let ratio = self.ratio();
                (
                    ratio.map(|ratio| ratio >= first),
                    ratio.map(|ratio| ratio >= second),
                )
            }
        }
    }

    pub(crate) fn figure(&self) -> Figure {
        let (first_stage, second_stage) = self.holds();
        Figure {
            code: self.code,
            what: self.what,
            value: self.value,
            per_node: self.each,
            limit: self.limit,
            ratio: self.ratio(),
            first_stage,
            second_stage,
        }
    }

    /// The value and its ratio, for a column of several.
    pub(crate) fn cell(&self) -> String {
        let digits = self.digits;
        let ratio = self
            .ratio()
            .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        format!("{:>11.digits$}{ratio:>7}", self.value)
    }

    pub(crate) fn write(&self, text: &mut String) {
        let digits = self.digits;
        let limit = self
            .limit
            .map_or_else(String::new, |limit| format!("{limit:.digits$}"));
        let ratio = self
            .ratio()
            .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let each = self
            .each
            .map_or_else(String::new, |each| format!("{each:.digits$}"));
        let (first, second) = self.holds();
        let stage = |target: Option<f64>, holds: Option<bool>| match (target, holds) {
            (Some(target), Some(true)) => format!("{target} held"),
            (Some(target), Some(false)) => format!("{target} MISSED"),
            _ => String::new(),
        };
        let (one, two) = match self.target {
            Target::None => (None, None),
            Target::Share(one, two) | Target::AtMost(one, two) => (Some(one), Some(two)),
        };
        let _infallible = writeln!(
            text,
            "{:<4}{:<44}{:>11.digits$}{:>10}{:>11}{:>8}  {:<14}{:<14}",
            self.code,
            self.what,
            self.value,
            each,
            limit,
            ratio,
            stage(one, first),
            stage(two, second)
        );
    }
}
