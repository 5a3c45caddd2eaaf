//! The description is of what is there, whole, and like itself.

use std::collections::BTreeSet;

use drumbeat::domain::token::TokenScope;
use reqwest::Method;
use serde_json::{Value, json};

use super::rig::Api;

/// Every operation: its method, its path with something in its places, its description.
fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path
                .replace("{id}", "nobody")
                .replace("{name}", "nothing")
                .replace("{number}", "1");
            all.push((method, path, operation.clone()));
        }
    }
    all
}

#[tokio::test]
async fn the_description_needs_no_token_and_names_every_operation_once() {
    let api = Api::start().await;
    let document = &api.document;
    assert_eq!(document["openapi"].as_str().unwrap().get(..4), Some("3.1."));
    let operations = operations(document);
    assert_eq!(operations.len(), 95);
    let names: BTreeSet<&str> = operations
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), operations.len());
    for (method, path, operation) in &operations {
        for text in ["summary", "description"] {
            assert!(operation[text].is_string(), "{method} {path}: {text}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["schema"]["type"].is_string(),
                "{path}: {parameter}"
            );
            assert!(parameter["description"].is_string(), "{path}: {parameter}");
        }
        for status in ["401", "403", "429", "500", "503"] {
            assert!(
                !operation["responses"][status].is_null(),
                "{path}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn every_operation_asks_for_a_token_with_the_scope_that_it_describes() {
    let api = Api::start().await;
    let powerless = api.token("powerless", &[]).await;
    for (method, path, operation) in operations(&api.document) {
        let bare = api.send(api.bare(method.clone(), &path)).await;
        bare.problem(401, "unauthorized");
        assert!(bare.header("www-authenticate").starts_with("Bearer"));
        let request = api.bare(method.clone(), &path).bearer_auth(&powerless);
        let refused = api.send(request).await.problem(403, "forbidden");
        let scope = operation["security"][0]["token"][0].as_str().unwrap();
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("`{scope}`")), "{path}: {detail}");
        let scope = TokenScope::parse(scope).unwrap();
        let name = format!("{method} {path}");
        let request = api.bare(method.clone(), &path);
        let permitted = request.bearer_auth(api.token(&name, &[scope]).await);
        let permitted = api.send(permitted).await;
        assert!(![401, 403, 405].contains(&permitted.status), "{name}");
    }
}

#[tokio::test]
async fn a_path_without_its_method_says_which_ones_it_takes() {
    let api = Api::start().await;
    let paths = api.document["paths"].as_object().unwrap();
    for (path, item) in paths {
        let path = path.replace("{id}", "x").replace("{name}", "x");
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() || path == "/customers/batch" {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = api.send(api.request(method, &path)).await;
            answer.problem(405, "method-not-allowed");
            for taken in item.as_object().unwrap().keys() {
                let allow = answer.header("allow");
                assert!(allow.contains(&taken.to_uppercase()), "{path}: {allow}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_sent_in_is_described_to_the_last_key() {
    let api = Api::start().await;
    let schemas = &api.document["components"]["schemas"];
    let mut inputs = 0;
    for (_, path, operation) in operations(&api.document) {
        // A file is what it is.
        if !operation["requestBody"]["content"]["application/octet-stream"].is_null() {
            continue;
        }
        let content = &operation["requestBody"]["content"]["application/json"];
        let Some(name) = content["schema"]["$ref"].as_str() else {
            assert!(operation["requestBody"].is_null(), "{path}");
            continue;
        };
        inputs += 1;
        let name = name.rsplit('/').next().unwrap();
        assert_eq!(
            schemas[name]["additionalProperties"],
            json!(false),
            "{name}"
        );
    }
    assert_eq!(inputs, 35);
    // No reference leads nowhere.
    let text = api.document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(!schemas[name].is_null(), "{name}");
    }
}
