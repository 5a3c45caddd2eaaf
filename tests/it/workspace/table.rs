//! Owns the table of changes: one change of one file, and the code it gives.

use super::folder::Folder;

pub(crate) const TEMPLATE: &str = "flows/templates/offer.html";
pub(crate) const FLOW: &str = "flows/welcome.yaml";
pub(crate) const SEGMENT: &str = "flows/segments/new-members.yaml";
pub(crate) const CAMPAIGN: &str = "flows/campaigns/gold-card.yaml";
pub(crate) const CHANNELS: &str = "channels/all.yaml";
pub(crate) const CUSTOMERS: &str = "flows/customers.yaml";
pub(crate) const POLICY: &str = "flows/policy.yaml";
pub(crate) const SETTINGS: &str = "drumbeat.yaml";

/// One change of one file of the good workspace, and the only code it may give.
pub(crate) fn gives(file: &str, from: &str, to: &str, code: &str) {
    let folder = Folder::good().changed(file, from, to);
    let codes = folder.codes();
    assert!(
        !codes.is_empty() && codes.iter().all(|found| *found == code),
        "{to}: {code} expected, {:#?}",
        folder.findings()
    );
}

/// A change on each line: `FILE ~ FROM ~ TO ~ CODE`.
pub(crate) fn all(table: &str) {
    for row in table.trim().lines() {
        let cells: Vec<String> = row
            .split(" ~ ")
            .map(|cell| cell.replace("\\n", "\n"))
            .collect();
        let [file, from, to, code] = cells.as_slice() else {
            panic!("four cells: {row}");
        };
        let file = match file.as_str() {
            "flow" => FLOW,
            "segment" => SEGMENT,
            "campaign" => CAMPAIGN,
            "channels" => CHANNELS,
            "customers" => CUSTOMERS,
            "policy" => POLICY,
            "settings" => SETTINGS,
            "template" => TEMPLATE,
            other => panic!("no file {other}"),
        };
        gives(file, from, to, code);
    }
}
