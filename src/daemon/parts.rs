//! Owns turning a revision into what runs: the gateways of its channels and its catalog.

use std::path::PathBuf;
use std::sync::Arc;

use crate::channels::registry;
use crate::channels::setup::{BadGateway, Setup};
use crate::domain::return_path::ReturnKey;
use crate::domain::revision::Revision;
use crate::engine::{Catalog, Engine, Outlet, Outlets};
use crate::settings::Settings;
use crate::store::{Published, Result, Store};

/// What gateways are opened with.
pub(super) struct Workshop {
    pub(super) workspace: PathBuf,
    pub(super) settings: Settings,
    /// What seals the return paths of e-mails, once the store is open.
    pub(super) returns: Option<ReturnKey>,
    /// Whether other nodes use the same gateways.
    pub(super) is_shared: bool,
}

impl Workshop {
    /// The outlets of a revision. A channel whose configuration is unchanged keeps its own, with
    /// its connections, slots, pace and breaker.
    pub(super) fn outlets(
        &self,
        revision: &Revision,
        current: &Outlets,
    ) -> std::result::Result<Outlets, Vec<BadGateway>> {
        let (mut outlets, mut bad) = (Outlets::new(), Vec::new());
        for (channel, config) in &revision.channels {
            let kept = current
                .get(channel)
                .filter(|outlet| outlet.config == *config);
            let outlet = match kept {
                Some(outlet) => Ok(Arc::clone(outlet)),
                None => self.open(config),
            };
            match outlet {
                Ok(outlet) => drop(outlets.insert(*channel, outlet)),
                Err(error) => bad.push(error),
            }
        }
        if bad.is_empty() {
            Ok(outlets)
        } else {
            Err(bad)
        }
    }

    pub(super) fn open(
        &self,
        config: &crate::domain::gateway::ChannelConfig,
    ) -> std::result::Result<Arc<Outlet>, BadGateway> {
        let gateway = registry::open(&Setup {
            config,
            workspace: &self.workspace,
            reveal: &|text| Ok(self.settings.reveal(text)?),
            returns: self.returns.as_ref(),
        })?;
        let open = if self.is_shared {
            Outlet::shared
        } else {
            Outlet::new
        };
        Ok(Arc::new(open(config.clone(), gateway)))
    }
}

pub(super) async fn catalog(store: &Store, published: Published) -> Result<Arc<Catalog>> {
    Ok(Catalog::new(published, store.successors().await?))
}

/// Puts a revision to work.
pub(super) async fn install(engine: &Engine, published: Published, outlets: Outlets) -> Result<()> {
    let catalog = catalog(&engine.store, published).await?;
    engine.install(catalog, outlets);
    Ok(())
}
