//! Owns the written form of tests: who, what happens, and what must be sent.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A test of flows. It is checked for its shape; running it comes later.
pub(crate) struct TestDoc;

impl JsonSchema for TestDoc {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TestDoc".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": "string" });
        let map = json_schema!({ "type": "object" });
        json_schema!({
            "type": "object",
            "additionalProperties": false,
            "required": ["test", "start", "expect"],
            "properties": {
                "test": text,
                "start": text,
                "customers": { "type": "array", "items": {
                    "type": "object", "required": ["id"], "additionalProperties": true,
                    "properties": { "id": text } } },
                "events": { "type": "array", "items": {
                    "type": "object", "required": ["at", "customer"], "additionalProperties": true,
                    "properties": { "at": text, "customer": text } } },
                "expect": { "type": "array", "items": {
                    "type": "object", "required": ["customer"], "additionalProperties": false,
                    "properties": {
                        "at": text, "customer": text, "step": text, "email": text, "sms": text,
                        "push": text, "withheld": text, "subject-contains": text,
                        "text-contains": text, "exited": text, "completed": map
                    } } }
            }
        })
    }
}
