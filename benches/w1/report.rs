//! Owns what is printed: each figure beside its limit, the ratio, and the targets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::phases::Measures;

/// One run of one size: its phases, and its limits.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Run {
    pub(crate) customers: u64,
    pub(crate) load: f64,
    pub(crate) limits: Measures,
    pub(crate) phases: BTreeMap<String, Measures>,
}

/// What a figure is compared with.
#[derive(Clone, Copy)]
enum Target {
    /// At least this share of the limit.
    Share(f64, f64),
    /// At most this much.
    AtMost(f64, f64),
    None,
}

/// A line of the table.
struct Line {
    code: &'static str,
    what: &'static str,
    value: f64,
    limit: Option<f64>,
    target: Target,
    digits: usize,
}

/// One value of a summary, as it is written to a file.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    code: &'static str,
    what: &'static str,
    value: f64,
    limit: Option<f64>,
    ratio: Option<f64>,
    first_stage: Option<bool>,
    second_stage: Option<bool>,
}

impl Run {
    fn of(&self, phase: &str, name: &str) -> f64 {
        let measures = self.phases.get(phase);
        measures
            .and_then(|measures| measures.get(name))
            .copied()
            .unwrap_or(f64::NAN)
    }

    fn limit(&self, name: &str) -> Option<f64> {
        self.limits.get(name).copied()
    }

    fn members(&self) -> f64 {
        crate::phases::number(crate::workload::members(self.customers))
    }

    /// CPU milliseconds for a customer from the flow's publication to the last message.
    fn cpu_of_finished(&self) -> f64 {
        let phases = ["enroll", "first", "later"];
        let seconds: f64 = phases.iter().map(|phase| self.of(phase, "cpu")).sum();
        seconds * 1000.0 / self.members()
    }

    /// What the database grew by for a customer from the import to the last message.
    fn bytes_of_finished(&self) -> f64 {
        let before = self.of("looked", "database");
        (self.of("later", "database") - before) / self.members()
    }

    fn peak(&self) -> f64 {
        let peaks = self
            .phases
            .values()
            .filter_map(|measures| measures.get("peak"));
        peaks.copied().fold(0.0, f64::max)
    }

    fn lines(&self) -> Vec<Line> {
        let rate = |code, what, value, limit: &str, first, second| Line {
            code,
            what,
            value,
            limit: self.limit(limit),
            target: Target::Share(first, second),
            digits: 0,
        };
        let most = |code, what, value, first, second, digits| Line {
            code,
            what,
            value,
            limit: None,
            target: Target::AtMost(first, second),
            digits,
        };
        let plain = |what, value, digits| Line {
            code: "",
            what,
            value,
            limit: None,
            target: Target::None,
            digits,
        };
        vec![
            rate(
                "T1",
                "import, rows/s",
                self.of("import", "rate"),
                "import",
                0.2,
                0.4,
            ),
            plain(
                "changes of consent, one by one, per s",
                self.of("choices", "rate"),
                0,
            ),
            rate(
                "T2",
                "enroll, rows/s",
                self.of("enroll", "rate"),
                "enroll",
                0.1,
                0.3,
            ),
            plain(
                "imported customers looked at again, rows/s",
                self.of("looked", "rate"),
                0,
            ),
            rate(
                "T3",
                "advance, messages without a wire, steps/s",
                self.of("advance", "rate"),
                "advance",
                0.1,
                0.35,
            ),
            rate(
                "T3",
                "advance, waiting places, steps/s",
                self.of("places", "rate"),
                "advance",
                0.1,
                0.35,
            ),
            rate(
                "T4",
                "SMTP, messages/s",
                self.of("first", "smtp"),
                "smtp",
                0.15,
                0.5,
            ),
            rate(
                "T4",
                "SMTP, last wave, messages/s",
                self.of("later", "smtp"),
                "smtp",
                0.15,
                0.5,
            ),
            rate(
                "T4",
                "SMTP beside a pipelining client",
                self.of("first", "smtp"),
                "smtp_pipelined",
                0.0,
                0.5,
            ),
            rate(
                "T5",
                "HTTP, messages/s",
                self.of("later", "http"),
                "http",
                0.1,
                0.4,
            ),
            Line {
                limit: self.limit("change_p50"),
                ..most(
                    "T6",
                    "change to enrollment p50, ms",
                    self.of("change", "p50"),
                    1000.0,
                    10.0,
                    1,
                )
            },
            Line {
                limit: self.limit("change_p99"),
                ..most(
                    "T6",
                    "change to enrollment p99, ms",
                    self.of("change", "p99"),
                    1000.0,
                    50.0,
                    1,
                )
            },
            most(
                "T7",
                "CPU for a finished customer, ms",
                self.cpu_of_finished(),
                2.0,
                0.75,
                2,
            ),
            most("T8", "peak memory, MB", self.peak(), 300.0, 150.0, 0),
            most(
                "T8",
                "memory with a tenth asleep, MB",
                self.of("parked", "memory"),
                128.0,
                64.0,
                0,
            ),
            most(
                "T9",
                "bytes for a finished customer",
                self.bytes_of_finished(),
                1200.0,
                600.0,
                0,
            ),
            plain("bytes for a customer", self.of("looked", "bytes"), 0),
            plain("bytes for an enrollment", self.of("enroll", "bytes"), 0),
            most(
                "T10",
                "idle, percent of a core",
                self.of("parked", "idle_percent"),
                2.0,
                0.5,
                2,
            ),
            plain(
                "start with a tenth asleep, s",
                self.of("parked", "start"),
                2,
            ),
        ]
    }

    pub(crate) fn figures(&self) -> Vec<Figure> {
        self.lines().iter().map(Line::figure).collect()
    }

    /// The table of this run.
    pub(crate) fn table(&self, runs: usize) -> String {
        let mut text = format!(
            "\n{} customers, {runs} run(s), load average {:.1}\n{:<4}{:<44}{:>11}{:>11}{:>8}  {:<14}{:<14}\n",
            self.customers,
            self.load,
            "",
            "",
            "measured",
            "limit",
            "ratio",
            "first stage",
            "second stage"
        );
        for line in self.lines() {
            line.write(&mut text);
        }
        let peaks = self
            .phases
            .iter()
            .filter_map(|(phase, measures)| Some(format!("{phase} {:.0}", measures.get("peak")?)));
        let cpu = self
            .phases
            .iter()
            .filter_map(|(phase, measures)| Some(format!("{phase} {:.1}", measures.get("cpu")?)));
        let peaks: Vec<String> = peaks.collect();
        let cpu: Vec<String> = cpu.collect();
        let _infallible = writeln!(
            text,
            "    peak MB: {}\n    CPU s: {}",
            peaks.join(", "),
            cpu.join(", ")
        );
        text
    }
}

impl Line {
    fn ratio(&self) -> Option<f64> {
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

    fn figure(&self) -> Figure {
        let (first_stage, second_stage) = self.holds();
        Figure {
            code: self.code,
            what: self.what,
            value: self.value,
            limit: self.limit,
            ratio: self.ratio(),
            first_stage,
            second_stage,
        }
    }

    fn write(&self, text: &mut String) {
        let digits = self.digits;
        let limit = self
            .limit
            .map_or_else(String::new, |limit| format!("{limit:.digits$}"));
        let ratio = self
            .ratio()
            .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
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
            "{:<4}{:<44}{:>11.digits$}{:>11}{:>8}  {:<14}{:<14}",
            self.code,
            self.what,
            self.value,
            limit,
            ratio,
            stage(one, first),
            stage(two, second)
        );
    }
}

/// Value by value the median of several runs of one size.
pub(crate) fn median(runs: &[Run]) -> Option<Run> {
    let first = runs.first()?;
    let over = |pick: &dyn Fn(&Run) -> Option<f64>| {
        let mut values: Vec<f64> = runs.iter().filter_map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let limits = first.limits.keys();
    let limits = limits.map(|name| (name.clone(), over(&|run| run.limits.get(name).copied())));
    let phases = first.phases.iter().map(|(phase, measures)| {
        let of = |name: &String| over(&|run| run.phases.get(phase)?.get(name).copied());
        let measures = measures.keys().map(|name| (name.clone(), of(name)));
        (phase.clone(), measures.collect())
    });
    Some(Run {
        customers: first.customers,
        load: over(&|run| Some(run.load)),
        limits: limits.collect(),
        phases: phases.collect(),
    })
}
