//! Owns the test that everything the program must do has a test, and that the table of both is up to date.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One thing that the program must do.
struct Row {
    id: String,
    class: char,
    text: String,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let list = fs::read_to_string(root().join("tests/mission.txt")).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    for line in list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(test) = line.strip_prefix("    ") {
            rows.last_mut().unwrap().tests.push(test.to_owned());
            continue;
        }
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().unwrap().to_owned();
        rows.push(Row {
            id: part(),
            class: part().parse().unwrap(),
            text: part(),
            tests: Vec::new(),
        });
    }
    rows
}

/// The file in which a test of this path stands, and its name.
fn place(test: &str) -> Option<(PathBuf, &str)> {
    let (module, name) = test.rsplit_once("::")?;
    let module = module
        .strip_suffix("::tests")
        .unwrap_or(module)
        .replace("::", "/");
    let files = ["tests/it/", "src/"].into_iter().flat_map(|folder| {
        [
            format!("{folder}{module}.rs"),
            format!("{folder}{module}/mod.rs"),
        ]
    });
    let is_declared = |file: &PathBuf| {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        text.contains(&format!("fn {name}("))
    };
    let file = files.map(PathBuf::from).find(is_declared)?;
    Some((file, name))
}

fn table() -> String {
    let mut table = "# What Drumbeat does, and the tests that hold it to that\n\n\
        Made from `tests/mission.txt`. Classes: C core behaviour, I arrives by ingestion, N the minimal \
        honest form, X must be rejected, D a decision, U an affordance of the console.\n\n\
        | row | class | what | tests |\n|---|---|---|---|\n"
        .to_owned();
    for row in rows() {
        let link = |test: &String| {
            let (file, name) = place(test).unwrap();
            format!("[{}](../{})", name.replace('_', " "), file.display())
        };
        let tests: Vec<String> = row.tests.iter().map(link).collect();
        let (id, class, text) = (row.id, row.class, row.text.replace('|', "\\|"));
        table.extend([format!(
            "| {id} | {class} | {text} | {} |\n",
            tests.join("<br>")
        )]);
    }
    table
}

#[test]
fn everything_that_the_program_must_do_has_a_test() {
    let rows = rows();
    assert!(rows.len() > 200, "{}", rows.len());
    let lacking: Vec<&str> = rows
        .iter()
        .filter(|row| row.class != 'U' && row.tests.is_empty())
        .map(|row| row.id.as_str())
        .collect();
    assert!(lacking.is_empty(), "rows without a test: {lacking:?}");
    let all = rows.iter().flat_map(|row| &row.tests);
    let gone: Vec<&String> = all.filter(|test| place(test).is_none()).collect();
    assert!(gone.is_empty(), "tests that are not there: {gone:#?}");
}

/// Those about customers, which have each a test that no other row lists.
const ABOUT_CUSTOMERS: [&str; 4] = ["S000-", "S001-", "S002-", "S003-"];

#[test]
fn what_must_be_done_for_customers_has_each_a_test_of_its_own() {
    let rows = rows();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for test in rows.iter().flat_map(|row| &row.tests) {
        *listed.entry(test).or_default() += 1;
    }
    let is_about_them = |row: &&Row| {
        let starts = |section: &str| row.id.starts_with(section);
        "CINX".contains(row.class) && ABOUT_CUSTOMERS.iter().any(|section| starts(section))
    };
    let about_them: Vec<&Row> = rows.iter().filter(is_about_them).collect();
    assert!(about_them.len() > 150, "{}", about_them.len());
    let has_own = |row: &Row| {
        row.tests
            .first()
            .is_some_and(|test| listed[test.as_str()] == 1)
    };
    let shared: Vec<&str> = about_them
        .into_iter()
        .filter(|row| !has_own(row))
        .map(|row| row.id.as_str())
        .collect();
    assert!(
        shared.is_empty(),
        "rows without a test of their own: {shared:?}"
    );
}

#[test]
fn the_table_of_what_the_program_does_is_up_to_date() {
    let written = fs::read_to_string(root().join("docs/mission.md")).unwrap_or_default();
    assert_eq!(
        written,
        table(),
        "write it anew: see `the_table_is_written_anew`"
    );
}

#[test]
#[ignore = "writes docs/mission.md: run it after changing tests/mission.txt"]
fn the_table_is_written_anew() {
    fs::write(root().join("docs/mission.md"), table()).unwrap();
}
