//! Owns the tests of a workspace without mistakes.

use std::fs;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::flow::{ExistingMembers, Reentry};
use drumbeat::domain::gateway::{Gateway, HttpBody};
use drumbeat::domain::revision::inline_segment;
use drumbeat::workspace;

use super::folder::{FLOW, Folder, SETTINGS};

#[test]
fn a_workspace_without_mistakes_becomes_a_revision() {
    let folder = Folder::good();
    assert_eq!(folder.findings(), Vec::<String>::new());
    let checked = folder.check();
    let revision = checked.revision.unwrap();
    let flow = &revision.flows["welcome"];
    let steps: Vec<&str> = flow.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(steps, ["hello", "card", "pause", "app", "offer"]);
    assert_eq!(flow.entry.existing_members, ExistingMembers::FromJoining);
    assert!(matches!(flow.entry.reentry, Reentry::Every(span) if span.days == 90));
    let reused = &flow.steps[4].actions[0];
    let campaign = &revision.campaigns["gold-card"];
    assert_eq!(reused.content, campaign.communications["offer"]);
    assert_eq!(
        campaign.communications.len(),
        3,
        "what a flow cannot send stays in the file"
    );
    assert!(flow.steps[2].actions.is_empty());
    let Gateway::Http(sms) = &revision.channels[&Channel::Sms].gateway else {
        panic!("sms goes by http");
    };
    let HttpBody::Json(body) = &sms.body else {
        panic!("the body is JSON");
    };
    assert_eq!(body["flash"], false);
    assert_eq!(body["ttl"], 60);
    assert_eq!(
        revision.public_url.as_deref(),
        Some("https://lakeside.example")
    );
    assert_eq!(checked.settings.zone, "America/New_York");
}

#[test]
fn a_revision_survives_its_canonical_json() {
    let revision = Folder::good().check().revision.unwrap();
    let json = serde_json::to_string(&revision).unwrap();
    assert_eq!(
        serde_json::from_str::<drumbeat::domain::revision::Revision>(&json).unwrap(),
        revision
    );
    assert!(json.contains("${SMTP_HOST}"), "secrets stay references");
}

#[test]
fn a_segment_written_in_a_flow_is_stored_under_the_flow() {
    let folder = Folder::good().changed(
        "flows/welcome.yaml",
        "segment: new-members",
        "segment: { where: { tag: vip } }",
    );
    let revision = folder.check().revision.unwrap();
    let id = inline_segment("welcome");
    assert_eq!(revision.flows["welcome"].segment, id);
    assert!(revision.segments.contains_key(&id));
}

#[test]
fn an_empty_folder_is_a_workspace_with_default_settings() {
    let checked = Folder::empty().check();
    assert_eq!(checked.diagnostics, []);
    assert_eq!(checked.settings.zone, "UTC");
    assert!(checked.revision.unwrap().flows.is_empty());
}

#[test]
fn the_hash_changes_with_a_byte_and_not_with_reading_again() {
    let folder = Folder::good();
    let before = folder.load().hash().to_owned();
    assert_eq!(folder.load().hash(), before);
    let folder = folder.changed("flows/templates/offer.html", "Dear", "dear");
    assert_ne!(folder.load().hash(), before);
}

#[test]
fn what_does_not_belong_to_a_workspace_is_not_read() {
    let outside = Folder::empty().with("secret.yaml", "nonsense: true");
    let folder = Folder::good()
        .with("var/state.yaml", "nonsense: true")
        .with(".github/workflow.yaml", "nonsense: true")
        .with("target/x.yaml", "nonsense: true")
        .with("examples/one/drumbeat.yaml", SETTINGS)
        .with("tests/other/drumbeat.yaml", SETTINGS)
        .with("tests/other/flows/welcome.yaml", FLOW);
    let link = folder.path().join("flows/linked.yaml");
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), link).unwrap();
    assert_eq!(folder.findings(), Vec::<String>::new());
    let sources = folder.load();
    let names: Vec<String> = sources
        .files()
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(names.len(), 8, "{names:?}");
}

#[test]
fn the_commit_is_read_from_the_repository_that_holds_the_folder() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let folder = Folder::good()
        .with(".git/HEAD", "ref: refs/heads/main\n")
        .with(
            ".git/packed-refs",
            format!("# pack-refs\n{hash} refs/heads/main\n"),
        );
    assert_eq!(folder.load().commit(), Some(hash));
    let newer = hash.replace('0', "f");
    let folder = folder.with(".git/refs/heads/main", format!("{newer}\n"));
    assert_eq!(folder.load().commit(), Some(newer.as_str()));
    fs::remove_dir_all(folder.path().join(".git")).unwrap();
    let folder = folder.with(".git/HEAD", format!("{hash}\n"));
    assert_eq!(folder.load().commit(), Some(hash));
}

#[test]
fn the_commit_of_a_linked_work_tree_is_its_own() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let folder = Folder::good()
        .with("flows/.git", "gitdir: ../real/worktrees/flows\n")
        .with("real/worktrees/flows/HEAD", "ref: refs/heads/side\n")
        .with("real/worktrees/flows/commondir", "../..\n")
        .with("real/refs/heads/side", format!("{hash}\n"));
    let sources = workspace::load(&folder.path().join("flows")).unwrap();
    assert_eq!(sources.commit(), Some(hash));
}

#[test]
fn every_kind_of_document_has_a_schema() {
    for kind in [
        "flow",
        "segment",
        "campaign",
        "customers",
        "policy",
        "channel",
        "workspace",
        "test",
    ] {
        let schema = workspace::schema(kind).unwrap();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert!(schema["properties"][kind].is_object(), "{kind}");
    }
    assert_eq!(workspace::schema("letter"), None);
}
