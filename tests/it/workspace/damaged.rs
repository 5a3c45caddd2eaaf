//! Owns the test that no damage to the files makes checking them fail.

use std::fs;

use drumbeat::workspace::{self, render};
use proptest::prelude::*;

use super::folder::Folder;

const FILES: [&str; 7] = [
    "drumbeat.yaml",
    "channels/all.yaml",
    "flows/customers.yaml",
    "flows/policy.yaml",
    "flows/segments/new-members.yaml",
    "flows/campaigns/gold-card.yaml",
    "flows/welcome.yaml",
];

/// What people and programs leave in files.
const LITTER: [&str; 24] = [
    "",
    "\t",
    "\n",
    " ",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "#",
    "|",
    "{{ x }}",
    "{% if %}",
    "${X}",
    "&a",
    "*a",
    "!!int",
    "ñ😀",
    "\u{1b}[2J",
    "null",
    "---\n",
];

fn damage(text: &str, at: usize, length: usize, litter: &str) -> String {
    let start = text.floor_char_boundary(at % (text.len() + 1));
    let end = text.floor_char_boundary((start + length).min(text.len()));
    format!("{}{litter}{}", &text[..start], &text[end..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_told_and_never_published_wrongly(
        damages in prop::collection::vec((0..FILES.len(), any::<u16>(), 0..40usize, 0..LITTER.len()), 1..4)
    ) {
        let folder = Folder::good();
        for (file, at, length, litter) in damages {
            let path = folder.path().join(FILES[file]);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, damage(&text, at.into(), length, LITTER[litter])).unwrap();
        }
        let sources = folder.load();
        let checked = workspace::check(&sources);
        prop_assert_eq!(checked.revision.is_none(), checked.errors().next().is_some());
        for found in &checked.diagnostics {
            let (_, bytes) = sources.files().find(|(path, _)| path.ends_with(&found.file)).unwrap();
            let lines = bytes.split(|byte| *byte == b'\n').count();
            prop_assert!(usize::try_from(found.line).unwrap() <= lines, "{found:?}");
            prop_assert!(!found.message.contains('\u{1b}'), "{found:?}");
        }
        prop_assert!(render::text(&sources, &checked.diagnostics, false).ends_with('\n'));
    }
}

#[test]
fn files_from_windows_are_read_like_others() {
    let mut folder = Folder::good();
    for file in FILES {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        folder = folder.with(file, format!("\u{feff}{}", text.replace('\n', "\r\n")));
    }
    assert_eq!(folder.findings(), Vec::<String>::new());
    let folder = folder.changed(
        "flows/welcome.yaml",
        "segment: new-members",
        "segment: new-member",
    );
    assert_eq!(
        folder.findings(),
        ["flows/welcome.yaml:6:10 missing-segment there is no segment `new-member`"]
    );
}
