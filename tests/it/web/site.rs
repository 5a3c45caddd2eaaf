//! Owns a running site: a real store with one customer, a server on a free port, and a browser.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use drumbeat::clock::{Clock, ManualClock};
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{Customer, FieldValue};
use drumbeat::domain::daemon_settings::RequestRate;
use drumbeat::domain::ids::{CustomerId, DispatchId, EnrollmentId, InstanceTag, NameNo};
use drumbeat::domain::link::{Link, LinkKey, LinkKind};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::{Dismissal, Subscription};
use drumbeat::domain::value::Value;
use drumbeat::store::{HistoryFilter, NewCustomer, NewRevision, Published, Store, Upsert};
use drumbeat::web::{Daemon, Door, GatewayHealth, Teller, WebState, serve};
use drumbeat::workspace;
use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::workspace::revision;

use crate::rig::home::Home;

/// The links that lead to a page.
pub(super) const PAGES: [LinkKind; 3] = [
    LinkKind::Unsubscribe,
    LinkKind::Preferences,
    LinkKind::Dismiss,
];
pub(super) const CUSTOMER: &str = "ana";

/// Stands in for the engine, whose probes are its own.
pub(super) struct Running {
    published: Mutex<Arc<Published>>,
    pub(super) alive: AtomicBool,
    pub(super) panics: AtomicBool,
    /// Whether asking for the revision panics, too.
    pub(super) is_lost: AtomicBool,
    /// The channel whose gateway may tell.
    pub(super) teller: Mutex<Option<(Channel, MakeTeller)>>,
}

type MakeTeller = Box<dyn Fn() -> Teller + Send>;

impl Running {
    fn revision(&self) -> Arc<Published> {
        Arc::clone(&self.published.lock().unwrap())
    }

    /// Runs what is published, as a daemon does.
    async fn follow(&self, store: &Store, stop: CancellationToken) {
        let mut beat = tokio::time::interval(Duration::from_millis(5));
        while !stop.is_cancelled() {
            beat.tick().await;
            let latest = store.current_revision_no().await.ok().flatten();
            if latest.is_some_and(|latest| latest > self.revision().number)
                && let Ok(Some(published)) = store.current_revision().await
            {
                *self.published.lock().unwrap() = Arc::new(published);
            }
        }
    }
}

impl Daemon for Running {
    fn alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    fn published(&self) -> Arc<Published> {
        assert!(!self.is_lost.load(Ordering::SeqCst), "asked to panic");
        self.revision()
    }

    fn gateways(&self) -> Vec<GatewayHealth> {
        assert!(!self.panics.load(Ordering::SeqCst), "asked to panic");
        vec![GatewayHealth {
            channel: Channel::Email,
            gateway: "file",
            breaker: "closed",
        }]
    }

    fn teller(&self, channel: Channel) -> Option<Teller> {
        let teller = self.teller.lock().unwrap();
        let (told, make) = teller.as_ref()?;
        (*told == channel).then(make)
    }
}

/// Machine time that is set by hand with flow time.
struct ByHand(Arc<ManualClock>);

impl Clock for ByHand {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn machine(&self) -> Timestamp {
        self.0.now()
    }
}

pub(super) struct Site {
    pub(super) store: Store,
    pub(super) running: Arc<Running>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) address: String,
    links: Arc<LinkKey>,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    browser: Client,
    home: Home,
    _folder: TempDir,
}

impl Site {
    pub(super) async fn start() -> Self {
        Self::start_at(RequestRate::default()).await
    }

    /// A site whose API takes so many requests of a token.
    pub(super) async fn start_at(rate: RequestRate) -> Self {
        Self::start_on(rate, &[]).await
    }

    /// The same, with these files as its workspace, and a daemon that follows what is published.
    pub(super) async fn start_on(rate: RequestRate, files: &[(&str, &str)]) -> Self {
        Self::made(rate, files, None).await
    }

    /// The same, with pages that may tell of their visitors.
    pub(super) async fn behind(rate: RequestRate, door: Option<Door>) -> Self {
        Self::made(rate, &[], door).await
    }

    async fn made(rate: RequestRate, files: &[(&str, &str)], door: Option<Door>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::of_the_run(folder.path()).await;
        let store = home.open(folder.path()).await;
        let published = match files {
            [] => publish(&store).await,
            files => publish_files(&store, folder.path(), files).await,
        };
        let published = Mutex::new(Arc::new(published));
        let clock = Arc::new(ManualClock::new("2026-01-09T10:30:00Z".parse().unwrap()));
        let running = Arc::new(Running {
            published,
            alive: AtomicBool::new(true),
            panics: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            teller: Mutex::default(),
        });
        let links = Arc::new(LinkKey::new([7; 32]));
        let state = WebState::new(
            store.clone(),
            Arc::new(ByHand(Arc::clone(&clock))),
            running.clone(),
            links.clone(),
            Arc::new(metrics()),
        );
        let state = Arc::new(state.at_rate(rate).with_door(door));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, state, stop.clone()));
        if !files.is_empty() {
            let (running, store, stop) = (Arc::clone(&running), store.clone(), stop.clone());
            tokio::spawn(async move { running.follow(&store, stop).await });
        }
        let site = Self {
            store,
            running,
            clock,
            address,
            links,
            stop,
            server,
            browser: Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
            home,
            _folder: folder,
        };
        site.set("first_name", "Ana").await;
        site
    }

    /// Sets a field of the customer, who is made when missing.
    pub(super) async fn set(&self, field: &str, text: &str) {
        self.import(CUSTOMER, field, text).await;
    }

    async fn import(&self, customer: &str, field: &str, text: &str) {
        let value = FieldValue::One(Value::Text(text.to_owned()));
        let customer = NewCustomer {
            external_id: customer.to_owned(),
            fields: vec![(field.to_owned(), Some(value))],
        };
        let by = by();
        let how = Upsert {
            model: &self.running.revision().revision.data_model,
            tags: &[],
            consents: &[],
            by: &by,
            at: Timestamp::UNIX_EPOCH,
        };
        self.store
            .upsert_customers(&[customer], &how)
            .await
            .unwrap();
    }

    /// Puts a tag on a customer, who is made when missing.
    pub(super) async fn tag(&self, customer: &str, tag: &str, published: &Published) {
        let customer = NewCustomer {
            external_id: customer.to_owned(),
            fields: Vec::new(),
        };
        let by = by();
        let how = Upsert {
            model: &published.revision.data_model,
            tags: &[tag.to_owned()],
            consents: &[],
            by: &by,
            at: Timestamp::UNIX_EPOCH,
        };
        let customers = [customer];
        let tagged = self.store.upsert_customers(&customers, &how);
        tagged.await.unwrap();
    }

    pub(super) async fn customer(&self) -> Customer {
        let model = &self.running.revision().revision.data_model;
        let found = self.store.customer(CUSTOMER, model).await.unwrap();
        found.unwrap()
    }

    pub(super) async fn subscriptions(&self) -> Vec<Subscription> {
        let id = self.customer().await.id;
        let mut all = self.store.subscriptions_of(&[id]).await.unwrap();
        all.remove(&id).unwrap_or_default()
    }

    pub(super) async fn dismissals(&self) -> Vec<Dismissal> {
        let id = self.customer().await.id;
        let mut all = self.store.dismissals_of(&[id]).await.unwrap();
        all.remove(&id).unwrap_or_default()
    }

    /// The kinds of all lines of the customer's history, newest first.
    pub(super) async fn history(&self) -> Vec<String> {
        let id = self.customer().await.id;
        let all = HistoryFilter::default();
        let lines = self.store.history(id, &all, 1000).await.unwrap();
        lines.into_iter().map(|line| line.kind).collect()
    }

    /// A link in a message of the flow, perhaps in a communication it reused.
    pub(super) async fn link(&self, kind: LinkKind, campaign: Option<&str>) -> String {
        let customer = self.customer().await.id;
        self.link_of(customer, kind, campaign)
    }

    /// A link that was good until its customer was deleted.
    pub(super) async fn link_to_a_deleted_customer(&self) -> String {
        self.import("ben", "first_name", "Ben").await;
        let ben = self.store.customer_id("ben").await.unwrap().unwrap();
        let link = self.link_of(ben, LinkKind::Unsubscribe, Some("gold-card"));
        assert_eq!(read(self.get(&link)).await.0, 200);
        let at = Timestamp::UNIX_EPOCH;
        self.store.delete_customer(ben, &by(), at).await.unwrap();
        link
    }

    fn link_of(&self, customer: CustomerId, kind: LinkKind, campaign: Option<&str>) -> String {
        let published = self.running.revision();
        let numbers = &published.numbers;
        let flow = numbers.number(NameKind::Flow, "new-member-onboarding");
        let campaign = campaign.map(|name| numbers.number(NameKind::Campaign, name).unwrap());
        let link = Link {
            kind,
            customer,
            flow: flow.unwrap(),
            campaign,
            channel: Channel::Email,
            dispatch: DispatchId::new(InstanceTag::new(1), EnrollmentId(1), NameNo(1)),
        };
        let token = self.links.seal(&link, [3; 12]);
        drumbeat::domain::link::url(&self.address, kind, &token)
    }

    pub(super) fn get(&self, url: &str) -> RequestBuilder {
        self.browser.get(self.absolute(url))
    }

    pub(super) fn head(&self, url: &str) -> RequestBuilder {
        self.browser.head(self.absolute(url))
    }

    pub(super) fn post(&self, url: &str) -> RequestBuilder {
        self.browser.post(self.absolute(url))
    }

    fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') {
            format!("{}{url}", self.address)
        } else {
            url.to_owned()
        }
    }

    pub(super) fn browser(&self) -> &Client {
        &self.browser
    }

    pub(super) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// From now on, or no longer, asking for the revision panics.
    pub(super) fn loses_its_revision(&self, lost: bool) {
        self.running.is_lost.store(lost, Ordering::SeqCst);
    }

    /// One number, asked past the store.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        self.home.number(sql).await
    }

    /// A statement past the store.
    pub(super) async fn execute(&self, sql: &str) {
        self.home.execute(sql).await;
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Stops the server and says how it ended.
    pub(super) async fn stop(self) -> std::io::Result<()> {
        self.stop.cancel();
        self.server.await.unwrap()
    }
}

fn by() -> By {
    By::new(Actor::named("test"), Source::Import)
}

async fn publish(store: &Store) -> Published {
    let new = NewRevision {
        revision: &revision(),
        hash: "test",
        commit: None,
        sources: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    store.publish(new).await.unwrap()
}

async fn publish_files(store: &Store, folder: &Path, files: &[(&str, &str)]) -> Published {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let sources = workspace::load(folder).unwrap();
    let checked = workspace::check(&sources);
    let revision = checked.revision.as_ref();
    let bytes = sources.files();
    let bytes = bytes.map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()));
    let new = NewRevision {
        revision: revision.unwrap_or_else(|| panic!("{:?}", checked.diagnostics)),
        hash: sources.hash(),
        commit: None,
        sources: bytes.collect(),
        at: Timestamp::UNIX_EPOCH,
    };
    store.publish(new).await.unwrap()
}

fn metrics() -> Registry {
    let mut registry = Registry::with_prefix("drumbeat");
    let sent = Counter::<u64>::default();
    sent.inc_by(3);
    registry.register("messages_sent", "Messages handed to a gateway", sent);
    registry
}

pub(super) async fn sent(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

/// Status and body.
pub(super) async fn read(request: RequestBuilder) -> (u16, String) {
    let response = sent(request).await;
    (response.status().as_u16(), response.text().await.unwrap())
}
