//! What is done to many by command, where no daemon runs: jobs, lists from spreadsheets, and files.

use serde_json::json;

use super::commands::{Desk, desk};

fn with_people() -> Desk {
    let desk = desk();
    desk.text("import people.csv");
    desk
}

#[test]
fn a_command_carries_its_job_out_itself_where_no_daemon_runs() {
    let desk = with_people();
    let job = desk.json("customer bulk add-tags vip --segment in-lyon");
    assert_eq!(job["state"], "done");
    assert_eq!(
        (&job["total"], &job["done"], &job["changed"]),
        (&json!(2), &json!(2), &json!(2))
    );
    assert_eq!(
        (&job["actor"], &job["source"]),
        (&json!("mara"), &json!("command-line"))
    );
    assert_eq!(desk.json("customer show ana")["tags"], json!(["vip"]));
    let said = desk.text("customer bulk set-fields city=Nice products=card;loan --tag vip");
    assert_eq!(said, "job 2, set-fields: done, 2 of 2 (2 changed)\n");
    let ana = desk.json("customer show ana");
    assert_eq!(ana["fields"]["city"], "Nice");
    assert_eq!(ana["fields"]["products"], json!(["card", "loan"]));
    let listed = desk.json("job list");
    let numbers: Vec<i64> = listed["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["job"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 1]);
    let (code, said) = desk.refused("customer bulk add-tags vpi --all");
    assert_eq!(code, Some(1));
    assert!(said.contains("unknown tag `vpi`"), "{said}");
    let (code, _) = desk.refused("customer bulk add-tags vip");
    assert_eq!(code, Some(2));
    assert_eq!(desk.json("job list")["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_job_in_the_background_waits_and_can_be_cancelled_or_followed() {
    let desk = with_people();
    let job = desk.json("customer bulk reactivate --all --background");
    assert_eq!((&job["job"], &job["state"]), (&json!(1), &json!("queued")));
    assert_eq!(desk.text("job cancel 1"), "job 1: cancelled\n");
    assert_eq!(desk.json("job show 1")["state"], "cancelled");
    desk.json("customer bulk discard --all --background");
    assert_eq!(desk.json("job follow 2")["changed"], 2);
    let (code, said) = desk.refused("job show 9");
    assert_eq!(code, Some(1));
    assert!(said.contains("there is no job 9"), "{said}");
}

#[test]
fn deleting_many_says_first_how_many_and_tells_who_is_not_there() {
    let desk = with_people();
    let trial = desk.json("customer bulk delete --all --dry-run");
    assert_eq!(
        trial,
        json!({"kind": "delete", "customers": 2, "unknown": 0})
    );
    desk.file("gone.csv", "name;id\nAna;ana\nNobody;zoe\n");
    let deleted = desk.json("customer bulk delete --ids-file gone.csv --yes");
    assert_eq!(
        (&deleted["changed"], &deleted["failed"]),
        (&json!(1), &json!(1))
    );
    let errors = desk.json("job show 1 --errors");
    assert_eq!(errors["errors"][0]["customer"], "zoe");
    let (code, _) = desk.refused("customer show ana");
    assert_eq!(code, Some(1));
}

#[test]
fn a_list_is_made_of_a_spreadsheet_and_asked_for_in_a_segment() {
    let desk = desk();
    desk.file("guests.yaml", "segment: guests\nwhere: { list: fair }\n");
    desk.text("import people.csv");
    assert_eq!(
        desk.text("list add fair --description guests"),
        "fair: made\n"
    );
    desk.file(
        "fair.csv",
        "mail,who\nANA@example.com,Ana\nnobody@example.com,Nobody\n",
    );
    let put = desk.run("list put fair --file fair.csv --column mail --match email --format json");
    assert_eq!(put.status.code(), Some(1));
    let put: serde_json::Value = serde_json::from_slice(&put.stdout).unwrap();
    assert_eq!(
        (&put["added"], &put["unknown"]),
        (&json!(1), &json!(["nobody@example.com"]))
    );
    let shown = desk.json("list show fair");
    assert_eq!(
        (&shown["count"], &shown["customers"][0]["id"]),
        (&json!(1), &json!("ana"))
    );
    assert_eq!(desk.json("segment count guests")["count"], 1);
    let (code, said) = desk.refused("list remove fair --yes");
    assert_eq!(code, Some(1));
    assert!(said.contains("asked for by the segment `guests`"), "{said}");
    assert_eq!(desk.json("list take fair ana")["removed"], 1);
    assert_eq!(desk.json("list list")["lists"][0]["customers"], 0);
    assert_eq!(desk.json("segment count guests")["count"], 0);
}

#[test]
fn an_export_leaves_a_file_that_can_be_fetched() {
    let desk = with_people();
    let job = desk.json("customer bulk export --all --fields city --as csv");
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(2)));
    assert_eq!(job["result"]["report"], 1);
    let report = desk.json("export list")["reports"][0].clone();
    assert_eq!(
        (&report["customers"], &report["format"]),
        (&json!(2), &json!("csv"))
    );
    let mut lines: Vec<String> = desk
        .text("export fetch 1 --output -")
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(lines, ["ana,Lyon", "cid,Lyon", "id,city"]);
    desk.text("export fetch 1 --output some.csv");
    let (code, _) = desk.refused("export fetch 1 --output some.csv");
    assert_eq!(code, Some(1));
    let book = desk.json("customer bulk export --segment in-lyon --as xlsx");
    assert_eq!(book["state"], "done");
    desk.text("export fetch 2 --output book.xlsx");
    assert_eq!(desk.json("import book.xlsx")["unchanged"], 2);
    desk.text("export remove 1");
    let (code, _) = desk.refused("export fetch 1");
    assert_eq!(code, Some(1));
    let (_, said) = desk.refused("customer bulk export --all --as pdf");
    assert!(said.contains("unknown format `pdf`"), "{said}");
}
