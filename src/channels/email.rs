//! Owns the bytes of an e-mail: the headers, MIME parts and envelope of one rendered message, the same on every retry.

use std::borrow::Cow;
use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, MultiPartKind, SinglePart};

use super::dkim::Signer;
use super::setup::{BadGateway, Setup};
use crate::domain::dispatch::{Fault, Outcome};
use crate::domain::ids::DispatchId;
use crate::domain::message::{Message, Rendered, RenderedEmail};
use crate::domain::return_path::{ReturnAddress, ReturnPath};

/// A header that is not folded must fit in a line of 998 characters (RFC 5322 §2.1.1).
const LONGEST_LINK: usize = 900;

/// The channel's own sender, for messages that name none, its signature, and where its mail comes back to.
#[derive(Debug, Default)]
pub struct House {
    from: Option<Mailbox>,
    reply_to: Option<Mailbox>,
    signer: Option<Signer>,
    returns: Option<ReturnPath>,
}

/// An e-mail ready to be handed over: CRLF line ends, seven-bit, no dots stuffed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Of the envelope: where it comes back to.
    pub sender: Address,
    pub recipient: Address,
    /// The envelope id, when what comes back is read here (RFC 3461 §4.4).
    pub envelope: Option<DispatchId>,
    pub bytes: Vec<u8>,
}

/// Why a message cannot become an e-mail, whatever the server says.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    #[error("the message is not an e-mail: set another gateway for this channel")]
    OtherChannel,
    #[error("the message has neither a text nor an html body")]
    Empty,
    #[error("nobody is the sender: set `from` in the channel or in the communication")]
    NoSender,
    #[error("`{what}` holds the control character U+{code:04X}: take it out")]
    Control { what: &'static str, code: u32 },
    #[error("`{what}` is not an e-mail address that this channel can use: `{text}`")]
    Address { what: &'static str, text: String },
    #[error("the unsubscribe link is not a plain URL: `{0}`")]
    Link(String),
    #[error("the e-mail cannot be signed: the key of `dkim` does not sign")]
    Sign,
    #[error("the e-mail cannot be built: {0}")]
    Build(#[from] lettre::error::Error),
}

impl From<Unsendable> for Outcome {
    fn from(why: Unsendable) -> Self {
        Self::Refused {
            detail: why.to_string(),
            fault: Fault::Message,
        }
    }
}

impl House {
    pub fn open(setup: &Setup<'_>) -> Result<Self, BadGateway> {
        let read = |key, text: Option<&_>| {
            setup.optional(text, |text| {
                let text = setup.text(key, text)?;
                mailbox(key, &text).map_err(|error| setup.bad(key, &error))
            })
        };
        let dkim = setup.config.email.dkim.as_ref();
        Ok(Self {
            from: read("from", setup.config.from.as_ref())?,
            reply_to: read("reply-to", setup.config.reply_to.as_ref())?,
            signer: dkim.map(|dkim| Signer::open(setup, dkim)).transpose()?,
            returns: return_path(setup)?,
        })
    }
}

/// The return path of the channel's e-mails, if it has one.
pub fn return_path(setup: &Setup<'_>) -> Result<Option<ReturnPath>, BadGateway> {
    let (Some(returns), Some(seal)) = (&setup.config.email.returns, setup.returns) else {
        return Ok(None);
    };
    let key = "returns.address";
    let address = setup.text(key, &returns.address)?;
    let address = ReturnAddress::new(&address).map_err(|error| setup.bad(key, &error))?;
    Ok(Some(ReturnPath::new(address, seal.clone())))
}

/// Builds the e-mail. `Message-ID`, `Date` and the boundary come from the dispatch alone, and the signature from
/// all that: it is made anew for every attempt, the same until the key is another one.
pub fn compose(message: &Message, house: &House) -> Result<Mail, Unsendable> {
    let Rendered::Email(email) = &message.frozen.rendered else {
        return Err(Unsendable::OtherChannel);
    };
    let from = own_or(house.from.as_ref(), "from", email.from.as_deref())?
        .ok_or(Unsendable::NoSender)?
        .into_owned();
    let reply_to = own_or(
        house.reply_to.as_ref(),
        "reply-to",
        email.reply_to.as_deref(),
    )?;
    let recipient = address("to", &message.frozen.to)?;
    let author = from.email.clone();
    let mut builder = lettre::Message::builder()
        .date(SystemTime::from(message.frozen.at))
        .message_id(Some(format!("<{}@{}>", message.id, author.domain())))
        .from(from)
        .to(Mailbox::new(None, recipient.clone()))
        .subject(printable("subject", &email.subject)?);
    if let Some(reply_to) = reply_to {
        builder = builder.reply_to(reply_to.into_owned());
    }
    builder = list_headers(builder, email, author.domain())?;
    let mut bytes = body(builder, message, email)?.formatted();
    if let Some(signer) = &house.signer {
        let signed = signer.sign(bytes, message.frozen.at);
        bytes = signed.ok_or(Unsendable::Sign)?;
    }
    Ok(Mail {
        sender: match &house.returns {
            Some(returns) => address("returns.address", &returns.of(message.id))?,
            None => author,
        },
        recipient,
        envelope: house.returns.as_ref().map(|_| message.id),
        bytes,
    })
}

fn own_or<'a>(
    house: Option<&'a Mailbox>,
    what: &'static str,
    own: Option<&str>,
) -> Result<Option<Cow<'a, Mailbox>>, Unsendable> {
    match own {
        Some(text) => mailbox(what, text).map(|own| Some(Cow::Owned(own))),
        None => Ok(house.map(Cow::Borrowed)),
    }
}

fn body(
    builder: MessageBuilder,
    message: &Message,
    email: &RenderedEmail,
) -> Result<lettre::Message, Unsendable> {
    let text = email
        .text
        .as_deref()
        .map(|text| SinglePart::plain(lines(text)));
    let html = email
        .html
        .as_deref()
        .map(|html| SinglePart::html(lines(html)));
    let built = match (text, html) {
        (Some(text), Some(html)) => {
            // Quoted-printable never yields `=_` (RFC 2045 §6.7), so no encoded line looks like it.
            let parts = MultiPart::builder()
                .kind(MultiPartKind::Alternative)
                .boundary(format!("=_{}", message.id));
            builder.multipart(parts.singlepart(text).singlepart(html))
        }
        (Some(only), None) | (None, Some(only)) => builder.singlepart(only),
        (None, None) => return Err(Unsendable::Empty),
    };
    Ok(built?)
}

/// One-click unsubscribing (RFC 8058) and the list the message belongs to (RFC 2919).
fn list_headers(
    mut builder: MessageBuilder,
    email: &RenderedEmail,
    domain: &str,
) -> Result<MessageBuilder, Unsendable> {
    if let Some(url) = &email.unsubscribe_url {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>".contains(&byte);
        if url.is_empty() || url.len() > LONGEST_LINK || !url.bytes().all(plain) {
            return Err(Unsendable::Link(url.clone()));
        }
        let one_click = "List-Unsubscribe=One-Click".to_owned();
        builder = builder
            .raw_header(verbatim("List-Unsubscribe", format!("<{url}>")))
            .raw_header(verbatim("List-Unsubscribe-Post", one_click));
    }
    if let Some(id) = &email.list_id {
        let label: String = id.chars().map(list_letter).collect();
        builder = builder.raw_header(verbatim("List-ID", format!("<{label}.{domain}>")));
    }
    Ok(builder)
}

fn list_letter(letter: char) -> char {
    if letter.is_ascii_alphanumeric() || "._-".contains(letter) {
        letter
    } else {
        '-'
    }
}

/// A header whose value is ASCII already and must be neither folded nor encoded.
fn verbatim(name: &'static str, value: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
}

fn printable<'a>(what: &'static str, text: &'a str) -> Result<&'a str, Unsendable> {
    match text.chars().find(|letter| letter.is_control()) {
        Some(letter) => Err(Unsendable::Control {
            what,
            code: letter.into(),
        }),
        None => Ok(text),
    }
}

fn mailbox(what: &'static str, text: &str) -> Result<Mailbox, Unsendable> {
    let parsed: Mailbox = printable(what, text)?
        .parse()
        .map_err(|_| not_an_address(what, text))?;
    let email = ascii(&parsed.email).ok_or_else(|| not_an_address(what, text))?;
    Ok(Mailbox::new(parsed.name, email))
}

fn address(what: &'static str, text: &str) -> Result<Address, Unsendable> {
    let parsed: Option<Address> = printable(what, text)?.parse().ok();
    parsed
        .and_then(|address| ascii(&address))
        .ok_or_else(|| not_an_address(what, text))
}

/// The domain as the wire takes it (RFC 5891); a local part beyond ASCII would need SMTPUTF8.
fn ascii(address: &Address) -> Option<Address> {
    let domain = idna::domain_to_ascii(address.domain()).ok()?;
    let address = Address::new(address.user(), domain).ok()?;
    address.user().is_ascii().then_some(address)
}

fn not_an_address(what: &'static str, text: &str) -> Unsendable {
    Unsendable::Address {
        what,
        text: super::detail::clean(text),
    }
}

/// Every line ends in CRLF: a lone carriage return could end a line for one server and not for the
/// next (SMTP smuggling).
fn lines(text: &str) -> String {
    if text.contains('\r') {
        lines(&text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text.replace('\n', "\r\n")
    }
}
