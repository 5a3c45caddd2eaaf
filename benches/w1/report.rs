//! Owns what is printed of a run: each figure, what it is compared with, and runs beside each other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::phases::Measures;
use crate::table::{Figure, Line, Target, heading};

/// One run of one size on one store: its phases, and its limits.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Run {
    pub(crate) store: &'static str,
    pub(crate) nodes: u16,
    /// Of how many runs these are the medians.
    pub(crate) runs: usize,
    pub(crate) customers: u64,
    pub(crate) load: f64,
    pub(crate) limits: Measures,
    pub(crate) phases: BTreeMap<String, Measures>,
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

    /// CPU milliseconds for a customer from the flow's publication to the last message: ours, and
    /// PostgreSQL's.
    fn cpu_of_finished(&self) -> (f64, f64) {
        let each = |name: &str| {
            let phases = ["enroll", "first", "later"];
            let seconds: f64 = phases.iter().map(|phase| self.of(phase, name)).sum();
            seconds * 1000.0 / self.members()
        };
        (each("cpu"), each("server_cpu"))
    }

    /// What the database grew by for a customer from the flow's publication to the last message.
    fn bytes_of_finished(&self) -> f64 {
        let before = self.of("indexed", "database");
        (self.of("later", "database") - before) / self.members()
    }

    /// The largest of any phase.
    fn most(&self, name: &str) -> f64 {
        let found = self
            .phases
            .values()
            .filter_map(|measures| measures.get(name));
        found.copied().fold(f64::NAN, f64::max)
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = self.of_the_store();
        lines.extend(self.of_the_wires());
        lines.extend(self.of_its_needs());
        lines.extend(self.of_crowds());
        lines.extend(self.of_the_search());
        lines.extend(self.of_the_server());
        // A phase that is not wanted, or that this run does not have.
        lines.retain(|line| !line.value.is_nan());
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

    /// Of what the nodes do together.
    fn shared(&self, mut line: Line) -> Line {
        let each = line.value / f64::from(self.nodes);
        line.each = (self.nodes > 1).then_some(each);
        line
    }

    fn of_the_store(&self) -> Vec<Line> {
        let import = self.of("import", "rate");
        let choices = self.of("choices", "rate");
        let looked = self.of("looked", "rate");
        let (enroll, again) = (self.of("enroll", "rate"), self.of("advance", "enroll_rate"));
        let (advance, places) = (self.of("advance", "rate"), self.of("places", "rate"));
        let (enrolling, advancing) = ((0.1, 0.3), (0.1, 0.35));
        let limit = if self.nodes > 1 {
            "advance_2"
        } else {
            "advance"
        };
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
            self.shared(self.share(
                ("T3", "advance, messages without a wire, steps/s"),
                advance,
                limit,
                advancing,
            )),
            self.shared(self.share(
                ("T3", "advance, waiting places, steps/s"),
                places,
                limit,
                advancing,
            )),
            Line::plain(
                ("", "interactions told, 1,000 at once, per s"),
                self.of("told", "rate"),
                0,
            ),
        ]
    }

    fn of_the_wires(&self) -> Vec<Line> {
        let (first, last) = (self.of("first", "smtp"), self.of("later", "smtp"));
        let (p50, p99) = (self.of("change", "p50"), self.of("change", "p99"));
        let (smtp, pipelined) = ((0.15, 0.5), (0.0, 0.5));
        let http = self.of("later", "http");
        vec![
            self.shared(self.share(("T4", "SMTP, first wave, messages/s"), first, "smtp", smtp)),
            self.shared(self.share(("T4", "SMTP, last wave, messages/s"), last, "smtp", smtp)),
            self.share(
                ("T4", "SMTP beside a pipelining client"),
                first,
                "smtp_pipelined",
                pipelined,
            ),
            self.shared(self.share(("T5", "HTTP, messages/s"), http, "http", (0.1, 0.4))),
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
        let (ours, served) = self.cpu_of_finished();
        let cpu = ours + if served.is_nan() { 0.0 } else { served };
        let peak = self.most("peak");
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

    /// What is done to many customers at once, and what the passing of a day takes.
    fn of_crowds(&self) -> Vec<Line> {
        let of_limit = |name: &str, line: Line| Line {
            limit: self.limits.get(name).copied(),
            ..line
        };
        let rate = |what, phase| Line::plain(("", what), self.of(phase, "rate"), 0);
        let rated = |what, name, digits| Line::plain(("", what), self.of("rated", name), digits);
        let day = self.of("rated", "day");
        vec![
            of_limit("tag", rate("tagged by a job, customers/s", "tagged")),
            of_limit("export", rate("exported as CSV, customers/s", "exported")),
            rated("rated anew by activity, customers/s", "first", 0),
            Line::most(("", "ratings as a day passes, s"), day, (5.0, 1.0), 2),
            of_limit(
                "count",
                rated("everybody counted by rating, ms", "counted", 0),
            ),
        ]
    }

    /// The index of the search, and what finding takes.
    fn of_the_search(&self) -> Vec<Line> {
        let p95 = |what, kind: &str| {
            let value = self.of("searched", &format!("{kind}_p95"));
            Line::most(("", what), value, (50.0, 20.0), 1)
        };
        let indexed =
            |what, name, digits| Line::plain(("", what), self.of("indexed", name), digits);
        let searched = |what, name| Line::plain(("", what), self.of("searched", name), 0);
        vec![
            indexed("search indexed, customers/s", "rate", 0),
            indexed("search indexed, longest transaction, ms", "longest", 1),
            indexed("bytes of the index for a customer", "bytes", 0),
            p95("search for an exact id p95, ms", "exact"),
            p95("search for an e-mail's beginning p95, ms", "email"),
            p95("search for a part of a name p95, ms", "name"),
            p95("search for two words p95, ms", "two"),
            p95("search for a part of a number p95, ms", "phone"),
            p95("search for a number p95, ms", "number"),
            p95("search for an age p95, ms", "short"),
            p95("search for what a fortieth has p95, ms", "common"),
            p95("search for what no name begins with p95, ms", "inside"),
            p95("search for what nobody has p95, ms", "nothing"),
            p95("search with a condition p95, ms", "filter"),
            searched("everybody sorted by a field, first page, ms", "sorted"),
            searched("a condition counted, ms", "counted"),
        ]
    }

    /// What PostgreSQL takes beside; nothing of it is there for a file.
    fn of_the_server(&self) -> Vec<Line> {
        let (_, cpu) = self.cpu_of_finished();
        let several = if self.nodes > 1 {
            self.most("nodes_memory")
        } else {
            f64::NAN
        };
        let idle = self.of("parked", "server_idle_percent");
        let logged = self.of("parked", "logged");
        vec![
            Line::plain(("", "all nodes' peaks together, MB"), several, 0),
            Line::plain(("", "of T7 PostgreSQL's, ms"), cpu, 2),
            Line::plain(
                ("", "beside T8 PostgreSQL's memory, MB"),
                self.most("server_memory"),
                0,
            ),
            Line::plain(("", "beside T10 PostgreSQL's, percent of a core"), idle, 2),
            Line::plain(("", "written to its log while idle, KB/s"), logged, 1),
        ]
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let figures: Vec<Figure> = self.lines().iter().map(Line::figure).collect();
        serde_json::json!({ "figures": figures, "run": self })
    }

    /// Such as `PostgreSQL, 2 nodes`.
    fn name(&self) -> String {
        match self.nodes {
            1 => self.store.to_owned(),
            nodes => format!("{}, {nodes} nodes", self.store),
        }
    }

    /// The table of this run.
    pub(crate) fn table(&self) -> String {
        let (customers, name, runs) = (self.customers, self.name(), self.runs);
        let mut text = format!(
            "\n{customers} customers, {name}, {runs} run(s), load average {:.1}\n{}",
            self.load,
            heading()
        );
        for line in self.lines() {
            line.write(&mut text);
        }
        let of_phases = [
            ("peak MB", "peak", 0),
            ("CPU s", "cpu", 1),
            ("PostgreSQL's CPU s", "server_cpu", 1),
        ];
        for (what, name, digits) in of_phases {
            let found = self.phases.iter().filter_map(|(phase, measures)| {
                let value = measures.get(name)?;
                Some(format!("{phase} {value:.digits$}"))
            });
            let found: Vec<String> = found.collect();
            if !found.is_empty() {
                let _infallible = writeln!(text, "    {what}: {}", found.join(", "));
            }
        }
        if self.limits.contains_key("advance_2") {
            self.write_limits(&mut text);
        }
        text
    }

    /// PostgreSQL's limits over one connection and over two, and its CPU for a row.
    fn write_limits(&self, text: &mut String) {
        let of = |name: String| self.limits.get(&name).copied().unwrap_or(f64::NAN);
        for name in ["import", "enroll", "advance", "settle"] {
            let (one, two) = (of(name.to_owned()), of(format!("{name}_2")));
            let (one_us, two_us) = (of(format!("{name}_us")), of(format!("{name}_2_us")));
            let _infallible = writeln!(
                text,
                "    limit {name}, rows/s: 1 connection {one:.0} ({one_us:.1} µs CPU a row), \
                 2 connections {two:.0} ({two_us:.1} µs)"
            );
        }
    }
}

/// The runs of one size beside each other: each figure, and its ratio to the limit of its own run.
pub(crate) fn overview(runs: &[Run]) -> String {
    let Some(first) = runs.first() else {
        return String::new();
    };
    let lines: Vec<Vec<Line>> = runs.iter().map(Run::lines).collect();
    let mut names: Vec<(&str, &str)> = Vec::new();
    for line in lines.iter().flatten() {
        if !names.contains(&(line.code, line.what)) {
            names.push((line.code, line.what));
        }
    }
    let mut text = format!("\n{:<48}", format!("{} customers", first.customers));
    for run in runs {
        let _infallible = write!(text, "{:>22}", run.name());
    }
    text.push('\n');
    for (code, what) in names {
        let _infallible = write!(text, "{code:<4}{what:<44}");
        for lines in &lines {
            let line = lines
                .iter()
                .find(|line| (line.code, line.what) == (code, what));
            let cell = line.map(Line::cell).unwrap_or_default();
            let _infallible = write!(text, "{cell:>22}");
        }
        text.push('\n');
    }
    text
}

/// Value by value the median of several runs of one size.
pub(crate) fn median(runs: &[&Run]) -> Option<Run> {
    let first = runs.first()?;
    let over = |pick: &dyn Fn(&Run) -> Option<f64>| {
        let mut values: Vec<f64> = runs.iter().copied().filter_map(pick).collect();
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
        store: first.store,
        nodes: first.nodes,
        runs: first.runs,
        customers: first.customers,
        load: over(&|run| Some(run.load)),
        limits: limits.collect(),
        phases: phases.collect(),
    })
}
