//! The life of a customer as a person at the desk sees it.

use serde_json::{Value, json};

use super::commands::{Desk, desk};

fn stocked() -> Desk {
    let desk = desk();
    desk.json("import people.csv");
    desk
}

#[test]
fn a_suspension_shows_its_reason_wherever_the_customer_is_shown() {
    let desk = stocked();
    let done = desk.json("customer suspend ana cid --reason by-phone --by omar");
    assert_eq!(
        done,
        json!({ "status": "suspended", "changed": 2, "unchanged": 0 })
    );
    let ana = desk.json("customer show ana");
    assert_eq!(
        (&ana["status"], &ana["status_reason"]),
        (&json!("suspended"), &json!("by-phone"))
    );
    let line = &ana["interactions"][0];
    assert_eq!(
        (&line["kind"], &line["actor"]),
        (&json!("status-changed"), &json!("omar"))
    );
    assert!(
        desk.text("customer show ana")
            .contains("  status         suspended: by-phone\n")
    );
    let again = desk.json("customer suspend ana cid --reason by-phone");
    assert_eq!(
        (&again["changed"], &again["unchanged"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(desk.text("customer reactivate ana"), "1 now active\n");
    let ana = desk.json("customer show ana");
    assert_eq!(
        (&ana["status"], &ana["status_reason"]),
        (&json!("active"), &Value::Null)
    );
}

#[test]
fn nobody_is_changed_when_one_of_the_ids_is_not_there() {
    let desk = stocked();
    let (code, said) = desk.refused("customer discard ana nobody --reason x");
    assert_eq!(code, Some(1));
    assert!(said.contains("there is no customer `nobody`"), "{said}");
    assert_eq!(desk.json("customer show ana")["status"], "active");
    assert_eq!(desk.refused("customer reactivate").0, Some(2));
    assert_eq!(
        desk.refused("customer reactivate ana --all-suspended").0,
        Some(2)
    );
}

#[test]
fn who_was_deleted_and_is_in_the_same_file_again_is_suspended_until_reactivated() {
    let desk = stocked();
    desk.json("customer set ana city=Nice");
    desk.json("unsubscribe ana --category credit-cards");
    for id in ["ana", "cid"] {
        assert_eq!(
            desk.json(&format!("customer erase {id} --by omar"))["deleted"],
            true
        );
        assert_eq!(desk.refused(&format!("customer show {id}")).0, Some(1));
    }
    desk.json("import people.csv");
    for id in ["ana", "cid"] {
        let back = desk.json(&format!("customer show {id}"));
        assert_eq!(back["status"], "suspended", "{id}");
        assert_eq!(back["status_reason"], "deleted before", "{id}");
    }
    let ana = desk.json("customer show ana");
    assert_eq!(ana["subscriptions"][0]["category"], "credit-cards");
    // By hand, too.
    desk.json("customer delete cid");
    let added = desk.json("customer add cid city=Oslo");
    assert_eq!(
        (&added["status"], &added["created"]),
        (&json!("suspended"), &json!(true))
    );
    desk.json("customer delete cid");
    desk.json("customer set cid city=Oslo --create");
    assert_eq!(desk.json("customer show cid")["status"], "suspended");
    let all = desk.json("customer reactivate --all-suspended");
    assert_eq!(all["changed"], 2);
    desk.json("import people.csv");
    for id in ["ana", "cid"] {
        assert_eq!(
            desk.json(&format!("customer show {id}"))["status"],
            "active",
            "{id}"
        );
    }
}

#[test]
fn a_rating_cannot_be_set_and_is_counted() {
    let desk = stocked();
    let (code, said) = desk.refused("customer set ana rating=new");
    assert_eq!(code, Some(1));
    assert!(said.contains("`rating`: is computed"), "{said}");
    // An upload is no activity, and neither is a change of the record.
    desk.json("customer set ana city=Nice");
    desk.json("customer discard cid --reason competitor");
    let counts = desk.json("customer ratings");
    let expected = json!({
        "new": 0, "frequent": 0, "dormant": 0, "expired": 0, "inactive": 1, "discarded": 1,
        "suspended": 0, "total": 2,
    });
    assert_eq!(counts, expected);
    let text = desk.text("customer ratings");
    assert!(text.starts_with("new                0\n"), "{text}");
    assert!(text.ends_with("all                2\n"), "{text}");
}

#[test]
fn a_rating_is_shown_with_the_day_since_when_it_is_so() {
    let desk = stocked();
    let ana = desk.json("customer show ana");
    let today: jiff::Timestamp = ana["created_at"].as_str().unwrap().parse().unwrap();
    let at = today - jiff::SignedDuration::from_hours(24 * 60);
    desk.file(
        "acts.csv",
        &format!("customer,kind,at\nana,conversion,{at}\n"),
    );
    desk.json("import acts.csv --kind interactions");
    let ana = desk.json("customer show ana");
    assert_eq!(ana["rating"], "dormant");
    let history = ana["rating_history"].as_array().unwrap();
    // She was added today; what she did before counts, but not as a change of before.
    assert_eq!(history.last().unwrap()["rating"], "dormant");
}

#[test]
fn a_copy_of_a_person_holds_everything_and_stays_where_it_is() {
    let desk = stocked();
    desk.json("unsubscribe ana --category credit-cards");
    desk.json("customer note add ana remembered --by omar");
    desk.json("customer task add ana call --priority high --assignee eva --due 2026-03-31");
    let copy: Value = serde_json::from_str(&desk.text("customer export ana")).unwrap();
    assert_eq!(copy["format"], "drumbeat-person/1");
    assert_eq!(copy["customer"]["fields"]["email"], "ana@example.com");
    assert_eq!(copy["subscriptions"][0]["category"], "credit-cards");
    assert_eq!(copy["notes"][0]["body"], "remembered");
    assert_eq!(copy["tasks"][0]["due_on"], "2026-03-31");
    assert!(copy["history"].as_array().unwrap().len() >= 3);
    desk.text("customer export ana --format csv --output ana.csv");
    let table = std::fs::read_to_string(desk.folder.path().join("ana.csv")).unwrap();
    assert!(table.starts_with("section,item,name,value\n"), "{table}");
    assert!(
        table.contains("customer,0,fields.email,ana@example.com\n"),
        "{table}"
    );
    let (code, said) = desk.refused("customer export ana --output ana.csv");
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot write `ana.csv`"), "{said}");
}

#[test]
fn notes_and_tasks_are_kept_and_gone_with_the_customer() {
    let desk = stocked();
    let note = desk.json("customer note add ana first --by omar")["note"].clone();
    let task = desk.json("customer task add ana call")["task"].clone();
    let set =
        format!("customer task set ana {task} --status in-progress --assignee eva --priority low");
    desk.json(&set);
    let tasks = desk.json("customer task list ana");
    let found = &tasks["tasks"][0];
    assert_eq!(
        (&found["name"], &found["status"]),
        (&json!("call"), &json!("in-progress"))
    );
    assert_eq!(
        (&found["assignee"], &found["priority"]),
        (&json!("eva"), &json!("low"))
    );
    let text = desk.text("customer show ana");
    assert!(
        text.contains("\ntasks\n") && text.contains("in-progress  low  call"),
        "{text}"
    );
    assert!(
        text.contains("\nnotes\n") && text.contains("omar  first\n"),
        "{text}"
    );
    for words in [
        format!("customer note remove ana {note}"),
        format!("customer task remove ana {task}"),
    ] {
        desk.json(&words);
        assert_eq!(desk.refused(&words).0, Some(1), "{words}");
    }
    desk.json("customer note add ana second");
    desk.json("customer delete ana");
    assert_eq!(desk.refused("customer note list ana").0, Some(1));
    desk.json("customer add ana");
    assert_eq!(desk.json("customer note list ana")["notes"], json!([]));
    let (code, said) = desk.refused("customer task add ana call --status xyz");
    assert_eq!(code, Some(2));
    assert!(said.contains("`open`, `in-progress`, `done`"), "{said}");
}

#[test]
fn a_visitor_becomes_a_customer_and_their_id_leads_there() {
    let desk = stocked();
    let added = desk.json("customer add v-1 --anonymous city=Oslo company=Acme");
    assert_eq!(
        (&added["identified"], &added["status"]),
        (&json!(false), &json!("active"))
    );
    assert_eq!(desk.refused("customer add v-1 --anonymous").0, Some(1));
    desk.json("dismiss v-1 --campaign gold-card");
    let (code, said) = desk.refused("customer merge ana v-1");
    assert_eq!(code, Some(1));
    assert!(said.contains("`ana` is not anonymous"), "{said}");
    assert_eq!(
        desk.text("customer merge v-1 ana --by omar"),
        "v-1: part of ana now\n"
    );
    let ana = desk.json("customer show v-1");
    assert_eq!(ana["id"], "ana");
    assert_eq!(
        (&ana["fields"]["city"], &ana["fields"]["company"]),
        (&json!("Lyon"), &json!("Acme"))
    );
    assert_eq!(ana["dismissals"][0]["campaign"], "gold-card");
    let merged = &ana["interactions"][0];
    assert_eq!(
        (&merged["kind"], &merged["actor"]),
        (&json!("merged"), &json!("omar"))
    );
    let suspended = desk.json("customer suspend v-1 ana --reason x");
    assert_eq!(suspended["changed"], 1, "two ids of one customer");
    let again = desk.json("customer set v-1 score=7 --create");
    assert_eq!(again["created"], false);
    assert_eq!(desk.json("customer show ana")["fields"]["score"], 7);
}
