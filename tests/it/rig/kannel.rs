//! Owns a private Kannel: bearerbox and smsbox on free ports, its spool in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::port;

/// A running Kannel; both boxes end when this is dropped.
pub(crate) struct Kannel {
    /// Takes `GET /cgi-bin/sendsms` of the user `drumbeat` with the password `secret`.
    pub(crate) sendsms: u16,
    bearerbox: Child,
    smsbox: Child,
    folder: TempDir,
    /// Where the phones of `fakesmsc` are.
    phones: u16,
    phone: Option<Child>,
}

impl Kannel {
    /// Its phones are behind the message centre on this port.
    pub(crate) async fn start(centre: u16) -> Self {
        Self::configured(centre, "").await
    }

    /// The same, and what phones write is passed on to this address, as the documentation says.
    pub(crate) async fn start_passing_on(centre: u16, inbound: &str) -> Self {
        let service = format!(
            "group = sms-service\nkeyword = default\ncatch-all = true\nmax-messages = 0\n\
             get-url = \"{inbound}?from=%p&to=%P&text=%b&id=%I\"\n"
        );
        Self::configured(centre, &service).await
    }

    async fn configured(centre: u16, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let [admin, boxes, sendsms, phones] = std::array::from_fn(|_| port::free());
        let file = configuration(centre, folder.path(), [admin, boxes, sendsms, phones]);
        fs::write(folder.path().join("kannel.conf"), file + more).unwrap();
        let bearerbox = run("/usr/sbin/bearerbox", folder.path());
        port::open(boxes).await;
        let smsbox = run("/usr/sbin/smsbox", folder.path());
        port::open(sendsms).await;
        Self {
            sendsms,
            bearerbox,
            smsbox,
            folder,
            phones,
            phone: None,
        }
    }

    /// Somebody writes a text to 777, as soon as whoever wrote before has hung up: Kannel hears one at a time.
    pub(crate) fn is_written_to(&mut self, from: &str, text: &str) {
        if let Some(phone) = self.phone.take() {
            end(phone);
        }
        let phone = Command::new("/usr/lib/kannel/test/fakesmsc")
            .args(["-H", "127.0.0.1", "-r", &self.phones.to_string()])
            .args(["-i", "1", "-m", "1"])
            .arg(format!("{from} 777 text {text}"))
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a phone writes: install the Debian package `kannel-extras`");
        self.phone = Some(phone);
    }
}

impl Drop for Kannel {
    fn drop(&mut self) {
        if let Some(phone) = self.phone.take() {
            end(phone);
        }
        for program in [&mut self.smsbox, &mut self.bearerbox] {
            program.kill().unwrap();
            program.wait().unwrap();
        }
    }
}

fn end(mut program: Child) {
    program.kill().unwrap();
    program.wait().unwrap();
}

fn run(program: &str, folder: &Path) -> Child {
    Command::new(program)
        .arg("kannel.conf")
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Kannel starts: install the Debian package `kannel`")
}

fn configuration(centre: u16, folder: &Path, [admin, boxes, sendsms, phones]: [u16; 4]) -> String {
    let folder = folder.display();
    format!(
        "group = core\nadmin-port = {admin}\nadmin-interface = 127.0.0.1\nadmin-password = secret\n\
         smsbox-port = {boxes}\nsmsbox-interface = 127.0.0.1\nbox-allow-ip = 127.0.0.1\n\
         store-type = file\nstore-location = {folder}/store\ndlr-storage = internal\n\n\
         group = smsc\nsmsc = smpp\nsmsc-id = centre\nhost = 127.0.0.1\nport = {centre}\n\
         transceiver-mode = true\nsmsc-username = kannel\nsmsc-password = secret\n\
         system-type = \"\"\ninterface-version = 34\nenquire-link-interval = 10\n\
         max-pending-submits = 10\n\n\
         group = smsc\nsmsc = fake\nsmsc-id = phones\nport = {phones}\n\
         connect-allow-ip = 127.0.0.1\nallowed-smsc-id = phones\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\n\
         sendsms-interface = 127.0.0.1\n\n\
         group = sendsms-user\nusername = drumbeat\npassword = secret\n\
         concatenation = true\nmax-messages = 10\n\n"
    )
}
