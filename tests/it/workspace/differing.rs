//! Owns the tests of what differs between two revisions, in words.

use drumbeat::domain::difference::{What, differences};
use rstest::rstest;

use super::folder::Folder;

const FLOW: &str = "flows/welcome.yaml";

/// Each thing that differs from the good workspace as `kind name: what`.
fn differing(folder: &Folder) -> Vec<String> {
    let was = Folder::good().check().revision.unwrap();
    let is = folder.check().revision.unwrap();
    let found = differences(&was, &is).into_iter().map(|difference| {
        let what = match difference.what {
            What::Added => "added".to_owned(),
            What::Removed => "removed".to_owned(),
            What::Changed(parts) => parts.join("; "),
        };
        format!("{} {}: {what}", difference.kind, difference.name)
    });
    found.collect()
}

#[test]
fn the_same_files_do_not_differ() {
    assert_eq!(differing(&Folder::good()), Vec::<String>::new());
}

#[rstest]
#[case(
    FLOW,
    "after: 4d",
    "after: 2d",
    "flow welcome: step hello: time was 4d, is 2d"
)]
#[case(
    FLOW,
    "    at: \"10:00\"\n",
    "",
    "flow welcome: step card: at was 10:00:00, is gone"
)]
#[case(
    FLOW,
    "limit: 2000 per day",
    "limit: 100 per day",
    "flow welcome: entry.limit.customers was 2000, is 100"
)]
#[case(
    FLOW,
    "days: mon-fri",
    "days: mon-sat",
    "flow welcome: window.days was mon, tue, wed, thu, fri, is mon, tue, wed, thu, fri, sat"
)]
#[case(
    FLOW,
    "gold-card/offer-text",
    "{ text: \"A new offer\" }",
    "flow welcome: step card: sms was gold-card/offer-text, is gone; step card: sms.text is A new offer"
)]
#[case(
    FLOW,
    "Hello {{ customer.first_name }}",
    "Good day {{ customer.first_name }}",
    "flow welcome: step hello: email.text is another text"
)]
#[case(
    FLOW,
    "    on-skip: exit\n",
    "",
    "flow welcome: step app: on-skip was exit, is advance"
)]
#[case(
    FLOW,
    "step: hello }",
    "step: offer }",
    "flow welcome: step card: if no longer asks: not (did email-clicked (step “hello”)); step card: if asks: not (did email-clicked (step “offer”))"
)]
#[case(
    FLOW,
    "did: conversion",
    "did: email-clicked",
    "flow welcome: exit.when no longer asks: did conversion (campaign “gold-card”); exit.when asks: did email-clicked (campaign “gold-card”)"
)]
#[case(
    "flows/segments/new-members.yaml",
    "{ random: 50% }",
    "{ random: 40% }",
    "segment new-members: asks: is among a random 40 %; no longer asks: is among a random 50 %"
)]
#[case(
    "flows/policy.yaml",
    "limit: 4 per 7d",
    "limit: 2 per 7d",
    "policy : frequency-caps.1.limit was 4, is 2"
)]
#[case(
    "flows/customers.yaml",
    "description: Balance",
    "description: Saldo",
    "field balance: description was Balance, is Saldo"
)]
#[case(
    "channels/all.yaml",
    "pace: 50 per second",
    "pace: 5 per second",
    "channel email: pace.messages was 50, is 5"
)]
#[case(
    "drumbeat.yaml",
    "zone: America/New_York",
    "zone: America/Chicago",
    "workspace : zone was America/New_York, is America/Chicago"
)]
fn each_change_is_told_as_was_and_is(
    #[case] path: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] told: &str,
) {
    let folder = Folder::good().changed(path, from, to);
    assert_eq!(differing(&folder), [told]);
}

#[test]
fn a_segment_written_in_a_flow_is_told_with_the_flow() {
    let inline = "segment: { where: { tag: vip } }";
    let folder = Folder::good().changed(FLOW, "segment: new-members", inline);
    let told = "flow welcome: segment was new-members, is gone; segment asks: is tagged “vip”";
    assert_eq!(differing(&folder), [told]);
}

#[test]
fn what_came_and_what_went_is_told_by_its_name() {
    let folder = Folder::good()
        .changed(FLOW, "flow: welcome", "flow: hello")
        .changed("flows/customers.yaml", "staff:", "crew:")
        .changed(
            "flows/segments/new-members.yaml",
            "{ tag: staff }",
            "{ tag: crew }",
        );
    let told = [
        "flow hello: added",
        "flow welcome: removed",
        "segment new-members: asks: not (is tagged “crew”); no longer asks: not (is tagged “staff”)",
        "tag crew: added",
        "tag staff: removed",
    ];
    assert_eq!(differing(&folder), told);
}
