//! Owns changing what people define in the store: checked, stored and in force, or refused.

use serde_json::{Map, Value as Json};

use super::draft::{Draft, Ground, is_built_in};
use super::refusal::{Mistake, Refusal};
use super::survey::{Survey, survey};
use super::works;
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::conversion::Conversion;
use crate::domain::definition::DefinitionKind;
use crate::domain::ids::RevisionNo;
use crate::domain::model_work::ModelWork;
use crate::domain::revision::{NameKind, Revision};
use crate::engine::impact;
use crate::store::{self, DefinitionEdit, NewRevision, Redefinition, Store};
use crate::workspace;

/// How often a change is checked anew because another came first.
const TRIES: u32 = 8;
const LONGEST_NAME: usize = 100;

/// What is to become of one definition; bodies have the keys of the flow language.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Add(Map<String, Json>),
    /// Keys to set, and with null to take away (RFC 7396, for the outermost keys).
    Edit(Map<String, Json>),
    Remove,
}

/// A change of one definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub kind: DefinitionKind,
    pub name: String,
    pub what: What,
}

/// Under which conditions a change is made.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Only when its version is one of these.
    pub seen: Option<Vec<i64>>,
    /// Only says what would become of customers.
    pub dry_run: bool,
    /// Values of customers that do not convert may go.
    pub drops: bool,
    /// Values of a removed field are erased, and a removed tag is taken from customers.
    pub erases: bool,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The revision in force with it; none for a dry run.
    pub revision: Option<RevisionNo>,
    /// Whether anything is different now.
    pub changed: bool,
    /// Of a field whose type, cardinality, choices or rules change: what becomes of the values.
    pub survey: Option<Survey>,
}

/// Who changes definitions, and where.
pub struct Editor<'a> {
    pub store: &'a Store,
    pub clock: &'a dyn Clock,
    pub by: &'a By,
}

impl Editor<'_> {
    /// Makes a change, or says why not. What is to be done for customers is done when it returns.
    ///
    /// # Errors
    /// Everything that is wrong with it at once, as [`Refusal::Wrong`]; nothing is stored then.
    pub async fn change(&self, change: &Change, terms: &Terms) -> Result<Done, Refusal> {
        named(change)?;
        for _ in 0..TRIES {
            match self.try_to(change, terms).await {
                Err(Refusal::Store(store::Error::Conflict(_))) => {}
                Ok(done) => {
                    if !terms.dry_run {
                        works::carry_out(self.store, self.clock).await?;
                    }
                    return Ok(done);
                }
                Err(refused) => return Err(refused),
            }
        }
        Err(Refusal::Contended)
    }

    async fn try_to(&self, change: &Change, terms: &Terms) -> Result<Done, Refusal> {
        let ground = Ground::of(self.store).await?;
        let edit = edit(&ground, change, terms)?;
        let stored = ground.stored(change.kind, &change.name);
        if edit.body.is_some() && stored.map(|one| &one.body) == edit.body.as_ref() {
            return Ok(Done {
                revision: Some(ground.published.number),
                changed: false,
                survey: None,
            });
        }
        let draft = Draft::of(&ground, &edit).await?;
        let Some(revision) = &draft.checked.revision else {
            return Err(Refusal::NoRevision);
        };
        let (store, at) = (self.store, self.clock.now());
        if let Some(reach) = impact::awaits(store, &ground.published, revision, at).await? {
            return Err(Refusal::Reaches(reach));
        }
        let survey = self.survey(&ground, revision, change).await?;
        if terms.dry_run {
            return Ok(Done {
                revision: None,
                changed: true,
                survey,
            });
        }
        if let Some(survey) = survey.as_ref().filter(|survey| survey.lost > 0)
            && !terms.drops
        {
            return Err(Refusal::Loses(Box::new(survey.clone())));
        }
        let published = self
            .publish(&ground, &draft, revision, (&edit, terms))
            .await?;
        Ok(Done {
            revision: Some(published),
            changed: true,
            survey,
        })
    }

    /// What becomes of the values of a field, when it is one that may matter to them.
    async fn survey(
        &self,
        ground: &Ground,
        next: &Revision,
        change: &Change,
    ) -> Result<Option<Survey>, Refusal> {
        if change.kind != DefinitionKind::Field {
            return Ok(None);
        }
        let was = ground.published.revision.data_model.field(&change.name);
        let is = next.data_model.field(&change.name);
        let (Some(was), Some(is)) = (was, is) else {
            return Ok(None);
        };
        let matters = was.kind != is.kind
            || was.cardinality != is.cardinality
            || was.choices != is.choices
            || was.validations != is.validations;
        if !matters {
            return Ok(None);
        }
        Ok(Some(survey(self.store, &ground.published, was, is).await?))
    }

    async fn publish(
        &self,
        ground: &Ground,
        draft: &Draft,
        revision: &Revision,
        (edit, terms): (&DefinitionEdit, &Terms),
    ) -> Result<RevisionNo, Refusal> {
        let (was, is) = (&ground.published.revision.data_model, &revision.data_model);
        let conversions = Conversion::between(was, is);
        let (store, clock) = (self.store, self.clock);
        works::convert_ahead(store, clock, &ground.published, (is, &conversions)).await?;
        let at = clock.now();
        let convert = |conversion| ModelWork::Convert {
            conversion: Box::new(conversion),
            since: at,
            drops: terms.drops,
        };
        let mut works: Vec<ModelWork> = conversions.into_iter().map(convert).collect();
        if terms.erases && edit.body.is_none() {
            works.extend(erasure(edit));
        }
        let files = draft.sources.files();
        let sources = files.map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()));
        let new = NewRevision {
            revision,
            hash: draft.sources.hash(),
            commit: draft.sources.commit(),
            sources: sources.collect(),
            at,
        };
        let change = Redefinition {
            edit,
            upon: ground.published.number,
            new,
            works: &works,
            by: self.by,
        };
        if edit.kind == DefinitionKind::Tag && edit.body.is_none() && !terms.erases {
            self.refuse_carried(ground, &edit.name).await?;
        }
        Ok(store.redefine(change).await?.number)
    }

    async fn refuse_carried(&self, ground: &Ground, tag: &str) -> Result<(), Refusal> {
        let number = ground.published.numbers.number(NameKind::Tag, tag);
        let count = match number {
            Some(number) => self.store.tag_count(number).await?,
            None => 0,
        };
        if count == 0 {
            return Ok(());
        }
        let tag = tag.to_owned();
        Err(Refusal::Carried { tag, count })
    }
}

fn erasure(edit: &DefinitionEdit) -> Option<ModelWork> {
    let name = edit.name.clone();
    match edit.kind {
        DefinitionKind::Field => Some(ModelWork::Erase { field: name }),
        DefinitionKind::Tag => Some(ModelWork::Untag { tag: name }),
        DefinitionKind::Segment | DefinitionKind::SmartList => None,
    }
}

/// Names that no file could give either, or nobody could type.
fn named(change: &Change) -> Result<(), Refusal> {
    let name = &change.name;
    let problem = if name.trim().is_empty() {
        "a name is needed".to_owned()
    } else if name.chars().count() > LONGEST_NAME {
        format!("a name has at most {LONGEST_NAME} characters")
    } else if name.chars().any(char::is_control) || name.trim() != name {
        "a name holds no control characters, and no blanks around it".to_owned()
    } else {
        return Ok(());
    };
    if matches!(change.what, What::Add(_)) {
        return Err(Refusal::Wrong {
            shown: format!("{problem}\n"),
            mistakes: vec![Mistake::at("/name", "bad-value", problem)],
        });
    }
    Err(Refusal::Unknown {
        kind: change.kind,
        name: name.clone(),
    })
}

/// The change as it is stored, if the definition may be changed at all.
fn edit(ground: &Ground, change: &Change, terms: &Terms) -> Result<DefinitionEdit, Refusal> {
    let (kind, name) = (change.kind, change.name.clone());
    let stored = ground.stored(kind, &name);
    let body = match &change.what {
        What::Add(body) => {
            if let Some(file) = ground.file_of(kind, &name) {
                return Err(Refusal::InFile { kind, name, file });
            }
            let is_new = !ground.has(kind, &name);
            let adds_to_it = kind == DefinitionKind::Field && is_built_in(&name);
            if stored.is_some() || (!is_new && !adds_to_it) {
                return Err(Refusal::Exists { kind, name });
            }
            Some(body.clone())
        }
        What::Edit(patch) => Some(merged(ground.body(kind, &name)?, patch)),
        What::Remove => {
            if stored.is_none() {
                ground.body(kind, &name)?;
                return Err(Refusal::BuiltIn(name));
            }
            None
        }
    };
    let version = stored.map_or(0, |one| one.version);
    if terms
        .seen
        .as_ref()
        .is_some_and(|seen| !seen.contains(&version))
    {
        return Err(Refusal::Moved { kind, name });
    }
    let body = body.map(|body| workspace::document(kind, &name, &body));
    Ok(DefinitionEdit { kind, name, body })
}

fn merged(mut body: Map<String, Json>, patch: &Map<String, Json>) -> Map<String, Json> {
    for (key, value) in patch {
        if value.is_null() {
            body.shift_remove(key);
        } else {
            body.insert(key.clone(), value.clone());
        }
    }
    body
}
