//! The watched folder: each file is imported once, and then put away with a report.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use drumbeat::clock::Clock;
use drumbeat::customers::imports::folder::{Filed, Folder, Seen};
use drumbeat::domain::daemon_settings::{ImportPattern, ImportSettings};
use drumbeat::domain::duration::Delay;
use drumbeat::domain::import_plan::{ImportPlan, NoMatch};
use drumbeat::store::Published;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::bank::{Bank, bank, noon};
use crate::rig::crew::{crew, done};

struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn machine(&self) -> Timestamp {
        self.now()
    }
}

struct Drop {
    bank: Bank,
    clock: Arc<Hand>,
    settings: ImportSettings,
    seen: Seen,
}

impl Drop {
    async fn with(settings: ImportSettings) -> Self {
        let bank = bank().await;
        std::fs::create_dir(bank.folder.path().join("imports")).unwrap();
        Self {
            bank,
            clock: Arc::new(Hand(Mutex::new(noon()))),
            settings,
            seen: Seen::default(),
        }
    }

    async fn at_once() -> Self {
        Self::with(ImportSettings {
            settle: Delay::seconds(0),
            ..ImportSettings::default()
        })
        .await
    }

    fn path(&self) -> PathBuf {
        self.bank.folder.path().join("imports")
    }

    fn file(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    fn pass(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    async fn look(&mut self) -> Vec<Filed> {
        let folder = Folder {
            store: &self.bank.store,
            revision: &self.bank.revision,
            settings: &self.settings,
            path: self.path(),
            clock: self.clock.as_ref(),
        };
        folder.run_once(&mut self.seen).await.unwrap()
    }

    /// Carries out the jobs of all files that were taken.
    async fn work(&self) {
        let published: Arc<Published> = Arc::new(self.bank.published.clone());
        let clock: Arc<dyn Clock> = self.clock.clone();
        let crew = crew(&self.bank.store, &published, clock);
        for import in self.bank.store.dropped_imports().await.unwrap() {
            done(&crew, import.job.unwrap()).await;
        }
    }

    async fn imports(&self) -> usize {
        self.bank.store.imports(None, None, 99).await.unwrap().len()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join(folder));
        let names = entries.into_iter().flatten().map(|entry| entry.unwrap());
        let files = names.filter(|entry| entry.file_type().unwrap().is_file());
        let mut names: Vec<String> = files
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn report(&self, folder: &str) -> Value {
        let names = self.names(folder);
        let name = names.iter().find(|name| name.ends_with(".report.json"));
        let path = self.path().join(folder).join(name.unwrap());
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }
}

fn filed(name: &str) -> Filed {
    Filed {
        name: name.to_owned(),
        problem: None,
    }
}

#[tokio::test]
async fn a_whole_file_is_imported_once_and_put_away_with_a_report() {
    let mut drop = Drop::at_once().await;
    drop.file("people.csv", "id,email\nana,\nben,nobody\n");
    drop.file("more.csv.part", "id\nz\n");
    assert_eq!(drop.look().await, []);
    // Whoever comes next after a crash sees that it is taken already.
    drop.seen = Seen::default();
    assert_eq!(drop.look().await, []);
    assert_eq!(drop.imports().await, 1);
    drop.work().await;
    assert_eq!(drop.look().await, [filed("people.csv")]);
    assert_eq!(drop.names("."), ["more.csv.part"]);
    let expected = [
        "people.20260301T120000-1.csv",
        "people.20260301T120000-1.csv.rejects.csv",
        "people.20260301T120000-1.csv.report.json",
    ];
    assert_eq!(drop.names("done"), expected);
    let report = drop.report("done");
    assert_eq!(
        (&report["ok"], &report["counts"]["rejected"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(drop.bank.store.customer_count().await.unwrap(), 1);
    // The same file of the next night is another one.
    drop.file("people.csv", "id,email\nana,\nben,nobody\n");
    drop.look().await;
    drop.work().await;
    assert_eq!(drop.look().await, [filed("people.csv")]);
    assert_eq!((drop.imports().await, drop.names("done").len()), (2, 6));
    assert_eq!(drop.look().await, []);
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_is_put_away_with_the_reason() {
    let mut drop = Drop::with(ImportSettings {
        settle: Delay::seconds(0),
        files: vec![ImportPattern {
            pattern: "people-*.csv".to_owned(),
            plan: ImportPlan::default(),
        }],
        ..ImportSettings::default()
    })
    .await;
    drop.file("people-1.csv", "email\na@example.com\n");
    drop.file("other.csv", "id\na\n");
    let told = "no pattern of `imports.files` fits its name".to_owned();
    let first = drop.look().await;
    assert_eq!(first[0].problem.as_ref(), Some(&told));
    drop.work().await;
    let second = drop.look().await;
    let why = second[0].problem.clone().unwrap();
    assert!(why.contains("no column holds the unique id"), "{why}");
    assert_eq!((drop.names(".").len(), drop.names("failed").len()), (0, 4));
    assert_eq!(drop.bank.store.customer_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_is_taken_once_it_has_not_changed_for_a_while() {
    let mut drop = Drop::with(ImportSettings::default()).await;
    drop.file("people.csv", "id\na\n");
    drop.look().await;
    drop.pass(9);
    drop.file("people.csv", "id\na\nb\n");
    drop.look().await;
    drop.pass(9);
    drop.look().await;
    assert_eq!(drop.imports().await, 0);
    drop.pass(1);
    drop.look().await;
    assert_eq!(drop.imports().await, 1);
    // Another file comes under its name, and is not taken for the one that was imported.
    drop.file("people.csv", "id\nc\n");
    drop.work().await;
    assert_eq!(drop.look().await, [filed("people.csv")]);
    assert_eq!(drop.names("."), ["people.csv"]);
    drop.pass(10);
    drop.look().await;
    drop.work().await;
    drop.look().await;
    assert_eq!(drop.bank.store.customer_count().await.unwrap(), 3);
}

#[tokio::test]
async fn files_wait_for_the_hour_of_the_night_in_the_zone_of_the_workspace() {
    let mut drop = Drop::with(ImportSettings {
        settle: Delay::seconds(0),
        nightly: Some("0 2 * * *".to_owned()),
        ..ImportSettings::default()
    })
    .await;
    drop.file("people.csv", "id\na\n");
    drop.look().await;
    // Noon in UTC is seven in New York.
    drop.pass(19 * 3600 - 1);
    drop.look().await;
    assert_eq!(drop.imports().await, 0);
    drop.pass(1);
    drop.look().await;
    assert_eq!(drop.imports().await, 1);
}

#[tokio::test]
async fn a_pattern_says_how_its_files_are_imported() {
    let mut drop = Drop::with(ImportSettings {
        settle: Delay::seconds(0),
        files: vec![ImportPattern {
            pattern: "*.txt".to_owned(),
            plan: ImportPlan {
                key: Some("email".to_owned()),
                no_match: NoMatch::Skip,
                tags: vec!["vip".to_owned()],
                map: vec![("Mail".to_owned(), "email".to_owned())],
                ..ImportPlan::default()
            },
        }],
        ..ImportSettings::default()
    })
    .await;
    drop.bank.import("id,email\nana,ana@example.com\n").await;
    drop.file(
        "a.txt",
        "Mail;city\nana@example.com;Lyon\nben@example.com;Oslo\n",
    );
    drop.look().await;
    drop.work().await;
    drop.look().await;
    let ana = drop.bank.customer("ana").await;
    assert_eq!((ana.text("city"), ana.tags.len()), (Some("Lyon"), 1));
    assert_eq!(drop.report("done")["counts"]["skipped"], 1);
}
