//! Owns a private Postfix: its own folder, two ports, a self-made certificate, mailboxes in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::port;
use super::program::{chmod, is_root, program};

/// `hard@ok.test` answers 550 5.1.1, `soft@` 451 4.7.1, `full@` 452 4.2.2; all others of `ok.test` are taken.
/// Mail to `late.test` is taken and passed on to a server that knows nobody (550 5.1.1) and wants nothing for
/// `spam@` (550 5.7.1).
pub(crate) struct Postfix {
    /// Takes mail in the clear, and STARTTLS.
    pub(crate) port: u16,
    /// TLS from the first byte.
    pub(crate) tls_port: u16,
    /// The server of `late.test`.
    late_port: u16,
    folder: TempDir,
}

impl Postfix {
    pub(crate) async fn start() -> Self {
        Self::start_returning(None).await
    }

    /// Mail to `news.test` goes to this port by LMTP, or into a maildir.
    pub(crate) async fn start_returning(lmtp: Option<u16>) -> Self {
        assert!(
            is_root(),
            "a private Postfix needs root: run the tests as root or in a container"
        );
        let postfix = Self {
            port: port::free(),
            tls_port: port::free(),
            late_port: port::free(),
            folder: TempDir::new().unwrap(),
        };
        postfix.lay_out(lmtp);
        postfix.control("start");
        port::open(postfix.port).await;
        port::open(postfix.tls_port).await;
        port::open(postfix.late_port).await;
        postfix
    }

    /// The certificate that makes this server trusted, as PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where the mail of `ok.test` lies, and that of `news.test` without LMTP.
    pub(crate) fn maildir(&self) -> PathBuf {
        self.folder.path().join("out/all")
    }

    /// Brings a mail from nobody, as a mailbox provider does.
    pub(crate) async fn bring(&self, to: &str, mail: &str) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut stream = BufReader::new(stream);
        expect(&mut stream, "220").await;
        for (line, code) in [
            ("HELO provider.test", "250"),
            ("MAIL FROM:<>", "250"),
            (&format!("RCPT TO:<{to}>"), "250"),
            ("DATA", "354"),
            (&format!("{mail}\r\n."), "250"),
            ("QUIT", "221"),
        ] {
            let line = format!("{line}\r\n");
            stream.get_mut().write_all(line.as_bytes()).await.unwrap();
            expect(&mut stream, code).await;
        }
    }

    /// The mail in a mailbox of `ok.test`, once it is there.
    pub(crate) async fn received(&self, mailbox: &str) -> String {
        let path = self.folder.path().join("out/all").join("new");
        let recipient = format!("X-Original-To: {mailbox}@ok.test");
        port::eventually(&format!("mail to {mailbox}"), || {
            let files = fs::read_dir(&path).ok()?.flatten();
            let mut mails = files.filter_map(|file| fs::read_to_string(file.path()).ok());
            mails.find(|mail| mail.contains(&recipient))
        })
        .await
    }

    /// Every mail in the mailboxes, once the queue is empty.
    pub(crate) async fn delivered(&self) -> Vec<String> {
        let queue = self.folder.path().join("queue");
        port::eventually("an empty queue", || {
            let waiting = ["maildrop", "incoming", "active", "deferred"]
                .iter()
                .filter_map(|name| fs::read_dir(queue.join(name)).ok())
                .flat_map(Iterator::flatten)
                .filter(|entry| entry.path().is_file())
                .count();
            (waiting == 0).then_some(())
        })
        .await;
        let folder = self.folder.path().join("out/all/new");
        let files = fs::read_dir(folder).unwrap().flatten();
        files
            .map(|file| fs::read_to_string(file.path()).unwrap())
            .collect()
    }

    fn lay_out(&self, lmtp: Option<u16>) {
        let root = self.folder.path();
        chmod(root, 0o755);
        for folder in ["etc", "queue", "data", "out"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        chmod(&root.join("out"), 0o777);
        let owner = Command::new("chown")
            .arg("postfix")
            .arg(root.join("data"))
            .status();
        assert!(
            owner.unwrap().success(),
            "no user `postfix`: install the Debian package `postfix`"
        );
        certificates(root);
        fs::write(
            root.join("etc/main.cf"),
            main_cf(root, self.late_port, lmtp),
        )
        .unwrap();
        fs::write(
            root.join("etc/master.cf"),
            master_cf(self.port, self.tls_port, self.late_port),
        )
        .unwrap();
    }

    fn control(&self, verb: &str) {
        let done = Command::new(program("postfix"))
            .arg("-c")
            .arg(self.folder.path().join("etc"))
            .arg(verb)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "postfix {verb}: {words}");
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.control("stop");
    }
}

/// One reply, of one line.
async fn expect(stream: &mut BufReader<TcpStream>, code: &str) {
    let mut reply = String::new();
    let reading = timeout(Duration::from_secs(30), stream.read_line(&mut reply));
    reading.await.expect("a reply in time").unwrap();
    assert!(reply.starts_with(code), "{code}: {reply}");
}

fn main_cf(root: &Path, late_port: u16, lmtp: Option<u16>) -> String {
    let late = format!("{{ late.test = smtp:[127.0.0.1]:{late_port} }}");
    let (mailboxes, relayed, transports) = match lmtp {
        Some(port) => (
            "ok.test",
            "late.test news.test",
            format!("{late} {{ news.test = lmtp:inet:127.0.0.1:{port} }}"),
        ),
        None => ("ok.test news.test", "late.test", late),
    };
    format!(
        "compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.test
mydestination =
alias_maps =
alias_database =
virtual_mailbox_domains = {mailboxes}
relay_domains = {relayed}
recipient_delimiter = +
transport_maps = inline:{{ {transports} }}
virtual_mailbox_base = {root}/out
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_tls_security_level = may
smtpd_tls_cert_file = {root}/server.pem
smtpd_tls_key_file = {root}/server.key
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ hard@ok.test = 550 5.1.1 User unknown }} {{ soft@ok.test = 451 4.7.1 Greylisted }} {{ full@ok.test = 452 4.2.2 Mailbox full }} }}, permit_mynetworks, reject
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
",
        root = root.display()
    )
}

fn master_cf(port: u16, tls_port: u16, late_port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{late_port} inet n - n - - smtpd
  -o myhostname=mx.late.test
  -o {{ smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ spam@late.test = 550 5.7.1 Blocked }} {{ late.test = 550 5.1.1 User unknown }} }}, reject }}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    )
}

/// A certificate authority of one afternoon, and a certificate for `localhost` and 127.0.0.1.
pub(crate) fn certificates(root: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(
        root,
        &format!("req -x509 {key} -subj /CN=ca.test -keyout ca.key -out ca.pem"),
    );
    openssl(
        root,
        &format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"),
    );
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    fs::write(root.join("names"), names).unwrap();
    openssl(
        root,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

/// Runs it with these arguments, apart at spaces.
pub(crate) fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl starts: install the Debian package `openssl`");
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {arguments}: {words}");
}
