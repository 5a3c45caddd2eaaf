//! What customers give up, dismiss and take back, as it is shown of them by command.

use serde_json::{Value, json};

use super::commands::{Desk, desk};

fn customers() -> Desk {
    let desk = desk();
    desk.json("import people.csv");
    desk
}

/// One word of each line of a history, the newest first.
fn told(lines: &Value, key: &str) -> Vec<String> {
    let lines = lines["interactions"].as_array().unwrap().iter();
    lines
        .map(|line| line[key].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The lines of a history that are of this kind.
fn of_kind(desk: &Desk, customer: &str, kind: &str) -> Value {
    desk.json(&format!("customer interactions {customer} --kind {kind}"))
}

#[test]
fn dismissals_and_cancelled_subscriptions_are_events_of_the_history() {
    let desk = customers();
    desk.json("unsubscribe ana --category credit-cards --by omar");
    desk.json("dismiss ana --campaign gold-card --by omar");
    let history = desk.json("customer interactions ana");
    assert_eq!(told(&history, "kind"), ["dismissal", "unsubscribed"]);
    assert_eq!(told(&history, "campaign"), ["gold-card", ""]);
    assert_eq!(told(&history, "actor"), ["omar", "omar"]);
    assert_eq!(
        history["interactions"][1]["detail"]["category"],
        "credit-cards"
    );
    // What changes nothing is no event.
    desk.json("dismiss ana --campaign gold-card");
    desk.json("unsubscribe ana --category credit-cards");
    assert_eq!(desk.json("customer interactions ana"), history);
    assert!(told(&desk.json("customer interactions cid"), "kind").is_empty());
}

#[test]
fn a_dismissal_and_an_unsubscription_are_two_kinds_of_events_and_neither_is_the_other() {
    let desk = customers();
    desk.json("dismiss ana --campaign gold-card");
    desk.json("unsubscribe cid --campaign gold-card");
    for (customer, kind, other) in [
        ("ana", "dismissal", "unsubscribed"),
        ("cid", "unsubscribed", "dismissal"),
    ] {
        let lines = of_kind(&desk, customer, kind);
        assert_eq!(told(&lines, "campaign"), ["gold-card"], "{customer}");
        assert!(told(&of_kind(&desk, customer, other), "kind").is_empty());
    }
    let (ana, cid) = (
        desk.json("customer show ana"),
        desk.json("customer show cid"),
    );
    assert_eq!(ana["subscriptions"], json!([]));
    assert_eq!(cid["dismissals"], json!([]));
}

#[test]
fn what_a_customer_cancelled_and_what_they_dismissed_is_shown() {
    let desk = customers();
    desk.json("unsubscribe ana --group retail-banking --by omar");
    desk.json("dismiss ana --campaign gold-card");
    let ana = desk.json("customer show ana");
    let cancelled = &ana["subscriptions"].as_array().unwrap()[..];
    assert_eq!(cancelled.len(), 1);
    assert_eq!(
        (&cancelled[0]["group"], &cancelled[0]["state"]),
        (&json!("retail-banking"), &json!("unsubscribed"))
    );
    let dismissed = ana["dismissals"].as_array().unwrap();
    assert_eq!(
        (dismissed.len(), &dismissed[0]["campaign"]),
        (1, &json!("gold-card"))
    );
    let text = desk.text("customer show ana");
    for part in [
        "unsubscribed  group retail-banking",
        "dismissed\n  gold-card",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let cid = desk.text("customer show cid");
    assert!(
        !cid.contains("unsubscribed") && !cid.contains("dismissed"),
        "{cid}"
    );
}

#[test]
fn subscriptions_are_shown_with_their_status_beside_the_channels_that_are_on() {
    let desk = customers();
    let shown = |parts: [&str; 2]| {
        let text = desk.text("customer show ana");
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    };
    desk.json("switch ana sms off");
    desk.json("unsubscribe ana --category credit-cards");
    let switches = "outbound on, email on, sms off, push on";
    shown([switches, "  unsubscribed  category credit-cards"]);
    desk.json("switch ana sms on");
    desk.json("switch ana outbound off");
    desk.json("resubscribe ana --category credit-cards");
    let switches = "outbound off, email on, sms on, push on";
    shown([switches, "  resubscribed  category credit-cards"]);
    let ana = desk.json("customer show ana");
    assert_eq!(
        ana["switches"],
        json!({"outbound": false, "email": true, "sms": true, "push": true})
    );
    assert_eq!(ana["subscriptions"][0]["state"], "resubscribed");
}

#[test]
fn a_resubscription_changes_the_status_and_leaves_the_record_to_be_seen() {
    let desk = customers();
    desk.json("unsubscribe ana --campaign gold-card --by omar");
    desk.json("unsubscribe ana --channel push --by omar");
    desk.json("resubscribe ana --campaign gold-card --by mara");
    let ana = desk.json("customer show ana");
    let records = ana["subscriptions"].as_array().unwrap();
    let states: Vec<[&Value; 3]> = records
        .iter()
        .map(|record| ["campaign", "channel", "state"].map(|key| &record[key]))
        .collect();
    let taken_back = [&json!("gold-card"), &Value::Null, &json!("resubscribed")];
    let other = [&Value::Null, &json!("push"), &json!("unsubscribed")];
    assert_eq!(states, [taken_back, other]);
    let text = desk.text("customer show ana");
    assert!(
        text.contains("  resubscribed  campaign gold-card"),
        "{text}"
    );
    let kinds = told(&ana, "kind");
    assert_eq!(kinds, ["resubscribed", "unsubscribed", "unsubscribed"]);
}

#[test]
fn the_detail_of_a_change_names_the_person_who_made_it() {
    let desk = customers();
    desk.json("unsubscribe ana --group retail-banking --by omar");
    let of_record = || desk.json("customer show ana")["subscriptions"][0]["actor"].clone();
    assert_eq!(of_record(), "omar");
    desk.json("resubscribe ana --group retail-banking --by lena");
    assert_eq!(of_record(), "lena");
    // Whoever runs the command, unless it says otherwise.
    desk.json("switch ana sms off");
    desk.json("dismiss ana --campaign gold-card --by nora");
    let ana = desk.json("customer show ana");
    assert_eq!(told(&ana, "actor"), ["nora", "mara", "lena", "omar"]);
    let text = desk.text("customer show ana");
    assert!(text.contains("by lena (command-line)"), "{text}");
}

#[test]
fn a_customer_is_resubscribed_by_campaign_by_category_by_group_or_by_both_and_no_switch_turns() {
    let desk = customers();
    desk.json("switch ana email off");
    let open = || -> usize {
        let ana = desk.json("customer show ana");
        let records = ana["subscriptions"].as_array().unwrap().iter();
        records.filter(|one| one["state"] == "unsubscribed").count()
    };
    let ways = [
        "--campaign gold-card",
        "--category credit-cards",
        "--group retail-banking",
        "--category credit-cards --group retail-banking",
    ];
    for way in ways {
        desk.json(&format!("unsubscribe ana {way} --by omar"));
        assert_eq!(open(), 1, "{way}");
        let others = ways.iter().filter(|other| !way.contains(**other));
        for other in others.filter(|other| !other.contains(way)) {
            let answer = desk.json(&format!("resubscribe ana {other}"));
            assert_eq!(answer["resubscribed"], json!([]), "{way}: {other}");
        }
        assert_eq!(open(), 1, "{way}");
        let answer = desk.json(&format!("resubscribe ana {way}"));
        assert_eq!(answer["resubscribed"].as_array().unwrap().len(), 1, "{way}");
        assert_eq!(open(), 0, "{way}");
    }
    // Who gave one channel up within a category takes it back by the category; the switch stays.
    desk.json("unsubscribe ana --category credit-cards --channel email");
    desk.json("resubscribe ana --category credit-cards");
    assert_eq!(open(), 0);
    assert_eq!(desk.json("customer show ana")["switches"]["email"], false);
}
