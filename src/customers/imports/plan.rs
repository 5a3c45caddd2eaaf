//! Owns turning the plan of an import into what reads its file: every name and word in it is known.

use std::path::PathBuf;

use encoding_rs::Encoding;

use crate::customers::delimiter::Delimiter;
use crate::customers::error::Error;
use crate::customers::list_names;
use crate::customers::names;
use crate::customers::reading::Input;
use crate::customers::table::TableOptions;
use crate::domain::field::Cardinality;
use crate::domain::import::is_by_id;
use crate::domain::import_plan::{ImportKind, ImportPlan};
use crate::domain::revision::Revision;
use crate::store::Store;

/// Refuses a plan that names what there is not.
///
/// # Errors
/// [`Error::BadPlan`], [`Error::UnknownName`].
pub async fn check(store: &Store, revision: &Revision, plan: &ImportPlan) -> Result<(), Error> {
    input(plan, PathBuf::new())?;
    let model = &revision.data_model;
    if let Some(key) = plan.key.as_deref().filter(|key| !is_by_id(key)) {
        let field = model.field(key).ok_or_else(|| {
            let known = model.fields.iter().map(|field| field.identifier.as_str());
            bad(
                "match",
                names::UnknownName::new("field", key, known).to_string(),
            )
        })?;
        if field.cardinality == Cardinality::Many {
            return Err(bad("match", format!("`{key}` holds several values")));
        }
    }
    for tag in &plan.tags {
        names::check_tag(model, tag).map_err(|unknown| bad("tags", unknown.to_string()))?;
    }
    if let Some((channel, _)) = repeated(&plan.consents) {
        let channel = channel.as_str();
        return Err(bad("consents", format!("`{channel}` is named twice")));
    }
    let is_plain = plan.tags.is_empty() && plan.consents.is_empty() && plan.list.is_none();
    if plan.kind != ImportKind::Customers && !is_plain {
        let told = "tags, consents and a list are for files of customers";
        return Err(bad("kind", told));
    }
    match list_names::number(store, plan.list.as_deref()).await {
        Err(Error::UnknownName(unknown)) => Err(bad("list", unknown.to_string())),
        other => other.map(|_| ()),
    }
}

/// How the file at this path is read.
///
/// # Errors
/// [`Error::BadPlan`].
pub fn input(plan: &ImportPlan, path: PathBuf) -> Result<Input, Error> {
    let delimiter = plan.delimiter.as_deref().map(str::parse::<Delimiter>);
    let encoding = plan.encoding.as_deref().map(|label| {
        Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            bad(
                "encoding",
                format!("`{label}` is no encoding, such as `utf-8`"),
            )
        })
    });
    Ok(Input {
        path,
        table: TableOptions {
            delimiter: delimiter
                .transpose()
                .map_err(|unknown| bad("delimiter", unknown.to_string()))?,
            encoding: encoding.transpose()?,
            skip_lines: plan.skip_lines,
            sheet: plan.sheet.clone(),
        },
        map: plan.map.clone(),
        rejects: None,
        key: plan.key.clone(),
    })
}

/// Refuses a kind of file.
pub(super) fn unsupported(kind: ImportKind) -> Error {
    let kind = kind.as_str();
    bad(
        "kind",
        format!("{kind} cannot be imported: they are not supported yet"),
    )
}

fn repeated<T, U>(pairs: &[(T, U)]) -> Option<&(T, U)>
where
    T: PartialEq,
{
    let mut all = pairs.iter().enumerate();
    let is_there = |place: usize, one: &(T, U)| pairs[..place].iter().any(|(t, _)| *t == one.0);
    all.find(|(place, one)| is_there(*place, one))
        .map(|(_, one)| one)
}

fn bad(field: &'static str, reason: impl Into<String>) -> Error {
    Error::BadPlan {
        field,
        reason: reason.into(),
    }
}
