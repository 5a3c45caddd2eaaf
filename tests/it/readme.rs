//! Owns what the README and the examples promise: a flow that checks, workspaces without a complaint,
//! schemas that are the program's own, members that fit their data model.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use drumbeat::domain::field::{Cardinality, DataModel, FieldType, ID};
use drumbeat::domain::validation::Validator;
use drumbeat::domain::value::Value;
use drumbeat::workspace::{self, Checked};
use jiff::tz::TimeZone;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn checked(dir: &Path) -> Checked {
    workspace::check(&workspace::load(dir).unwrap())
}

fn complaints(dir: &Path) -> Vec<String> {
    let found = checked(dir).diagnostics;
    found
        .iter()
        .map(|d| format!("{}:{}:{}: {}", d.file, d.line, d.column, d.message))
        .collect()
}

/// The root and every folder of `examples/` that is a workspace.
fn workspaces() -> Vec<PathBuf> {
    let examples = fs::read_dir(root().join("examples")).unwrap();
    examples
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("drumbeat.yaml").exists())
        .chain([root()])
        .collect()
}

/// The fenced blocks of a page in one language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let after = page.split(&fence).skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn every_workspace_of_the_repository_checks_without_a_complaint() {
    let workspaces = workspaces();
    assert_eq!(workspaces.len(), 6, "{workspaces:?}");
    for dir in workspaces {
        assert_eq!(complaints(&dir), Vec::<String>::new(), "{}", dir.display());
        let revision = checked(&dir).revision.unwrap();
        assert!(!revision.flows.is_empty(), "{}", dir.display());
    }
}

#[test]
fn the_flow_of_the_readme_has_ten_lines_and_checks_beside_the_others() {
    let flows = blocks(&readme(), "yaml");
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0].lines().count(), 10);
    let scratch = tempfile::tempdir().unwrap();
    for part in ["flows", "channels"] {
        copy(&root().join(part), &scratch.path().join(part));
    }
    fs::copy(
        root().join("drumbeat.yaml"),
        scratch.path().join("drumbeat.yaml"),
    )
    .unwrap();
    fs::write(scratch.path().join("flows/readme.yaml"), &flows[0]).unwrap();
    assert_eq!(complaints(scratch.path()), Vec::<String>::new());
    let revision = checked(scratch.path()).revision.unwrap();
    assert_eq!(revision.flows["first-paycheck"].steps.len(), 2);
}

#[test]
fn the_test_command_of_the_readme_is_a_script_that_bash_can_read() {
    let commands = blocks(&readme(), "sh");
    assert_eq!(commands[1], "scripts/test\n");
    for script in ["scripts/test", ".ci/run"].map(|script| root().join(script)) {
        let read = Command::new("bash")
            .arg("-n")
            .arg(&script)
            .status()
            .unwrap();
        assert!(read.success(), "{}", script.display());
        let misused = Command::new(&script).arg("--unknown").output().unwrap();
        assert_eq!(misused.status.code(), Some(2), "{}", script.display());
    }
}

/// The commands that a page's shell blocks tell people to run, without their arguments.
fn commands(page: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let blocks = blocks(&text, "sh").concat();
    let ours = blocks.lines().filter_map(|line| {
        line.strip_prefix("drumbeat ")
            .or_else(|| line.strip_prefix("cargo run --release -- "))
    });
    let is_command = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    ours.map(|line| {
        let words = line.split_whitespace().take_while(is_command);
        words.map(str::to_owned).collect()
    })
    .collect()
}

#[test]
fn the_commands_of_the_pages_exist() {
    let commands: Vec<_> = [
        "README.md",
        "examples/README.md",
        "docs/api.md",
        "docs/definitions.md",
    ]
    .into_iter()
    .flat_map(commands)
    .collect();
    assert_eq!(commands[0], ["demo"], "the first command of the README");
    for words in commands {
        let asked = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
            .args(&words)
            .arg("--help")
            .output()
            .unwrap();
        assert!(
            asked.status.success(),
            "`drumbeat {}` is no command",
            words.join(" ")
        );
    }
}

#[test]
fn the_links_of_the_pages_lead_to_files() {
    let pages = [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/adr/README.md",
    ];
    for page in pages {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let folder = root().join(page).parent().unwrap().to_owned();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            assert!(folder.join(target).exists(), "{page} links to `{target}`");
        }
    }
}

#[test]
fn the_committed_schemas_are_those_that_the_program_prints() {
    for entry in fs::read_dir(root().join("schemas")).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.file_stem().unwrap().to_str().unwrap();
        let schema = workspace::schema(kind).unwrap();
        let committed = fs::read_to_string(&path).unwrap();
        assert_eq!(
            committed,
            format!("{schema:#}\n"),
            "{kind}: run `just schemas`"
        );
    }
}

#[test]
fn every_file_of_the_workspaces_names_the_schema_of_its_first_document() {
    let mut kinds = BTreeSet::new();
    for dir in workspaces() {
        for (file, bytes) in workspace::load(&dir).unwrap().files() {
            let text = std::str::from_utf8(bytes).unwrap();
            let Some(head) = text.strip_prefix("# yaml-language-server: $schema=") else {
                continue;
            };
            let schema = head.lines().next().unwrap();
            let folder = dir.join(file).parent().unwrap().to_owned();
            assert!(folder.join(schema).exists(), "{}", dir.join(file).display());
            let kind = Path::new(schema).file_stem().unwrap().to_str().unwrap();
            let first = text.lines().find(|line| !line.starts_with('#')).unwrap();
            assert!(
                first.starts_with(kind),
                "{}: {first}",
                dir.join(file).display()
            );
            kinds.insert(kind.to_owned());
        }
    }
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

/// The mistakes of a file of customers, by line and column.
fn misfits(file: &Path, map: &[(&str, &str)], model: &DataModel) -> Vec<String> {
    let validator = Validator::new(model);
    let mut reader = csv::Reader::from_path(file).unwrap();
    let columns: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut misfits = Vec::new();
    for (row, record) in reader.records().enumerate() {
        for (column, cell) in columns.iter().zip(record.unwrap().iter()) {
            let renamed = map.iter().find(|(from, _)| from == column);
            let name = renamed.map_or(column.as_str(), |(_, to)| to);
            if name == ID || cell.trim().is_empty() {
                continue;
            }
            let same = |identifier: &str| plain(identifier) == plain(name);
            let Some(field) = model.fields.iter().find(|field| same(&field.identifier)) else {
                misfits.push(format!("column {column} fills no field"));
                continue;
            };
            let many = field.cardinality == Cardinality::Many;
            for part in cell.split(|c| many && c == ';') {
                let value = Value::parse(field.kind, part, &TimeZone::UTC);
                let fits = value
                    .map_err(|bad| bad.to_string())
                    .and_then(|value| validator.validate(&field.identifier, &value));
                if let Err(problem) = fits {
                    misfits.push(format!("line {}, {column}: {problem}", row + 2));
                }
                if field.kind == FieldType::Choice && !field.choices.contains(&part.to_owned()) {
                    misfits.push(format!("line {}, {column}: no choice `{part}`", row + 2));
                }
            }
        }
    }
    misfits
}

/// As the import compares names: without case, `_` and `-`.
fn plain(name: &str) -> String {
    name.replace(['_', '-'], "").to_lowercase()
}

#[test]
fn the_example_customers_fit_their_data_models() {
    let files = [
        (".", "examples/customers.csv", 300),
        ("examples/credit-union", "customers.csv", 10),
        ("examples/telecom-retention", "customers.csv", 12),
        ("examples/retailer", "customers.csv", 8),
    ];
    for (dir, file, expected) in files {
        let dir = root().join(dir);
        let model = checked(&dir).revision.unwrap().data_model;
        let file = dir.join(file);
        let map = [("customerID", "id")];
        assert_eq!(
            misfits(&file, &map, &model),
            Vec::<String>::new(),
            "{}",
            file.display()
        );
        let mut ids = BTreeSet::new();
        for record in csv::Reader::from_path(&file).unwrap().records() {
            ids.insert(record.unwrap()[0].to_owned());
        }
        assert_eq!(ids.len(), expected, "{}", file.display());
    }
}

#[test]
fn the_short_lists_name_members_of_the_long_one() {
    let ids = |file: &str| -> BTreeSet<String> {
        let path = root().join("examples").join(file);
        let rows = csv::Reader::from_path(path).unwrap().into_records();
        rows.map(|row| row.unwrap()[0].to_owned()).collect()
    };
    let members = ids("customers.csv");
    for list in ["sms-permission.csv", "no-email.csv", "staff.csv"] {
        let listed = ids(list);
        assert!(!listed.is_empty() && listed.is_subset(&members), "{list}");
    }
}
