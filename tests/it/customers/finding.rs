//! Customers found, listed and counted by commands.

use serde_json::{Value, json};

use super::commands::{Desk, desk};

fn ids(listed: &Value) -> Vec<&str> {
    let customers = listed["customers"].as_array().unwrap();
    customers
        .iter()
        .map(|customer| customer["id"].as_str().unwrap())
        .collect()
}

fn bank() -> Desk {
    let desk = desk();
    desk.file(
        "people.csv",
        "id;first_name;last_name;city;zip\n\
         ana;Ana;Müller;Lyon;69001\nben;Ben;Muller;Rome;00118\ncid;Cid;;Lyon;69002\n",
    );
    desk.json("import people.csv --tag vip");
    desk
}

#[test]
fn a_command_finds_by_text_without_a_daemon() {
    let desk = bank();
    let found = desk.json("customer find MULLER");
    let mut names = ids(&found);
    names.sort_unstable();
    assert_eq!((names, &found["indexing"]), (vec!["ana", "ben"], &json!(0)));
    assert_eq!(
        ids(&desk.json("customer find muller --segment in-lyon")),
        ["ana"]
    );
    assert_eq!(
        ids(&desk.json("customer find 690 --sort -zip")),
        ["cid", "ana"]
    );
    let row = &desk.json("customer find ana --fields city")["customers"][0];
    assert_eq!(row["fields"], json!({"city": "Lyon"}));
    assert_eq!(
        (&row["rating"], &row["tags"]),
        (&json!("inactive"), &json!(["vip"]))
    );
    assert!(desk.text("customer find müller").contains("Ana Müller"));
    let (code, said) = desk.refused("customer find nobody");
    assert_eq!(
        (code, said.contains("nobody was found")),
        (Some(1), true),
        "{said}"
    );
}

#[test]
fn customers_are_listed_by_conditions_in_an_order() {
    let desk = bank();
    let listed = desk.json("customer list --sort -last_name --limit 2");
    assert_eq!(ids(&listed), ["ana", "ben"]);
    assert_eq!(
        ids(&desk.json("customer list --sort first_name")),
        ["ana", "ben", "cid"]
    );
    let listed = desk.json(r#"customer list --tag vip --where {"field":"zip","starts-with":"0"}"#);
    assert_eq!(ids(&listed), ["ben"]);
    let today = desk.json("customer list --status active --rating inactive --sort id");
    assert_eq!(ids(&today), ["ana", "ben", "cid"]);
    let anonymous = desk.json("customer list --identified false");
    assert!(ids(&anonymous).is_empty());
    assert!(ids(&desk.json("customer list --converted gold-card")).is_empty());
    for (words, code, told) in [
        ("customer list --sort nothing", 1, "unknown order `nothing`"),
        ("customer list --segment lyon", 1, "unknown segment `lyon`"),
        ("customer list --rating old", 2, "unknown rating `old`"),
        (
            r#"customer list --where {"segment":"lyon"}"#,
            2,
            "--where, line 1, column 12: there is no segment `lyon`",
        ),
        ("customer list --where [", 2, "--where, line 1"),
    ] {
        let (exit, said) = desk.refused(words);
        assert_eq!(
            (exit, said.contains(told)),
            (Some(code), true),
            "{words}: {said}"
        );
    }
}

#[test]
fn a_condition_is_counted_part_by_part() {
    let desk = bank();
    let condition = r#"{"all":[{"tag":"vip"},{"segment":"in-lyon"},{"field":"zip","is":"69002"}]}"#;
    let counted = desk.json(&format!("segment count --where {condition}"));
    assert_eq!(
        (&counted["everybody"], &counted["count"]),
        (&json!(3), &json!(1))
    );
    let steps = counted["steps"].as_array().unwrap();
    let steps: Vec<i64> = steps
        .iter()
        .map(|step| step["count"].as_i64().unwrap())
        .collect();
    assert_eq!(steps, [3, 2, 1]);
    let text = desk.text(&format!("segment count --where {condition}"));
    assert!(
        text.starts_with("3  everybody\n3  is tagged “vip”\n2  is in the segment “in-lyon”\n"),
        "{text}"
    );
    assert_eq!(desk.refused("segment count").0, Some(2));
    assert_eq!(desk.refused("segment count in-lyon --where {}").0, Some(2));
    assert_eq!(desk.json("segment count in-lyon")["count"], 2);
}
