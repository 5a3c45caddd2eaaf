//! The commands about customers, run as a person runs them.

use std::process::{Command, Output};

use drumbeat::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

const SETTINGS: &str = "workspace: lakeside\nzone: America/New_York\n";
const CUSTOMERS: &str = r#"
customers:
  fields:
    joined_on: { description: Joined on, type: date }
    products: { description: Products, type: text, cardinality: many }
  tags: { vip: {} }
---
policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { credit-cards: Credit cards }
  groups: { retail-banking: Retail banking }
---
campaign: gold-card
name: Gold Card
category: credit-cards
group: retail-banking
communications: { offer: { push: { title: An offer, body: Look } } }
---
segment: in-lyon
where: { field: city, is: Lyon }
"#;
const PEOPLE: &str = "id;first_name;city;joined_on;email\n\
    ana;Ana;Lyon;2026-01-31;ana@example.com\n\
    ben;Ben;Rome;2026-02-01;nobody\n\
    cid;Cid;Lyon;2026-02-02;\n";

pub(super) struct Desk {
    pub(super) folder: TempDir,
}

pub(super) fn desk() -> Desk {
    let desk = Desk {
        folder: TempDir::new().unwrap(),
    };
    desk.file("drumbeat.yaml", SETTINGS);
    desk.file("customers.yaml", CUSTOMERS);
    desk.file("people.csv", PEOPLE);
    desk
}

impl Desk {
    pub(super) fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    pub(super) fn run(&self, words: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_drumbeat"))
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env("USER", "mara")
            .output()
            .unwrap()
    }

    pub(super) fn text(&self, words: &str) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn json(&self, words: &str) -> Value {
        let text = self.text(&format!("{words} --format json"));
        serde_json::from_str(&text).unwrap()
    }

    /// The exit code, and what went to stderr.
    pub(super) fn refused(&self, words: &str) -> (Option<i32>, String) {
        let output = self.run(words);
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn an_import_works_before_any_daemon_ran_and_reports_its_counts() {
    let desk = desk();
    let report = desk.json("import people.csv --tag vip --consent sms=opted-in");
    let counts = ["read", "created", "updated", "unchanged", "rejected"];
    let counts = counts.map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 0, 0, 1]);
    assert_eq!(report["rejects_file"], "people.rejects.csv");
    let again = desk.json("import people.csv --tag vip --consent sms=opted-in");
    assert_eq!(
        (&again["unchanged"], &again["created"]),
        (&json!(2), &json!(0))
    );
    let ana = desk.json("customer show ana");
    assert_eq!(ana["tags"], json!(["vip"]));
    assert_eq!(ana["consents"]["sms"], "opted-in");
}

#[test]
fn an_import_says_in_words_what_it_did() {
    let desk = desk();
    let text = desk.text("import people.csv --dry-run --map first_name=last_name");
    let expected = "people.csv: 3 rows read\n  \
        created            2\n  \
        updated            0\n  \
        unchanged          0\n  \
        repeated           0\n  \
        rejected           1  see people.rejects.csv\n\
        nothing was stored: this was a dry run\n";
    assert_eq!(text, expected);
    assert_eq!(desk.refused("customer show ana").0, Some(1));
}

#[test]
fn a_workspace_with_errors_imports_nothing_and_says_why() {
    let desk = desk();
    desk.file("bad.yaml", "segment: x\nwhere: { field: ctiy, is: Lyon }\n");
    let (code, said) = desk.refused("import people.csv");
    assert_eq!(code, Some(78));
    assert!(said.contains("the workspace has errors"), "{said}");
    assert!(said.contains("bad.yaml:2"), "{said}");
}

#[test]
fn what_is_shown_of_a_customer_has_the_keys_that_programs_rely_on() {
    let desk = desk();
    desk.json("import people.csv");
    desk.json("unsubscribe ana --category credit-cards --channel sms");
    let ana = desk.json("customer show ana");
    for key in [
        "id",
        "status",
        "rating",
        "fields",
        "tags",
        "switches",
        "interactions",
    ] {
        assert!(keys(&ana).contains(&key), "{key}");
    }
    assert_eq!(ana["id"], "ana");
    assert_eq!(ana["status"], "active");
    assert_eq!(ana["rating"], "inactive");
    assert_eq!(ana["fields"]["joined_on"], "2026-01-31");
    assert_eq!(keys(&ana["switches"]), ["outbound", "email", "sms", "push"]);
    let record = &ana["subscriptions"][0];
    for key in [
        "campaign", "category", "group", "channel", "state", "actor", "source", "at",
    ] {
        assert!(keys(record).contains(&key), "{key}");
    }
    assert_eq!(record["state"], "unsubscribed");
    assert_eq!(
        (&record["actor"], &record["source"]),
        (&json!("mara"), &json!("command-line"))
    );
    let line = &ana["interactions"][0];
    for key in [
        "at",
        "kind",
        "direction",
        "channel",
        "campaign",
        "flow",
        "step",
        "detail",
    ] {
        assert!(keys(line).contains(&key), "{key}");
    }
    assert_eq!(
        (&line["kind"], &line["channel"]),
        (&json!("unsubscribed"), &json!("sms"))
    );
}

#[test]
fn a_customer_is_shown_to_people_with_switches_and_records_side_by_side() {
    let desk = desk();
    desk.json("import people.csv");
    desk.json("switch ana sms off");
    desk.json("unsubscribe ana --group retail-banking --by omar");
    desk.json("dismiss ana --campaign gold-card");
    let text = desk.text("customer show ana");
    for part in [
        "ana\n  status         active\n  rating         inactive\n",
        "  switches       outbound on, email on, sms off, push on\n",
        "\nfields\n  city        Lyon\n  email       ana@example.com\n",
        "\nsubscriptions\n  unsubscribed  group retail-banking  ",
        "by omar (command-line)\n",
        "\ndismissed\n  gold-card  ",
        "\nhistory, newest first\n",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn every_change_of_consent_says_whether_it_changed_anything() {
    let desk = desk();
    desk.json("import people.csv");
    for (words, expected) in [
        (
            "unsubscribe ana --campaign gold-card",
            json!({ "scope": { "campaign": "gold-card" } }),
        ),
        (
            "dismiss ana --campaign gold-card",
            json!({ "campaign": "gold-card", "dismissed": true }),
        ),
        (
            "switch ana outbound off",
            json!({ "switch": "outbound", "on": false }),
        ),
        (
            "consent ana sms opted-in",
            json!({ "channel": "sms", "consent": "opted-in" }),
        ),
    ] {
        let mut expected = expected;
        expected["customer"] = json!("ana");
        expected["changed"] = json!(true);
        assert_eq!(desk.json(words), expected, "{words}");
        assert_eq!(desk.json(words)["changed"], false, "{words}");
    }
    assert_eq!(
        desk.text("switch ana outbound off"),
        "ana: outbound off already\n"
    );
    assert_eq!(desk.text("switch ana outbound on"), "ana: outbound on\n");
}

#[test]
fn resubscribing_names_what_still_blocks() {
    let desk = desk();
    desk.json("import people.csv");
    desk.json("unsubscribe ana");
    desk.json("unsubscribe ana --category credit-cards");
    let answer = desk.json("resubscribe ana --category credit-cards");
    assert_eq!(
        answer["resubscribed"],
        json!([{ "category": "credit-cards" }])
    );
    assert_eq!(answer["still_blocked_by"], json!([{}]));
    let text = desk.text("resubscribe ana --group retail-banking");
    let expected = "ana: no unsubscription from group retail-banking to undo\n  \
        still blocked: unsubscribed from everything\n";
    assert_eq!(text, expected);
}

#[test]
fn misspelled_names_are_refused_with_the_nearest() {
    let desk = desk();
    desk.json("import people.csv");
    for (words, code, expected) in [
        (
            "unsubscribe ana --campaign gold-crad",
            1,
            "did you mean `gold-card`?",
        ),
        ("switch ana emial off", 2, "did you mean `email`?"),
        ("consent ana sms optedin", 2, "did you mean `opted-in`?"),
        ("segment count in-lyons", 1, "did you mean `in-lyon`?"),
        ("customer show eve", 1, "there is no customer `eve`"),
        (
            "import people.csv --map ctiy=city",
            1,
            "did you mean `city`?",
        ),
    ] {
        let (exit, said) = desk.refused(words);
        assert_eq!(exit, Some(code), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}

#[test]
fn customers_are_set_found_and_deleted() {
    let desk = desk();
    desk.json("import people.csv");
    let set = desk.json("customer set ana city=Oslo products=a;b");
    assert_eq!(
        set,
        json!({ "customer": "ana", "created": false, "changed": true })
    );
    let added = desk.json("customer set dora city=Lyon --create");
    assert_eq!(added["created"], true);
    let found = desk.json("customer find an");
    assert_eq!(found["customers"][0]["id"], "ana");
    assert_eq!(
        found["customers"][0]["fields"]["products"],
        json!(["a", "b"])
    );
    assert_eq!(desk.json("customer delete ana")["deleted"], true);
    assert_eq!(desk.refused("customer find an").0, Some(1));
}

#[test]
fn segments_are_counted_and_shown_in_words() {
    let desk = desk();
    desk.json("import people.csv");
    let count = desk.json("segment count in-lyon");
    assert_eq!(count["count"], 2);
    let preview = desk.json("segment preview in-lyon --limit 1");
    assert_eq!(preview["count"], 2);
    assert_eq!(preview["customers"].as_array().unwrap().len(), 1);
    let text = desk.text("segment count in-lyon");
    let words = count["words"].as_str().unwrap();
    assert_eq!(text, format!("in-lyon: 2 customers\n{words}\n"));
}

#[test]
fn a_revision_in_force_stays_so_and_the_difference_is_remarked() {
    let desk = desk();
    desk.json("import people.csv");
    desk.file(
        "more.yaml",
        "segment: in-rome\nwhere: { field: city, is: Rome }\n",
    );
    let (code, said) = desk.refused("segment count in-rome");
    assert_eq!(code, Some(1));
    assert!(said.contains("the files differ from revision 1"), "{said}");
    let (_, said) = desk.refused("--database sqlite://var/drumbeat.db segment count in-rome");
    assert!(!said.contains("differ"), "{said}");
}

#[tokio::test]
async fn commands_read_the_time_of_a_scaled_daemon() {
    let desk = desk();
    desk.json("import people.csv");
    let path = desk.folder.path().join("var/drumbeat.db");
    let store = Store::open(
        &format!("sqlite://{}", path.display()),
        std::path::Path::new(""),
    )
    .await
    .unwrap();
    let far: Timestamp = "2040-01-01T00:00:00Z".parse().unwrap();
    store
        .save_clock(far, far + SignedDuration::from_hours(24), 3_600.0, false)
        .await
        .unwrap();
    store.close().await;
    desk.json("customer set dora city=Lyon --create");
    let dora = desk.json("customer show dora");
    assert_eq!(dora["created_at"], "2040-01-02T00:00:00Z");
}

#[test]
fn a_backup_is_a_store_of_its_own() {
    let desk = desk();
    desk.json("import people.csv");
    let backup = desk.json("backup copy.db");
    assert!(backup["bytes"].as_u64().unwrap() > 0);
    let ana = desk.json("--database sqlite://copy.db customer show ana");
    assert_eq!(ana["id"], "ana");
    assert_eq!(desk.refused("backup copy.db").0, Some(1));
}
