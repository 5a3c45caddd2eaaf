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
        let mut lines = self.of_the_store();
        lines.extend(self.of_the_wires());
        lines.extend(self.of_its_needs());
        lines
    }

    fn share(
        &self,
        line: (&'static str, &'static str),
        value: f64,
        limit: &str,
        target: (f64, f64),
    ) -> Line {
        Line {
            limit: self.limits.get(limit).copied(),
            target: Target::Share(target.0, target.1),
            ..Line::plain(line, value, 0)
        }
    }

    fn of_the_store(&self) -> Vec<Line> {
        let import = self.of("import", "rate");
        let choices = self.of("choices", "rate");
        let looked = self.of("looked", "rate");
        let (enroll, again) = (self.of("enroll", "rate"), self.of("advance", "enroll_rate"));
        let (advance, places) = (self.of("advance", "rate"), self.of("places", "rate"));
        let (enrolling, advancing) = ((0.1, 0.3), (0.1, 0.35));
        vec![
            self.share(("T1", "import, rows/s"), import, "import", (0.2, 0.4)),
            Line::plain(("", "changes of consent, one by one, per s"), choices, 0),
            Line::plain(("", "imported customers looked at, rows/s"), looked, 0),
            self.share(("T2", "enroll, rows/s"), enroll, "enroll", enrolling),
            self.share(
                ("T2", "enroll, a second flow, rows/s"),
                again,
                "enroll",
                enrolling,
            ),
            self.share(
                ("T3", "advance, messages without a wire, steps/s"),
                advance,
                "advance",
                advancing,
            ),
            self.share(
                ("T3", "advance, waiting places, steps/s"),
                places,
                "advance",
                advancing,
            ),
        ]
    }

    fn of_the_wires(&self) -> Vec<Line> {
        let (first, last) = (self.of("first", "smtp"), self.of("later", "smtp"));
        let (p50, p99) = (self.of("change", "p50"), self.of("change", "p99"));
        let (smtp, pipelined) = ((0.15, 0.5), (0.0, 0.5));
        let http = self.of("later", "http");
        vec![
            self.share(("T4", "SMTP, first wave, messages/s"), first, "smtp", smtp),
            self.share(("T4", "SMTP, last wave, messages/s"), last, "smtp", smtp),
            self.share(
                ("T4", "SMTP beside a pipelining client"),
                first,
                "smtp_pipelined",
                pipelined,
            ),
            self.share(("T5", "HTTP, messages/s"), http, "http", (0.1, 0.4)),
            Line {
                limit: self.limits.get("change_p50").copied(),
                ..Line::most(
                    ("T6", "change to enrollment p50, ms"),
                    p50,
                    (1000.0, 10.0),
                    1,
                )
            },
            Line {
                limit: self.limits.get("change_p99").copied(),
                ..Line::most(
                    ("T6", "change to enrollment p99, ms"),
                    p99,
                    (1000.0, 50.0),
                    1,
                )
            },
        ]
    }

    fn of_its_needs(&self) -> Vec<Line> {
        let (cpu, peak) = (self.cpu_of_finished(), self.peak());
        let (asleep, idle) = (
            self.of("parked", "memory"),
            self.of("parked", "idle_percent"),
        );
        let finished = self.bytes_of_finished();
        let (customer, enrollment) = (self.of("looked", "bytes"), self.of("enroll", "bytes"));
        vec![
            Line::most(
                ("T7", "CPU for a finished customer, ms"),
                cpu,
                (2.0, 0.75),
                2,
            ),
            Line::most(("T8", "peak memory, MB"), peak, (300.0, 150.0), 0),
            Line::most(
                ("T8", "memory with a tenth asleep, MB"),
                asleep,
                (128.0, 64.0),
                0,
            ),
            Line::most(
                ("T9", "bytes for a finished customer"),
                finished,
                (1200.0, 600.0),
                0,
            ),
            Line::plain(("", "bytes for a customer"), customer, 0),
            Line::plain(("", "bytes for an enrollment"), enrollment, 0),
            Line::most(("T10", "idle, percent of a core"), idle, (2.0, 0.5), 2),
            Line::plain(
                ("", "start with a tenth asleep, s"),
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
    fn plain((code, what): (&'static str, &'static str), value: f64, digits: usize) -> Self {
        Self {
            code,
            what,
            value,
            limit: None,
            target: Target::None,
            digits,
        }
    }

    fn most(
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
