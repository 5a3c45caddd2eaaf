//! A store with the published revision of a small bank, in a folder of its own.

use std::path::PathBuf;

use drumbeat::clock::ManualClock;
use drumbeat::customers::error::Error;
use drumbeat::customers::import::{ImportReport, ImportRequest, import};
use drumbeat::customers::reading::Input;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::campaign::{Active, Campaign};
use drumbeat::domain::customer::Customer;
use drumbeat::domain::field::{
    Cardinality, Field, FieldCategory, FieldType, Tag, Validation, ValidationRule,
};
use drumbeat::domain::policy::{Category, Purpose};
use drumbeat::domain::revision::Revision;
use drumbeat::domain::subscription::LinkScope;
use drumbeat::store::{NewRevision, Published, Store};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::rig::home::Home;

pub(super) struct Bank {
    pub(super) folder: TempDir,
    pub(super) store: Store,
    pub(super) revision: Revision,
    pub(super) published: Published,
    pub(super) clock: ManualClock,
    _home: Home,
}

pub(super) fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(super) fn by_mara() -> By {
    By::new(Actor::named("mara"), Source::CommandLine)
}

pub(super) async fn bank() -> Bank {
    bank_of(revision()).await
}

pub(super) async fn bank_of(revision: Revision) -> Bank {
    let folder = TempDir::new().unwrap();
    let home = Home::of_the_run(folder.path()).await;
    let store = home.open(folder.path()).await;
    let published = NewRevision {
        revision: &revision,
        hash: "bank",
        commit: None,
        sources: Vec::new(),
        at: noon(),
    };
    let published = store.publish(published).await.unwrap();
    Bank {
        folder,
        store,
        _home: home,
        revision,
        published,
        clock: ManualClock::new(noon()),
    }
}

impl Bank {
    /// Writes a file into the bank's folder.
    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A request to import a file that is there.
    pub(super) fn request_of(path: PathBuf) -> ImportRequest {
        ImportRequest {
            input: Input {
                path,
                ..Input::default()
            },
            ..ImportRequest::default()
        }
    }

    pub(super) fn request(&self, content: impl AsRef<[u8]>) -> ImportRequest {
        Self::request_of(self.file("people.csv", content))
    }

    pub(super) async fn try_import(&self, request: &ImportRequest) -> Result<ImportReport, Error> {
        let by = By::new(Actor::named("mara"), Source::Import);
        let watch = |_| {};
        import(
            &self.store,
            &self.revision,
            request,
            &by,
            &self.clock,
            &watch,
        )
        .await
    }

    pub(super) async fn import(&self, content: impl AsRef<[u8]>) -> ImportReport {
        self.try_import(&self.request(content)).await.unwrap()
    }

    pub(super) async fn customer(&self, id: &str) -> Customer {
        let found = self.store.customer(id, &self.revision.data_model).await;
        found.unwrap().unwrap()
    }
}

pub(super) fn revision() -> Revision {
    let mut revision = Revision {
        zone: "America/New_York".to_owned(),
        ..Revision::default()
    };
    let model = &mut revision.data_model;
    model.fields.push(field("joined_on", FieldType::Date));
    model.fields.push(field("seen_at", FieldType::Datetime));
    model.fields.push(field("balance", FieldType::Number));
    model.fields.push(field("paperless", FieldType::Boolean));
    model.fields.push(Field {
        cardinality: Cardinality::Many,
        ..field("products", FieldType::Text)
    });
    model.fields.push(Field {
        description: "Instagram Profile".to_owned(),
        validations: vec![Validation {
            rule: ValidationRule::StartsWith("@".to_owned()),
            message: "must begin with @".to_owned(),
        }],
        ..field("instagram_profile", FieldType::Text)
    });
    for tag in ["vip", "spring-fair"] {
        model.tags.insert(tag.to_owned(), Tag::default());
    }
    let cards = Category {
        name: "Credit cards".to_owned(),
        purpose: Purpose::Marketing,
    };
    revision
        .policy
        .categories
        .insert("credit-cards".to_owned(), cards);
    let groups = &mut revision.policy.groups;
    groups.insert("retail-banking".to_owned(), "Retail banking".to_owned());
    let gold = campaign("gold-card");
    revision.campaigns.insert(gold.id.clone(), gold);
    revision
}

pub(super) fn field(identifier: &str, kind: FieldType) -> Field {
    Field {
        identifier: identifier.to_owned(),
        description: identifier.to_owned(),
        kind,
        category: FieldCategory::Profile,
        cardinality: Cardinality::One,
        choices: Vec::new(),
        validations: Vec::new(),
    }
}

fn campaign(id: &str) -> Campaign {
    Campaign {
        id: id.to_owned(),
        name: "Gold Card".to_owned(),
        category: Some("credit-cards".to_owned()),
        group: Some("retail-banking".to_owned()),
        segment: None,
        active: Active::default(),
        unsubscribe: LinkScope::Campaign,
        dismissable: true,
        communications: std::collections::BTreeMap::new(),
    }
}
