//! Finding customers by a part of a text of theirs: its beginning, its end, anything in it, what it lacks.

use serde_json::json;

use super::{Api, meeting};

/// Three customers, `a`, `b` and `c`, with these values of a field, and Ana, who has a first name alone.
struct Three {
    api: Api,
    field: &'static str,
}

async fn three(field: &'static str, values: [&str; 3]) -> Three {
    let api = Api::start().await;
    for (id, value) in ["a", "b", "c"].into_iter().zip(values) {
        api.customer(id, json!({ field: value })).await;
    }
    Three { api, field }
}

impl Three {
    async fn are(&self, test: &str, text: &str) -> Vec<String> {
        let condition = json!({ "field": self.field, test: text });
        meeting(&self.api, &condition).await
    }
}

#[tokio::test]
async fn a_first_name_is_found_by_its_beginning_its_end_a_part_and_what_is_not_in_it() {
    let names = three("first_name", ["José", "Joanna", "Benedikt"]).await;
    assert_eq!(names.are("starts-with", "jo").await, ["a", "b"]);
    assert_eq!(names.are("ends-with", "A").await, ["ana", "b"]);
    assert_eq!(names.are("ends-with", "se").await, ["a"]);
    assert_eq!(names.are("contains", "ne").await, ["c"]);
    assert_eq!(names.are("does-not-contain", "n").await, ["a"]);
}

#[tokio::test]
async fn a_last_name_is_found_by_its_beginning_its_end_a_part_and_what_is_not_in_it() {
    let names = three("last_name", ["Müller", "Schmuller", "da Silva"]).await;
    assert_eq!(names.are("starts-with", "mu").await, ["a"]);
    assert_eq!(names.are("ends-with", "ller").await, ["a", "b"]);
    assert_eq!(names.are("contains", "A S").await, ["c"]);
    assert_eq!(names.are("does-not-contain", "müll").await, ["c"]);
}

#[tokio::test]
async fn a_city_is_found_by_its_beginning_its_end_a_part_and_what_is_not_in_it() {
    let cities = three("city", ["São Paulo", "Paulinia", "San Francisco"]).await;
    assert_eq!(cities.are("starts-with", "SA").await, ["a", "c"]);
    assert_eq!(cities.are("ends-with", "paulo").await, ["a"]);
    assert_eq!(cities.are("contains", "paul").await, ["a", "b"]);
    assert_eq!(cities.are("does-not-contain", "paul").await, ["c"]);
}

#[tokio::test]
async fn a_region_is_found_by_its_beginning_its_end_a_part_and_what_is_not_in_it() {
    let values = ["Île-de-France", "Hauts-de-France", "Bretagne"];
    let regions = three("region", values).await;
    assert_eq!(regions.are("starts-with", "ile").await, ["a"]);
    assert_eq!(regions.are("ends-with", "france").await, ["a", "b"]);
    assert_eq!(regions.are("contains", "t").await, ["b", "c"]);
    assert_eq!(regions.are("does-not-contain", "-de-").await, ["c"]);
}

#[tokio::test]
async fn a_zip_code_is_found_by_the_digits_that_it_begins_with_has_or_lacks() {
    let codes = three("zip", ["04400", "44000", "13140"]).await;
    assert_eq!(codes.are("starts-with", "44").await, ["b"]);
    assert_eq!(codes.are("starts-with", "0").await, ["a"]);
    assert_eq!(codes.are("contains", "44").await, ["a", "b"]);
    assert_eq!(codes.are("contains", "4").await, ["a", "b", "c"]);
    assert_eq!(codes.are("does-not-contain", "44").await, ["c"]);
}

#[tokio::test]
async fn a_company_is_found_by_its_beginning_its_end_a_part_and_what_is_not_in_it() {
    let values = ["Acme Bank", "Bank of Rome", "Lakeside 100%"];
    let companies = three("company", values).await;
    assert_eq!(companies.are("starts-with", "bank").await, ["b"]);
    assert_eq!(companies.are("ends-with", "bank").await, ["a"]);
    assert_eq!(companies.are("contains", "bank").await, ["a", "b"]);
    assert_eq!(companies.are("does-not-contain", "bank").await, ["c"]);
    // What has a meaning in a pattern of the database is a character like others.
    assert_eq!(companies.are("ends-with", "0%").await, ["c"]);
    assert!(companies.are("contains", "a%k").await.is_empty());
}
