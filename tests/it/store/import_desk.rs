//! Owns a desk for the tests of imports: files are brought, looked at, saved and taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drumbeat::clock::Clock;
use drumbeat::customers::imports::spool::Spool;
use drumbeat::customers::imports::staging::{self, Brought};
use drumbeat::customers::jobs::carrying::Crew;
use drumbeat::domain::import::{Import, ImportNo};
use drumbeat::domain::import_plan::ImportPlan;
use drumbeat::domain::job::{Job, JobNo, JobState};
use drumbeat::store::Published;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::job_office::NoFlows;
use super::life::by;
use super::rig::{Fresh, now, revision};

/// Says stop once it was asked so often.
struct Interrupting {
    left: AtomicUsize,
    stop: CancellationToken,
}

impl Clock for Interrupting {
    fn now(&self) -> Timestamp {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.cancel();
        }
        now()
    }
}

pub(super) struct Desk<'a> {
    store: &'a Fresh,
    pub(super) published: Arc<Published>,
}

impl<'a> Desk<'a> {
    pub(super) async fn at(store: &'a Fresh) -> Self {
        let published = Arc::new(store.published(&revision()).await);
        Self { store, published }
    }

    pub(super) async fn stage(&self, content: &str, plan: ImportPlan) -> ImportNo {
        let mut spool = Spool::begin(self.store, 1 << 30).unwrap();
        spool.write(content.as_bytes()).unwrap();
        let brought = Brought {
            file: spool.finish(),
            name: "people.csv",
            plan: &plan,
            is_dropped: false,
        };
        let by = by();
        let bringing = staging::bring(self.store, brought, (&by, now()));
        bringing.await.unwrap()
    }

    fn crew(&self, clock: Arc<dyn Clock>) -> Crew {
        Crew {
            store: self.store.store().clone(),
            clock,
            flows: Arc::new(NoFlows(Arc::clone(&self.published))),
            node: None,
        }
    }

    pub(super) async fn done(&self, job: JobNo) -> Job {
        let (left, stop) = (AtomicUsize::new(usize::MAX), CancellationToken::new());
        let clock = Interrupting {
            left,
            stop: stop.clone(),
        };
        let ran = self.crew(Arc::new(clock)).run_once(Some(job), &stop).await;
        assert_eq!(ran.unwrap(), Some(job));
        let job = self.store.job(job).await.unwrap().unwrap();
        assert_eq!(job.state, JobState::Done, "{job:?}");
        job
    }

    /// Works on a job until it is over, or it is asked so often what time it is.
    pub(super) async fn work_a_little(&self, job: JobNo, while_asked: usize) -> Job {
        let stop = CancellationToken::new();
        let clock = Interrupting {
            left: AtomicUsize::new(while_asked),
            stop: stop.clone(),
        };
        let crew = self.crew(Arc::new(clock));
        crew.run_once(Some(job), &stop).await.unwrap();
        self.store.job(job).await.unwrap().unwrap()
    }

    /// Works on a job and is stopped after a while, again and again, until it is over; how often.
    pub(super) async fn done_with_stops(&self, job: JobNo, each: usize) -> usize {
        for times in 1.. {
            let job = self.work_a_little(job, each).await;
            if job.state.is_over() {
                assert_eq!(job.state, JobState::Done, "{job:?}");
                return times;
            }
        }
        unreachable!("an endless range has ended")
    }

    pub(super) async fn look(&self, import: ImportNo) -> Import {
        let job = staging::look(self.store, import, &by(), now()).await;
        self.done(job.unwrap()).await;
        self.import(import).await
    }

    pub(super) async fn save(&self, import: ImportNo) -> Job {
        let job = staging::save(self.store, import, &by(), now()).await;
        self.done(job.unwrap()).await
    }

    pub(super) async fn revert(&self, import: ImportNo, is_trial: bool) -> Job {
        let by = by();
        let job = staging::revert(self.store, import, is_trial, (&by, now())).await;
        self.done(job.unwrap()).await
    }

    pub(super) async fn saved(&self, content: &str, plan: ImportPlan) -> ImportNo {
        let import = self.stage(content, plan).await;
        self.save(import).await;
        import
    }

    pub(super) async fn import(&self, import: ImportNo) -> Import {
        self.store.store().import(import).await.unwrap().unwrap()
    }

    pub(super) async fn left(&self, job: &Job) -> Vec<(String, String)> {
        let errors = self.store.job_errors(job.number, None, 100).await.unwrap();
        let errors = errors.into_iter();
        errors
            .map(|(_, one)| (one.who.unwrap_or_default(), one.what))
            .collect()
    }

    pub(super) async fn customers(&self) -> u64 {
        self.store.customer_count().await.unwrap()
    }

    pub(super) async fn city(&self, id: &str) -> Option<String> {
        self.store.read(id).await.text("city").map(str::to_owned)
    }
}

/// A file of so many rows, a tenth of which cannot be taken.
pub(super) fn many(rows: usize) -> String {
    let rows = (0..rows).map(|n| match n % 10 {
        3 => format!("c{n},nobody,Lyon\n"),
        _ => format!("c{n},c{n}@example.com,Lyon\n"),
    });
    let rows: String = rows.collect();
    format!("id,email,city\n{rows}")
}
