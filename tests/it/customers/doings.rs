//! What customers did, told by files under ids of their own, and the histories that come of it.

use serde_json::{Value, json};

use super::commands::{Desk, desk};

const DID: &str = r#"{"id": "1", "customer": "ana", "kind": "page-visited", "at": "2026-01-05T10:00:00Z", "page_url": "https://bank.example/loans", "page_title": "Loans"}
{"id": "2", "customer": "ana", "kind": "nps-answered", "at": "2026-01-06T10:00:00Z", "score": 9, "comment": "quick"}
{"id": "3", "customer": "ana", "kind": "item-touched", "at": "2026-01-07T10:00:00Z", "sku": "loan-5y", "item_name": "Loan"}
{"id": "4", "customer": "ana", "kind": "conversion", "at": "2026-01-08T10:00:00Z", "campaign": "gold-card", "channel": "sms", "value": "120.00", "currency": "EUR", "os": "Linux"}
{"id": "5", "customer": "ana", "kind": "nps-answered", "at": "2026-01-08T10:00:00Z", "score": 11}
{"id": "6", "customer": "ana", "kind": "login", "at": "2026-01-08T10:00:00Z", "score": 1}
{"customer": "ana", "kind": "page-visited", "at": "2026-01-08T10:00:00Z", "page_url": "x"}
{"id": "7", "customer": "ana", "kind": "dismissal", "at": "2026-01-08T10:00:00Z", "campaign": "gold-card"}
"#;

const BOUGHT: &str = "\
id,customer,at,amount,currency,place,reason,sku
t1,ana,2026-01-05T10:00:00Z,12.50,EUR,Lyon 3,card fee,card
t2,ana,2026-01-06T10:00:00Z,-2.5,EUR,,refund,
t3,ana,2026-01-07T10:00:00Z,\"1,5\",EUR,,,
t4,eve,2026-01-07T10:00:00Z,1,EUR,,,
,ana,2026-01-07T10:00:00Z,1,EUR,,,
";

fn with_customers() -> Desk {
    let desk = desk();
    desk.json("import people.csv");
    desk
}

fn counts(report: &Value) -> [u64; 4] {
    ["read", "created", "unchanged", "rejected"].map(|key| report[key].as_u64().unwrap())
}

#[test]
fn interactions_with_what_belongs_to_them_come_from_json_lines_once() {
    let desk = with_customers();
    desk.file("did.jsonl", DID);
    let import = "import did.jsonl --kind interactions";
    assert_eq!(
        counts(&desk.json(&format!("{import} --dry-run"))),
        [8, 5, 0, 3]
    );
    assert_eq!(desk.json("customer show ana")["nps"], Value::Null);
    assert_eq!(counts(&desk.json(import)), [8, 5, 0, 3]);
    assert_eq!(counts(&desk.json(import)), [8, 0, 5, 3], "a second time");
    let ana = desk.json("customer show ana");
    assert_eq!(
        (&ana["nps"]["score"], &ana["nps"]["group"]),
        (&json!(9), &json!("promoter"))
    );
    assert_eq!(ana["environment"]["os"], "Linux");
    assert_eq!(ana["dismissals"][0]["campaign"], "gold-card");
    let told = desk.json("customer interactions ana --kind page-visited --month 2026-01");
    let page = &told["interactions"][0]["detail"]["page"];
    assert_eq!(page["title"], "Loans");
    let inbound = desk.json("customer interactions ana --direction inbound");
    assert_eq!(inbound["interactions"].as_array().unwrap().len(), 4);
    let totals = desk.json("customer totals ana");
    assert_eq!(
        (&totals["interactions"], &totals["conversions"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(totals["sms"]["conversions"], 1);
    let items = desk.json("customer items ana");
    assert_eq!(items["items"][0]["sku"], "loan-5y");
    assert_eq!(desk.json("customer messages ana")["messages"], json!([]));
    let rejects = std::fs::read_to_string(desk.folder.path().join("did.rejects.jsonl")).unwrap();
    for reason in [
        "`nps_score`: must be between 0 and 10, not 11",
        "`nps`: does not belong to `login`",
        "`id` is empty: what belongs to a kind is told under one",
    ] {
        assert!(rejects.contains(reason), "{rejects}");
    }
}

#[test]
fn an_answer_is_asked_for_by_its_score_and_its_group() {
    let desk = desk();
    desk.file(
        "segments.yaml",
        "segment: glad\nwhere: { nps: promoter }\n---\nsegment: nine\nwhere: { nps: { is: 9 } }\n---\n\
         segment: low\nwhere: { nps: { at-most: 8 } }\n",
    );
    desk.json("import people.csv");
    desk.file("did.jsonl", DID);
    desk.json("import did.jsonl --kind interactions");
    for (segment, count) in [("glad", 1), ("nine", 1), ("low", 0)] {
        let counted = desk.json(&format!("segment count {segment}"));
        assert_eq!(counted["count"], count, "{segment}");
    }
    desk.file(
        "bad.yaml",
        "segment: bad\nwhere: { nps: { at-least: 9, at-most: 3 } }\n",
    );
    let checked = desk.run("check");
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("a score from 0 to 10"), "{said}");
}

#[test]
fn transactions_come_from_a_file_with_who_when_where_and_why() {
    let desk = with_customers();
    desk.file("bought.csv", BOUGHT);
    let import = "import bought.csv --kind transactions --by omar";
    assert_eq!(counts(&desk.json(import)), [5, 2, 0, 3]);
    assert_eq!(counts(&desk.json(import)), [5, 0, 2, 3], "a second time");
    let told = desk.json("customer transactions ana");
    let first = &told["transactions"][1];
    for (key, value) in [
        ("at", json!("2026-01-05T10:00:00Z")),
        ("amount", json!("12.50")),
        ("currency", json!("EUR")),
        ("place", json!("Lyon 3")),
        ("reason", json!("card fee")),
        ("actor", json!("omar")),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(first["items"][0]["sku"], "card");
    let totals = json!([{ "currency": "EUR", "count": 2, "amount": "10.00" }]);
    assert_eq!(told["totals"], totals);
    assert_eq!(desk.json("customer items ana")["items"][0]["bought"], 1);
    assert_eq!(desk.json("customer ahead ana")["ahead"], json!([]));
    let campaigns = desk.json("customer campaigns ana");
    assert!(
        campaigns["campaigns"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["campaign"] == "gold-card")
    );
    let gold = desk.json("customer campaigns ana gold-card");
    assert_eq!(
        (&gold["campaign"], &gold["customer"]),
        (&json!("gold-card"), &json!("ana"))
    );
    let (code, said) = desk.refused("customer campaigns ana gold-crad");
    assert_eq!(code, Some(1));
    assert!(said.contains("did you mean `gold-card`?"), "{said}");
}
