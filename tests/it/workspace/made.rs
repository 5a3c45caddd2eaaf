//! What people make in the store beside the files: one language, one check.

use drumbeat::domain::definition::{Definition, DefinitionKind, Definitions};
use drumbeat::workspace::{self, Checked, render};
use jiff::Timestamp;
use serde_json::json;

use super::folder::Folder;

fn made(all: &[(DefinitionKind, &str, serde_json::Value)]) -> Definitions {
    let one = |(kind, name, body): &(DefinitionKind, &str, serde_json::Value)| Definition {
        kind: *kind,
        name: (*name).to_owned(),
        body: workspace::document(*kind, name, body.as_object().unwrap()),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        actor: "mara".to_owned(),
    };
    Definitions {
        changes: 7,
        all: all.iter().map(one).collect(),
    }
}

fn check(folder: &Folder, definitions: &Definitions) -> Checked {
    workspace::check(&folder.load().with(definitions))
}

#[test]
fn what_is_made_in_the_store_is_part_of_the_revision_and_not_of_the_files() {
    let folder = Folder::good();
    let definitions = made(&[
        (DefinitionKind::Field, "nick", json!({"type": "text"})),
        (DefinitionKind::Tag, "a: b", json!({"color": "#0a7d5a"})),
        (
            DefinitionKind::SmartList,
            "ours",
            json!({"where": {"tag": "a: b"}}),
        ),
        (
            DefinitionKind::Segment,
            "theirs",
            json!({"where": {"not": {"segment": "ours"}}}),
        ),
    ]);
    let sources = folder.load().with(&definitions);
    assert_eq!(sources.hash(), folder.load().hash());
    let revision = workspace::check(&sources).revision.unwrap();
    assert!(revision.data_model.field("nick").is_some());
    assert!(revision.data_model.tags.contains_key("a: b"));
    assert!(revision.segments.contains_key("ours") && revision.segments.contains_key("theirs"));
    assert_eq!(revision.smart_lists.iter().collect::<Vec<_>>(), ["ours"]);
    assert_eq!((revision.made.len(), revision.definitions), (4, 7));

    let published = sources.files();
    let published = published.map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()));
    let hash = sources.hash().to_owned();
    let again = workspace::Sources::published(published.collect(), hash, None);
    assert_eq!(
        workspace::check(&again.with(&definitions))
            .revision
            .unwrap(),
        revision
    );
}

#[test]
fn a_mistake_says_that_it_was_made_in_the_store_and_where() {
    let folder = Folder::good();
    let body = json!({"where": {"all": [{"tag": "vip"}, {"field": "cty", "is": "Lyon"}]}});
    let definitions = made(&[(DefinitionKind::Segment, "lyon", body)]);
    let sources = folder.load().with(&definitions);
    let checked = workspace::check(&sources);
    assert!(checked.revision.is_none());
    let error = checked.errors().next().unwrap();
    assert_eq!(error.file, "made in the store: segment lyon");
    assert_eq!((error.code, error.line), ("unknown-field", 5));
    let place = (
        DefinitionKind::Segment,
        "lyon".to_owned(),
        "/where/all/1/field".to_owned(),
    );
    assert_eq!(workspace::pointer(&sources, error), Some(place));
    let shown = render::text(&sources, &checked.diagnostics, false);
    assert!(
        shown.contains("made in the store: segment lyon:5:"),
        "{shown}"
    );
}

#[test]
fn a_file_wins_over_a_namesake_in_the_store_with_a_warning() {
    let folder = Folder::good();
    let definitions = made(&[
        (DefinitionKind::Field, "balance", json!({"type": "text"})),
        (DefinitionKind::Tag, "vip", json!({"color": "#0a7d5a"})),
        (
            DefinitionKind::SmartList,
            "new-members",
            json!({"where": {"tag": "vip"}}),
        ),
    ]);
    let checked = check(&folder, &definitions);
    let told: Vec<(&str, &str)> = checked
        .diagnostics
        .iter()
        .map(|found| (found.code, found.file.as_str()))
        .collect();
    let expected = ["field balance", "tag vip", "smart list new-members"];
    let expected = expected.map(|what| format!("made in the store: {what}"));
    let expected: Vec<(&str, &str)> = expected
        .iter()
        .map(|file| ("file-wins", file.as_str()))
        .collect();
    assert_eq!(told, expected);
    let revision = checked.revision.unwrap();
    let without = folder.check().revision.unwrap();
    assert_eq!(revision.data_model, without.data_model);
    assert_eq!(revision.segments, without.segments);
    assert!(revision.made.is_empty() && revision.smart_lists.is_empty());
}

#[test]
fn two_of_one_name_in_the_store_are_one_too_many() {
    let definitions = made(&[
        (
            DefinitionKind::Segment,
            "ours",
            json!({"where": {"tag": "vip"}}),
        ),
        (
            DefinitionKind::SmartList,
            "ours",
            json!({"where": {"tag": "staff"}}),
        ),
    ]);
    let checked = check(&Folder::good(), &definitions);
    let codes: Vec<&str> = checked.errors().map(|error| error.code).collect();
    assert_eq!(codes, ["duplicate-id"]);
}

#[test]
fn no_secret_is_referred_to_from_the_store() {
    let body = json!({"type": "text", "description": "${SMS_TOKEN}"});
    let checked = check(
        &Folder::good(),
        &made(&[(DefinitionKind::Field, "nick", body)]),
    );
    let codes: Vec<&str> = checked.errors().map(|error| error.code).collect();
    assert_eq!(codes, ["secret-in-flows"]);
}
