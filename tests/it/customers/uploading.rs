//! Files of customers as a person at the desk uploads them: read as they say, with something for everybody in them.

use serde_json::{Value, json};

use super::commands::{Desk, desk};

/// A desk where Zoe was before any file.
fn open() -> Desk {
    let desk = desk();
    desk.json("customer add zoe city=Lyon");
    desk
}

fn everybodys(desk: &Desk, key: &str) -> Vec<Value> {
    let of = |id| desk.json(&format!("customer show {id}"))[key].clone();
    ["ana", "cid", "zoe"].map(of).into()
}

#[test]
fn customers_are_imported_from_a_csv_file_with_their_values_and_what_is_wrong_is_kept_out() {
    let desk = desk();
    let report = desk.json("import people.csv");
    assert_eq!(
        (&report["created"], &report["rejected"]),
        (&json!(2), &json!(1))
    );
    let ana = desk.json("customer show ana");
    let fields = json!({ "first_name": "Ana", "city": "Lyon", "joined_on": "2026-01-31",
        "email": "ana@example.com" });
    assert_eq!(
        (&ana["fields"], &ana["identified"]),
        (&fields, &json!(true))
    );
    let cid = desk.json("customer show cid");
    assert_eq!(cid["fields"].get("email"), None);
    let (code, said) = desk.refused("customer show ben");
    assert_eq!(code, Some(1), "{said}");
    desk.file("people.csv", "id;city\nana;Nice\ndora;Bern\n");
    let report = desk.json("import people.csv");
    assert_eq!(
        (&report["created"], &report["updated"]),
        (&json!(1), &json!(1))
    );
    let ana = desk.json("customer show ana");
    assert_eq!(ana["fields"]["city"], "Nice");
    assert_eq!(ana["fields"]["first_name"], "Ana");
}

#[test]
fn as_many_lines_of_a_file_are_skipped_as_the_user_says() {
    let desk = desk();
    desk.file(
        "noted.csv",
        "Export of 1 March\nid;city\nana;Lyon\nben;Rome\n",
    );
    let (code, said) = desk.refused("import noted.csv");
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(desk.json("import noted.csv --skip-lines 1")["created"], 2);
    let ana = desk.json("customer show ana");
    assert_eq!(ana["fields"], json!({ "city": "Lyon" }));
    let (code, said) = desk.refused("import noted.csv --skip-lines few");
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn whoever_is_uploaded_is_rated_at_once_by_what_is_known_of_their_activity() {
    let desk = open();
    desk.json("import people.csv");
    let ratings = desk.json("customer ratings");
    assert_eq!(
        (&ratings["inactive"], &ratings["new"]),
        (&json!(3), &json!(0))
    );
    let ana = desk.json("customer show ana");
    let today: jiff::Timestamp = ana["created_at"].as_str().unwrap().parse().unwrap();
    let ago = |days: i64| today - jiff::SignedDuration::from_hours(24 * days);
    let acts = format!(
        "customer,kind,at\nana,login,{}\ncid,login,{}\n",
        ago(2),
        ago(50)
    );
    desk.file("acts.csv", &acts);
    desk.json("import acts.csv --kind interactions");
    let ratings = everybodys(&desk, "rating");
    assert_eq!(ratings, ["new", "dormant", "inactive"]);
    let dormant = desk.json("customer list --rating dormant");
    assert_eq!(dormant["customers"][0]["id"], "cid");
    assert_eq!(dormant["customers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_file_is_divided_at_the_delimiter_that_the_user_states() {
    let desk = desk();
    desk.file("odd.csv", "id;city,zip\n1;Lyon,69001\n2;Rome,00118\n");
    let by_comma = desk.json("import odd.csv --delimiter , --map id;city=id");
    assert_eq!(by_comma["created"], 2);
    let one = desk.json("customer show 1;Lyon");
    assert_eq!(one["fields"], json!({ "zip": "69001" }));
    let by_semicolon = desk.json("import odd.csv --delimiter ; --map city,zip=city");
    assert_eq!(by_semicolon["created"], 2);
    let one = desk.json("customer show 1");
    assert_eq!(one["fields"], json!({ "city": "Lyon,69001" }));
    let (code, said) = desk.refused("import odd.csv --delimiter colon");
    assert_eq!(code, Some(2));
    assert!(said.contains("colon"), "{said}");
}

#[test]
fn a_tag_is_added_to_everybody_in_an_imported_file_and_to_nobody_else() {
    let desk = open();
    assert_eq!(desk.json("import people.csv --tag vip")["created"], 2);
    let (with, without) = (json!(["vip"]), json!([]));
    let expected = [with.clone(), with, without];
    assert_eq!(everybodys(&desk, "tags"), expected);
    let carriers = desk.json("customer list --tag vip --sort id");
    assert_eq!(carriers["customers"].as_array().unwrap().len(), 2);
    let (code, said) = desk.refused("import people.csv --tag vpi");
    assert_eq!(code, Some(1));
    assert!(said.contains("unknown tag `vpi`"), "{said}");
}

#[test]
fn marketing_agreements_are_added_to_everybody_in_an_imported_file_by_channel() {
    let desk = open();
    desk.json("import people.csv --consent sms=opted-in --consent push=unsubscribed");
    let given = json!({ "email": "subscribed", "sms": "opted-in", "push": "unsubscribed" });
    let none = json!({ "email": "subscribed", "sms": "subscribed", "push": "subscribed" });
    let expected = [given.clone(), given, none];
    assert_eq!(everybodys(&desk, "consents"), expected);
    let agreed = r#"customer list --sort id --where {"consent":{"sms":"opted-in"}}"#;
    let agreed = desk.json(agreed);
    assert_eq!(agreed["customers"].as_array().unwrap().len(), 2);
    let (code, _) = desk.refused("import people.csv --consent fax=opted-in");
    assert_eq!(code, Some(2));
}
