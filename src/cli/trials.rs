//! Owns the message that `preview` shows and `send-test` sends: as the files say it now, for one customer.

use anyhow::bail;

use super::place::Place;
use super::session::Session;
use super::workspace_revision::Folder;
use crate::customers::profiles;
use crate::domain::customer::Customer;
use crate::domain::message::{Origin, Rendered};
use crate::domain::revision::Revision;
use crate::engine::trial::Trial;
use crate::workspace::render;

/// Where links lead when the settings do not say it.
const NOWHERE: &str = "http://localhost";

#[derive(Debug, clap::Args)]
pub(crate) struct TrialArguments {
    /// The campaign and its communication, or the flow and its step, such as `gold-card/offer`.
    pub(crate) communication: String,
    /// The unique id of the customer whom it is made for.
    #[arg(long = "as", value_name = "CUSTOMER")]
    pub(crate) customer: String,
}

/// A message that was made to be looked at.
pub(crate) struct Made {
    pub(crate) revision: Revision,
    pub(crate) customer: Customer,
    pub(crate) rendered: Rendered,
    pub(crate) origin: Origin,
}

pub(crate) async fn made(
    place: &Place,
    session: &Session,
    arguments: &TrialArguments,
) -> anyhow::Result<Made> {
    let folder = Folder::read(&place.workspace)?;
    let folder = folder.with_definitions(&session.store).await?;
    let Some(revision) = folder.checked.revision.clone() else {
        let errors: Vec<_> = folder.checked.errors().cloned().collect();
        let errors = render::text(&folder.sources, &errors, false);
        bail!("the workspace has errors:\n\n{errors}");
    };
    let trial = Trial::of(&revision, &arguments.communication)?;
    let customer = profiles::customer(&session.store, &revision, &arguments.customer).await?;
    let public_url = folder.checked.settings.public_url.as_ref();
    let public_url = public_url.and_then(|url| session.settings.text(url).ok());
    let public_url = public_url.as_deref().unwrap_or(NOWHERE);
    let rendered = trial.render(&revision, &customer, session.clock.now(), public_url)?;
    Ok(Made {
        origin: trial.origin(&customer),
        revision,
        customer,
        rendered,
    })
}
