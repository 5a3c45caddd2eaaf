//! Owns the published revisions: numbered, with their sources, and never changed afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::awaiting;
use super::customer_columns;
use super::db::Store;
use super::definitions;
use super::error::{Error, Result};
use super::flow_edits;
use super::instants::instant;
use super::model_works;
use super::names;
use super::nodes;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::approval::Approved;
use crate::domain::audit::Actor;
use crate::domain::by_hand;
use crate::domain::flow::Flow;
use crate::domain::ids::RevisionNo;
use crate::domain::model_work::ModelWork;
use crate::domain::revision::{NameKind, Numbers, Revision, step_name, variant_name};

const LATEST: &str = "SELECT revision, hash, git_commit, published_at, body, definitions, \
     approved_by, approved_at FROM revisions ORDER BY revision DESC LIMIT 1";
const UNTIL: &str = "SELECT revision, hash, git_commit, published_at, body, definitions, \
     approved_by, approved_at FROM revisions WHERE revision <= $1 ORDER BY revision DESC LIMIT $2";
const IN_FORCE_AT: &str = "SELECT revision, hash, git_commit, published_at, body, definitions, \
     approved_by, approved_at FROM revisions WHERE published_at <= $1 ORDER BY revision DESC LIMIT 1";
const OF_HASH: &str = "SELECT max(revision) FROM revisions WHERE hash = $1";
const LATEST_NO: &str = "SELECT revision FROM revisions ORDER BY revision DESC LIMIT 1";
const INSERT: &str = "INSERT INTO revisions (revision, hash, git_commit, published_at, body, \
     definitions, approved_by, approved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const SOURCE: &str = "INSERT INTO revision_sources (revision, path, content) VALUES ($1, $2, $3)";
const SOURCES: &str =
    "SELECT path, content FROM revision_sources WHERE revision = $1 ORDER BY path";
const LAST_CHECK: &str = "last_check";

pub(super) const STATEMENTS: &[&str] = &[
    LATEST,
    UNTIL,
    IN_FORCE_AT,
    OF_HASH,
    LATEST_NO,
    INSERT,
    SOURCE,
    SOURCES,
];

/// What is to be published.
#[derive(Debug, Clone)]
pub struct NewRevision<'a> {
    pub revision: &'a Revision,
    /// Of the files: the same hash, with the same definitions in the store, is the same revision.
    pub hash: &'a str,
    /// The git commit of the files, when they are in a repository.
    pub commit: Option<&'a str>,
    /// Path and bytes of every file it was made from.
    pub sources: Vec<(String, Vec<u8>)>,
    pub at: Timestamp,
}

/// A revision in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub number: RevisionNo,
    pub hash: String,
    pub commit: Option<String>,
    pub published_at: Timestamp,
    /// Who agreed to it, where somebody had to.
    pub approved: Option<Approved>,
    pub revision: Revision,
    pub numbers: Numbers,
}

/// What the last look at the files found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    pub ok: bool,
    pub errors: u32,
    pub at: Timestamp,
    pub hash: String,
    pub report: serde_json::Value,
}

impl Store {
    /// Puts a revision in force, in one transaction; the one already in force is given back.
    pub async fn publish(&self, new: NewRevision<'_>) -> Result<Published> {
        let tx = self.write().await?;
        self.publish_in(tx, new).await
    }

    /// The same, as what comes after this revision; none: as the first. When another was put in force
    /// meanwhile it is [`Error::Conflict`], and to be decided anew.
    pub async fn publish_after(
        &self,
        after: Option<RevisionNo>,
        new: NewRevision<'_>,
    ) -> Result<Published> {
        self.publish_leaving(after, new, &[]).await
    }

    /// The same, with what is then left to do for customers.
    pub async fn publish_leaving(
        &self,
        after: Option<RevisionNo>,
        new: NewRevision<'_>,
        works: &[ModelWork],
    ) -> Result<Published> {
        let mut tx = self.write().await?;
        let latest = query(LATEST).fetch_optional(&mut tx).await?;
        if let Some(row) = latest
            && Some(RevisionNo(row.try_get(0)?)) != after
            && !is_same(&row, &new)?
        {
            let overtaken = "another revision was published meanwhile".to_owned();
            return Err(Error::Conflict(overtaken));
        }
        model_works::add(&mut tx, works).await?;
        self.publish_in(tx, new).await
    }

    pub(super) async fn publish_in(&self, mut tx: Tx, new: NewRevision<'_>) -> Result<Published> {
        if definitions::changes(&mut tx).await? != new.revision.definitions {
            let overtaken = "definitions in the store were changed meanwhile".to_owned();
            return Err(Error::Conflict(overtaken));
        }
        let latest = latest_in(&mut tx).await?;
        let made_from = (new.hash, new.revision.definitions);
        let (no, approved) = awaiting::settle(&mut tx, latest, made_from).await?;
        let latest = query(LATEST).fetch_optional(&mut tx).await?;
        if let Some(row) = latest
            && is_same(&row, &new)?
        {
            let numbers = names::ensure(&mut tx, &[]).await?;
            tx.commit().await?;
            return published(&row, numbers);
        }
        let numbers = names::ensure(&mut tx, &names_of(new.revision)).await?;
        customer_columns::add(&mut tx, &new.revision.data_model).await?;
        flow_edits::apply(&mut tx, (no, new.at), new.revision, &numbers).await?;
        insert(&mut tx, (no, approved.as_ref()), &new).await?;
        if let Some(node) = self.node() {
            nodes::show_published(&mut tx, node, new.hash, no).await?;
        }
        tx.commit().await?;
        Ok(Published {
            number: no,
            hash: new.hash.to_owned(),
            commit: new.commit.map(str::to_owned),
            published_at: instant(new.at.as_microsecond())?,
            approved,
            revision: new.revision.clone(),
            numbers,
        })
    }

    /// Path and bytes of everything that a revision was made from, by path.
    pub async fn sources_of(&self, revision: RevisionNo) -> Result<Vec<(String, Vec<u8>)>> {
        let rows = query(SOURCES)
            .bind(revision.0)
            .fetch_all(self.read())
            .await?;
        let rows = rows.iter();
        rows.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    pub async fn current_revision(&self) -> Result<Option<Published>> {
        let mut tx = self.snapshot().await?;
        let Some(row) = query(LATEST).fetch_optional(&mut tx).await? else {
            return Ok(None);
        };
        let numbers = names::all(&mut tx).await?;
        published(&row, numbers).map(Some)
    }

    /// The revision that was in force then; none: nothing was.
    pub async fn revision_at(&self, at: Timestamp) -> Result<Option<Published>> {
        let mut tx = self.snapshot().await?;
        let asked = query(IN_FORCE_AT).bind(at.as_microsecond());
        let Some(row) = asked.fetch_optional(&mut tx).await? else {
            return Ok(None);
        };
        let numbers = names::all(&mut tx).await?;
        published(&row, numbers).map(Some)
    }

    /// This revision and those before it, the newest first.
    pub async fn revisions_until(&self, last: RevisionNo, limit: u32) -> Result<Vec<Published>> {
        let mut tx = self.snapshot().await?;
        let asked = query(UNTIL).bind(last.0).bind(limit);
        let rows = asked.fetch_all(&mut tx).await?;
        let numbers = names::all(&mut tx).await?;
        let rows = rows.iter();
        rows.map(|row| published(row, numbers.clone())).collect()
    }

    pub async fn current_revision_no(&self) -> Result<Option<RevisionNo>> {
        let number: Option<i32> = query_scalar(LATEST_NO).fetch_optional(self.read()).await?;
        Ok(number.map(RevisionNo))
    }

    /// The last revision that was published from files of this hash.
    pub async fn revision_of(&self, hash: &str) -> Result<Option<RevisionNo>> {
        let number: Option<i32> = query_scalar(OF_HASH)
            .bind(hash)
            .fetch_one(self.read())
            .await?;
        Ok(number.map(RevisionNo))
    }

    pub async fn record_check(&self, check: &CheckRecord) -> Result<()> {
        self.set_meta(LAST_CHECK, check).await
    }

    pub async fn last_check(&self) -> Result<Option<CheckRecord>> {
        self.get_meta(LAST_CHECK).await
    }
}

/// The number of the revision in force.
pub(super) async fn latest_in(tx: &mut Tx) -> Result<Option<RevisionNo>> {
    let number: Option<i32> = query_scalar(LATEST_NO).fetch_optional(tx).await?;
    Ok(number.map(RevisionNo))
}

/// Whether a revision was made from the same files and the same definitions in the store.
fn is_same(row: &Row, new: &NewRevision<'_>) -> Result<bool> {
    let (hash, definitions): (String, i64) = (row.try_get(1)?, row.try_get(5)?);
    Ok(hash == new.hash && definitions == new.revision.definitions)
}

async fn insert(
    tx: &mut Tx,
    (no, approved): (RevisionNo, Option<&Approved>),
    new: &NewRevision<'_>,
) -> Result<()> {
    let body = serde_json::to_string(new.revision)
        .map_err(|error| Error::Unusable(format!("the revision cannot be stored: {error}")))?;
    query(INSERT)
        .bind(no.0)
        .bind(new.hash)
        .bind(new.commit)
        .bind(new.at.as_microsecond())
        .bind(body)
        .bind(new.revision.definitions)
        .bind(approved.map(|approved| approved.by.as_str()))
        .bind(approved.map(|approved| approved.at.as_microsecond()))
        .execute(&mut *tx)
        .await?;
    for (path, content) in &new.sources {
        query(SOURCE)
            .bind(no.0)
            .bind(path)
            .bind(content.as_slice())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

fn published(row: &Row, numbers: Numbers) -> Result<Published> {
    Ok(Published {
        number: RevisionNo(row.try_get(0)?),
        hash: row.try_get(1)?,
        commit: row.try_get(2)?,
        published_at: instant(row.try_get(3)?)?,
        approved: approved(row)?,
        revision: flow_edits::parse(row.text(4)?)?,
        numbers,
    })
}

fn approved(row: &Row) -> Result<Option<Approved>> {
    let (by, at): (Option<String>, Option<i64>) = (row.try_get(6)?, row.try_get(7)?);
    let Some((by, at)) = by.zip(at) else {
        return Ok(None);
    };
    Ok(Some(Approved {
        by: Actor::named(by),
        at: instant(at)?,
    }))
}

/// Everything in a revision that has a name, each flow as a campaign too.
pub(super) fn names_of(revision: &Revision) -> Vec<(NameKind, String)> {
    let of = |kind, names: Vec<&String>| -> Vec<(NameKind, String)> {
        names.into_iter().map(|name| (kind, name.clone())).collect()
    };
    let steps = revision.flows.values().flat_map(|flow| {
        let steps = flow.steps.iter();
        steps.map(|step| (NameKind::Step, step_name(&flow.id, &step.id)))
    });
    let variants = revision.flows.values().flat_map(variants_of);
    let variants_by_hand = by_hand::flows(revision).flat_map(|flow| variants_of(&flow));
    let by_hand = by_hand::flows(revision).flat_map(|flow| {
        let step = step_name(&flow.id, by_hand::STEP);
        [(NameKind::Flow, flow.id), (NameKind::Step, step)]
    });
    let fields = revision.data_model.fields.iter();
    let policy = &revision.policy;
    [
        of(NameKind::Flow, revision.flows.keys().collect()),
        of(NameKind::Campaign, revision.flows.keys().collect()),
        of(NameKind::Campaign, revision.campaigns.keys().collect()),
        of(NameKind::Segment, revision.segments.keys().collect()),
        of(NameKind::Category, policy.categories.keys().collect()),
        of(NameKind::Group, policy.groups.keys().collect()),
        of(NameKind::Tag, revision.data_model.tags.keys().collect()),
        of(NameKind::List, revision.lists()),
        of(
            NameKind::Field,
            fields.map(|field| &field.identifier).collect(),
        ),
    ]
    .into_iter()
    .flatten()
    .chain(steps)
    .chain(variants)
    .chain(variants_by_hand)
    .chain(by_hand)
    .collect()
}

fn variants_of(flow: &Flow) -> Vec<(NameKind, String)> {
    let steps = flow.steps.iter();
    let actions = steps.flat_map(|step| step.actions.iter().map(move |action| (step, action)));
    let variants = actions.flat_map(|(step, action)| {
        let variants = action.content.variants.iter();
        variants.map(|variant| variant_name(&flow.id, &step.id, &variant.id))
    });
    variants.map(|name| (NameKind::Variant, name)).collect()
}
