//! Owns the test that each rule has its page under `docs/rules/`, made from the rule's own doc.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drumbeat::workspace;

use super::folder::Folder;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")
}

fn index() -> String {
    let mut index = "# Rules\n\nWhat `drumbeat check` tells, by code.\n\n".to_owned();
    for (code, page) in workspace::rule_pages() {
        let title = page.lines().next().unwrap();
        let (_, says) = title.split_once(": ").unwrap();
        index.extend([format!("- [`{code}`]({code}.md): {says}\n")]);
    }
    index
}

#[test]
fn every_rule_has_its_page_and_every_page_its_rule() {
    let mut expected = BTreeSet::from(["README.md".to_owned()]);
    for (code, page) in workspace::rule_pages() {
        assert!(page.starts_with(&format!("# `{code}`: ")), "{page}");
        for part in [
            "**What it does.**",
            "**Why.**",
            "**Example.**",
            "**Use instead.**",
        ] {
            assert!(page.contains(part), "{code} lacks {part}");
        }
        let written = fs::read_to_string(folder().join(format!("{code}.md"))).unwrap_or_default();
        assert_eq!(
            written, page,
            "write the pages anew: see `the_pages_are_written_anew`"
        );
        expected.insert(format!("{code}.md"));
    }
    assert_eq!(
        fs::read_to_string(folder().join("README.md")).unwrap(),
        index()
    );
    let found: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
}

#[test]
#[ignore = "writes docs/rules: run it after changing a rule's doc"]
fn the_pages_are_written_anew() {
    fs::create_dir_all(folder()).unwrap();
    for (code, page) in workspace::rule_pages() {
        fs::write(folder().join(format!("{code}.md")), page).unwrap();
    }
    fs::write(folder().join("README.md"), index()).unwrap();
}

#[test]
fn the_documents_of_the_language_page_are_a_workspace_without_errors() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/flow-language.md");
    let page = fs::read_to_string(page).unwrap();
    let mut folder = Folder::empty();
    for (number, block) in page.split("```yaml\n").skip(1).enumerate() {
        let block = block.split("```").next().unwrap();
        folder = folder.with(&format!("{number}.yaml"), block);
    }
    let codes = folder.codes();
    assert_eq!(codes, ["service-purpose"], "{:#?}", folder.findings());
    let revision = folder.check().revision.unwrap();
    assert_eq!((revision.flows.len(), revision.channels.len()), (1, 3));
}
