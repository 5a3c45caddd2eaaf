//! Owns the tests of what the language describes and this version refuses.

use super::folder::Folder;

const CAMPAIGN: &str = "flows/campaigns/gold-card.yaml";
const CHANNELS: &str = "channels/all.yaml";

const LATER: [(&str, &str, &str); 4] = [
    (CAMPAIGN, "templates/offer.html", "templates/offer.md"),
    (
        CAMPAIGN,
        "text: \"An offer\"",
        "text: \"{{ link('https://x.example') }}\"",
    ),
    (
        CHANNELS,
        "{ file: { folder: var/outbox } }",
        "{ sendgrid: { key: x } }",
    ),
    (
        "flows/segments/new-members.yaml",
        "where:",
        "list: { file: lists/a.xlsx, match: email }\nwhere:",
    ),
];

fn refused(folder: &Folder) {
    let checked = folder.check();
    assert!(checked.revision.is_none());
    let codes: Vec<&str> = checked.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["not-supported-yet"], "{:#?}", folder.findings());
    let found = &checked.diagnostics[0];
    assert!(found.message.contains("not supported yet"), "{found:?}");
    assert!(found.help.is_some(), "{found:?}");
}

#[test]
fn what_a_later_version_executes_is_refused_now() {
    for (file, from, to) in LATER {
        refused(&Folder::good().changed(file, from, to));
    }
}
