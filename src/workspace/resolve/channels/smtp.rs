//! Owns reading a mail relay.

use crate::domain::gateway::{Secretive, SmtpGateway, SmtpSecurity};
use crate::workspace::document::channel::SmtpDoc;
use crate::workspace::spanned::Own as _;

pub(super) fn read(doc: &SmtpDoc) -> SmtpGateway {
    let security = doc
        .security
        .as_ref()
        .map_or(SmtpSecurity::Starttls, |word| word.0);
    let port = match security {
        SmtpSecurity::Starttls => "587",
        SmtpSecurity::Tls => "465",
        SmtpSecurity::None => "25",
    };
    SmtpGateway {
        host: Secretive(doc.host.value.clone()),
        port: Secretive(
            doc.port
                .as_ref()
                .map_or_else(|| port.to_owned(), |port| port.0.clone()),
        ),
        security,
        username: doc.username.own().map(Secretive),
        password: doc.password.own().map(Secretive),
        ca_file: doc.ca_file.own().map(Secretive),
    }
}
