//! Owns the test of `docs/first-flow.md`: what it has people write and run is right.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{drumbeat, repository, said};

/// The block of the page that begins with this key.
fn block(page: &str, key: &str) -> String {
    let blocks = page.split("```\n");
    let mut blocks = blocks.filter(|block| block.starts_with(key));
    blocks.next().unwrap().to_owned()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = drumbeat();
    command
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_first_flow_is_as_its_page_says() {
    let page = fs::read_to_string(repository().join("docs/first-flow.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bank = folder.path().join("bank");
    let good = |folder: &Path, arguments: &[&str]| {
        let output = run(folder, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    good(folder.path(), &["init", "bank"]);
    good(&bank, &["check"]);
    fs::write(bank.join("flows/quiet.yaml"), block(&page, "flow: quiet")).unwrap();
    fs::write(bank.join("flows/quiet.test.yaml"), block(&page, "test: ")).unwrap();
    assert!(good(&bank, &["test"]).contains("3 passed"));
    let over = [
        "--customers",
        "customers.csv",
        "--from",
        "2026-11-24",
        "--for",
        "30d",
    ];
    let told = good(&bank, &[&["simulate", "quiet"], &over[..]].concat());
    assert!(told.contains("quiet: 3 would enter"), "{told}");
    good(&bank, &["import", "customers.csv"]);
    let welcome = bank.join("flows/welcome.yaml");
    let sooner = fs::read_to_string(&welcome).unwrap();
    let sooner = sooner.replace("after: 1d", "after: 0s");
    let next = folder.path().join("next");
    good(folder.path(), &["init", "next"]);
    fs::write(next.join("flows/welcome.yaml"), sooner).unwrap();
    let store = format!("sqlite://{}", bank.join("var/drumbeat.db").display());
    let planned = run(folder.path(), &["plan", "next", "--database", &store]);
    let told = said(&planned);
    assert!(told.contains("step hello: time was 1d, is 0s"), "{told}");
    assert!(good(&bank, &["revisions"]).contains("flow quiet added"));
    assert!(good(&bank, &["report", "quiet"]).contains("0 entered"));
}
