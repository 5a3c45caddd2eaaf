//! Owns the definitions of the store as files: put into a workspace, they mean the same.

use crate::domain::definition::{DefinitionKind, Definitions};

/// One file for each kind of which there is any: its name and its text.
pub fn files(definitions: &Definitions) -> Vec<(&'static str, String)> {
    let of = |kind: DefinitionKind| {
        let all = definitions.all.iter().filter(|one| one.kind == kind);
        let documents: Vec<&str> = all.map(|one| one.body.as_str()).collect();
        (!documents.is_empty()).then(|| (name(kind), documents.join("---\n")))
    };
    DefinitionKind::ALL.into_iter().filter_map(of).collect()
}

fn name(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Field => "fields.yaml",
        DefinitionKind::Tag => "tags.yaml",
        DefinitionKind::Segment => "segments.yaml",
        DefinitionKind::SmartList => "smart-lists.yaml",
    }
}
