//! Owns the measuring of work over many customers at once: a job's tags, an export, and ratings as days pass.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use drumbeat::clock::{Clock, SystemClock};
use drumbeat::customers::export::{ExportFormat, ExportRequest, ExportTarget, Selection, export};
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::customers::jobs::picking::Picked;
use drumbeat::customers::jobs::queue::queue;
use drumbeat::customers::occurrence_form::WrittenOccurrence;
use drumbeat::domain::job_order::{self, Action};
use drumbeat::domain::rating::RatingStarts;
use drumbeat::store::{self, JobPage, Published, Stepped, Store};
use tokio_util::sync::CancellationToken;

use crate::phases::{Measures, add, by, number};
use crate::place::Place;
use crate::rig::{self, Rig, Wire};
use crate::told::tell;
use crate::waves::members_now;
use crate::workload::{self, DORMANT, SEGMENT, TAG};

/// Activities lie on so many days, beginning with this one, after everything that other phases sent.
const FIRST_ACTIVE: i64 = 40;
const ACTIVE_DAYS: u64 = 400;
/// The day on which ratings are looked at first, and the days since the last activity that are dormant.
const TODAY: i64 = 450;
const DORMANT_FROM: u64 = 46;
const DORMANT_TO: u64 = 120;

/// No job here has anyone enter a flow.
struct NoFlows(Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(
        &'a self,
        flow: &'a str,
        _: &'a JobPage<'a>,
    ) -> Later<'a, store::Result<Stepped>> {
        let unknown = store::Error::Corrupt(format!("nobody enters `{flow}` here"));
        Box::pin(async { Err(unknown) })
    }
}

async fn in_force(store: &Store) -> Result<Arc<Published>> {
    let published = store.current_revision().await?;
    Ok(Arc::new(published.context("nothing is published")?))
}

/// A job tags everybody in the segment.
pub(crate) async fn tagged(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let published = in_force(&store).await?;
    let order = job_order::Order {
        selection: job_order::Selection::Segment(SEGMENT.to_owned()),
        action: Action::AddTags(vec![TAG.to_owned()]),
    };
    let (by, at) = (by(), SystemClock.now());
    let begun = Instant::now();
    let job = queue(&store, &published, &order, &Picked::default(), (&by, at)).await?;
    let crew = Crew {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        flows: Arc::new(NoFlows(published)),
        node: None,
    };
    crew.run_once(Some(job), &CancellationToken::new()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let done = store.job(job).await?.context("the job is there")?;
    let members = members_now(place);
    if done.changed != members {
        bail!("{} were tagged, not {members}", done.changed);
    }
    store.close().await;
    Ok(Measures::from([(
        "rate".to_owned(),
        number(members) / seconds,
    )]))
}

/// Everybody with all fields to a file.
pub(crate) async fn exported(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let published = in_force(&store).await?;
    let request = ExportRequest {
        selection: Selection::All,
        fields: None,
        format: ExportFormat::Csv,
    };
    let target = ExportTarget::File {
        path: place.folder.join("exported.csv"),
        replaces: true,
    };
    let begun = Instant::now();
    let go_on = |_, _| ControlFlow::Continue(());
    let written = export(
        &store,
        &published,
        &request,
        target,
        &by(),
        &SystemClock,
        &go_on,
    )
    .await?;
    let seconds = begun.elapsed().as_secs_f64();
    if written != place.customers {
        bail!("{written} were exported, not {}", place.customers);
    }
    store.close().await;
    Ok(Measures::from([(
        "rate".to_owned(),
        number(written) / seconds,
    )]))
}

/// The place of a customer's last activity among the days of all.
fn active_on(customer: u64) -> u64 {
    customer % ACTIVE_DAYS
}

/// How many are so many days after their last activity, on a day counted from `TODAY`.
fn aged(place: &Place, today: u64, from: u64, to: u64) -> u64 {
    let between = TODAY.cast_unsigned() - FIRST_ACTIVE.cast_unsigned() + today;
    let ages = (0..place.customers).map(|customer| between - active_on(customer));
    ages.filter(|age| (from..=to).contains(age)).count() as u64
}

/// Everybody was active on some day; a flow is about those who are dormant, and a day passes.
pub(crate) async fn rated(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let active = |customer| WrittenOccurrence {
        id: format!("login-{customer}"),
        kind: "login".to_owned(),
        customer: Some(workload::name(customer)),
        at: rig::day(FIRST_ACTIVE + active_on(customer).cast_signed()).ok(),
        ..WrittenOccurrence::default()
    };
    tell(&store, rig::day(TODAY)?, place.customers, active).await?;
    store.close().await;
    let rig = Rig::open(place, &[DORMANT], Wire::None, TODAY).await?;
    let dormant = aged(place, 0, DORMANT_FROM, DORMANT_TO);
    let (_, first) = rig.enroll(dormant).await?;
    rig.pass_days(1).await?;
    let (day, _) = rig
        .enroll(aged(place, 1, DORMANT_FROM, DORMANT_FROM))
        .await?;
    let revision = rig.engine.catalog().revision().clone();
    let starts = RatingStarts::of(revision.rating, rig.clock.now(), &revision.time_zone());
    let begun = Instant::now();
    let counts = rig.engine.store.rating_counts(starts).await?;
    let counted = begun.elapsed();
    if counts.total() != place.customers {
        bail!("{} customers are rated", counts.total());
    }
    rig.close().await?;
    let mut measures = Measures::new();
    add(&mut measures, "first", number(place.customers) / first);
    add(&mut measures, "day", day);
    add(&mut measures, "counted", counted.as_secs_f64() * 1000.0);
    Ok(measures)
}
