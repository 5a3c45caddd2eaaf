//! Owns the proof of the listener for mail that came back: what is answered, to whom, and when.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use drumbeat::channels::returns::{Intake, Limits};
use drumbeat::domain::lmtp_place::LmtpPlace;
use drumbeat::domain::news::{About, Bounce, Fate, News, Passed};
use drumbeat::domain::return_path::{ReturnAddress, ReturnKey, ReturnPath};
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

use super::dispatch;
use crate::rig::bounce::{AWAY, LETTER, bounce, feedback};
use crate::rig::lmtp::{Keeper, Talk};
use crate::rig::port;

const BARE: &str = "bounces@news.test";

pub(super) fn path() -> ReturnPath {
    let address = ReturnAddress::new(BARE).unwrap();
    ReturnPath::new(address, ReturnKey::derived_from(b"ours"))
}

/// A listener on a port of its own; it ends with the test.
struct Listener {
    port: u16,
    ear: Arc<Keeper>,
    task: JoinHandle<()>,
}

impl Listener {
    async fn start(limits: Limits) -> Self {
        let port = port::free();
        let place = LmtpPlace::read(&format!("127.0.0.1:{port}")).unwrap();
        let (ear, task) = listen(place, limits);
        port::open(port).await;
        Self { port, ear, task }
    }

    async fn stream(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    async fn talk(&self) -> Talk<TcpStream> {
        Talk::begin(self.stream().await).await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn listen(place: LmtpPlace, limits: Limits) -> (Arc<Keeper>, JoinHandle<()>) {
    let ear = Arc::new(Keeper::default());
    let intake = Intake {
        path: path(),
        lmtp: Some(place),
        maildir: None,
        limits,
    };
    let of_task = Arc::clone(&ear);
    let task = tokio::spawn(async move { intake.listen(&*of_task).await });
    (ear, task)
}

/// What was heard, in a word or two.
pub(super) fn words(news: &News) -> String {
    match news {
        News::Receipt(receipt) => {
            let About::Dispatch(id) = receipt.about else {
                panic!("{receipt:?}");
            };
            let step = (1..10).find(|step| dispatch(*step) == id).unwrap();
            let fate = match receipt.fate {
                Fate::Bounced(bounce) => bounce.as_str(),
                fate => fate.as_str(),
            };
            format!("{step} {fate} | {}", receipt.detail)
        }
        News::Passed(passed) => passed.as_str().to_owned(),
        News::Reply(reply) => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn a_bounce_is_told_of_the_message_whose_address_it_came_to() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = listener.talk().await;
    let (one, two) = (path().of(dispatch(1)), path().of(dispatch(2)));
    let upper = two.to_uppercase();
    let stored = talk.bring("", &[&one], &bounce("failed", "5.1.1")).await;
    assert_eq!(stored, ["250 2.0.0 Stored"]);
    let stored = talk.bring("", &[&upper], &bounce("failed", "4.2.2")).await;
    assert_eq!(stored, ["250 2.0.0 Stored"]);
    let delayed = talk.bring("", &[&one], &bounce("delayed", "4.4.1")).await;
    assert_eq!(delayed, ["250 2.0.0 Stored"]);
    assert_eq!(talk.ask("QUIT").await, "221 2.0.0 Bye");
    let heard = listener.ear.heard();
    let heard: Vec<String> = heard.iter().map(words).collect();
    let expected = [
        "1 hard | 550 5.1.1 said so",
        "2 soft | 550 4.2.2 said so",
        "delayed",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn an_address_without_our_seal_is_refused_and_the_others_are_answered_one_by_one() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = listener.talk().await;
    let theirs = ReturnAddress::new(BARE).unwrap();
    let theirs = ReturnPath::new(theirs, ReturnKey::derived_from(b"theirs"));
    let forged = theirs.of(dispatch(1));
    let (one, two) = (path().of(dispatch(1)), path().of(dispatch(2)));
    let to = [&forged, "hello@news.test", &one, "ana@ok.test", &two];
    let answers = talk.bring("", &to, &bounce("failed", "5.1.1")).await;
    let (no, yes) = ("550 5.1.1 No such address", "250 2.0.0 Stored");
    assert_eq!(answers, [no, no, no, yes, yes]);
    let heard: Vec<String> = listener.ear.heard().iter().map(words).collect();
    let expected = [1, 2].map(|n| format!("{n} hard | 550 5.1.1 said so"));
    assert_eq!(heard, expected);
    let answers = talk.bring("", &[&forged], "x").await;
    assert_eq!(answers, [no, "503 5.5.1 No valid recipients"]);
}

#[tokio::test]
async fn feedback_to_the_bare_address_names_its_message_by_the_sealed_sender() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = listener.talk().await;
    let sender = path().of(dispatch(3));
    let from = "fbl@provider.test";
    let complaint = feedback("abuse", &sender);
    assert_eq!(
        talk.bring(from, &[BARE], &complaint).await,
        ["250 2.0.0 Stored"]
    );
    let praise = feedback("not-spam", &sender);
    assert_eq!(
        talk.bring(from, &[BARE], &praise).await,
        ["250 2.0.0 Stored"]
    );
    let strange = feedback("abuse", BARE);
    let refused = talk.bring(from, &[BARE], &strange).await;
    assert_eq!(refused, ["550 5.1.1 No such address"]);
    let heard: Vec<String> = listener.ear.heard().iter().map(words).collect();
    let told = "3 complained | abuse, reported by SomeFBL/1.0";
    assert_eq!(heard, [told, "feedback", "strange"]);
}

#[tokio::test]
async fn what_people_write_is_refused_so_that_they_know_and_machines_are_passed_over() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = listener.talk().await;
    let one = path().of(dispatch(1));
    let answers = talk.bring("ana@ok.test", &[&one, BARE], LETTER).await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert!(answer.starts_with("550 5.7.1 Nobody reads"), "{answer}");
    }
    let answers = talk.bring("ana@ok.test", &[&one], AWAY).await;
    assert_eq!(answers, ["250 2.0.0 Stored"]);
    let letter = News::Passed(Passed::Letter);
    let automatic = News::Passed(Passed::Automatic);
    assert_eq!(listener.ear.heard(), [letter.clone(), letter, automatic]);
}

#[tokio::test]
async fn what_is_not_stored_is_to_be_brought_again() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = listener.talk().await;
    let (one, two) = (path().of(dispatch(1)), path().of(dispatch(2)));
    listener.ear.is_deaf.store(true, Ordering::SeqCst);
    let mail = bounce("failed", "5.1.1");
    let later = "451 4.3.0 Not stored, try again later";
    assert_eq!(talk.bring("", &[&one, &two], &mail).await, [later, later]);
    listener.ear.is_deaf.store(false, Ordering::SeqCst);
    let stored = talk.bring("", &[&one, &two], &mail).await;
    assert_eq!(stored, ["250 2.0.0 Stored", "250 2.0.0 Stored"]);
    assert_eq!(listener.ear.heard().len(), 2);
}

#[tokio::test]
async fn commands_out_of_order_and_unknown_ones_are_answered_and_too_many_end_the_talk() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = Talk::greeted(listener.stream().await).await;
    for (command, expected) in [
        ("EHLO relay.test", "500 5.5.1 This is LMTP: say LHLO"),
        ("HELO relay.test", "500 5.5.1 This is LMTP: say LHLO"),
        ("MAIL FROM:<>", "503 5.5.1 Out of order"),
        ("DATA", "503 5.5.1 Out of order"),
        ("SING", "500 5.5.2 Unknown command"),
        ("LHLO relay.test", ""),
        ("RCPT TO:<bounces@news.test>", "503 5.5.1 Out of order"),
        ("MAIL FROM:<", "501 5.5.4 Syntax error"),
        ("MAIL FROM:<> SIZE=40000000", "552 5.3.4 Too big"),
        ("MAIL FROM:<> SIZE=400 BODY=8BITMIME", "250 2.1.0 Ok"),
        ("MAIL FROM:<>", "503 5.5.1 Out of order"),
        ("RSET", "250 2.0.0 Ok"),
        ("NOOP", "250 2.0.0 Ok"),
        ("VRFY bounces", "252 2.1.5 Send it and see"),
        ("STARTTLS", "502 5.5.1 Not offered"),
    ] {
        let reply = talk.ask(command).await;
        assert!(reply.starts_with(expected), "{command}: {reply}");
    }
    let mut replies = Vec::new();
    for _ in 0..20 {
        let reply = talk.ask("SING").await;
        if reply.starts_with("421 ") || reply.is_empty() {
            break;
        }
        replies.push(reply);
    }
    assert!(replies.len() < 20, "it went on: {replies:?}");
}

#[tokio::test]
async fn commands_may_come_all_at_once_and_dots_are_unstuffed() {
    let listener = Listener::start(Limits::default()).await;
    let mut talk = listener.talk().await;
    let one = path().of(dispatch(1));
    let mail = bounce("failed", "5.1.1").replace("\r\n.", "\r\n..");
    let all = format!(
        "MAIL FROM:<>\r\nRCPT TO:<{one}>\r\nDATA\r\n{mail}\r\n.\r\n\
         MAIL FROM:<>\r\nRCPT TO:<{one}>\r\nDATA\r\n.\r\nQUIT\r\n"
    );
    talk.say(all.as_bytes()).await;
    for expected in [
        "250 2.1.0 Ok",
        "250 2.1.5 Ok",
        "354 End",
        "250 2.0.0 Stored",
        "250 2.1.0 Ok",
        "250 2.1.5 Ok",
        "354 End",
        "250 2.0.0 Stored",
        "221 2.0.0 Bye",
    ] {
        let reply = talk.reply().await;
        assert!(reply.starts_with(expected), "{expected}: {reply}");
    }
    let heard: Vec<String> = listener.ear.heard().iter().map(words).collect();
    assert_eq!(heard, ["1 hard | 550 5.1.1 said so", "automatic"]);
}

#[tokio::test]
async fn size_recipients_and_lines_are_bounded() {
    let small = Limits {
        size: 10_000,
        recipients: 2,
        ..Limits::default()
    };
    let listener = Listener::start(small).await;
    let mut talk = Talk::greeted(listener.stream().await).await;
    talk.ask("LHLO relay.test").await;
    let mail = bounce("failed", "5.1.1");
    let big = format!("{mail}{}", "long\r\n".repeat(2000));
    let to = path().of(dispatch(1));
    let to = [to.as_str(), &to, &to];
    let big = talk.bring("", &to, &big).await;
    let too_many = "452 4.5.3 Too many recipients";
    let too_big = "552 5.3.4 Too big";
    assert_eq!(big, [too_many, too_big, too_big]);
    let stored = talk.bring("", &to[..1], &mail).await;
    assert_eq!(stored, ["250 2.0.0 Stored"]);
    talk.say(&b"x".repeat(5000)).await;
    assert_eq!(talk.reply().await, "500 5.5.2 Line too long");
    assert_eq!(talk.reply().await, "");
    let mut talk = Talk::greeted(listener.stream().await).await;
    talk.ask("LHLO relay.test").await;
    let endless = "long\r\n".repeat(5000);
    let gone = talk.bring("", &to[..1], &endless).await;
    assert_eq!(gone, [""], "twice the size is not read to its end");
}

#[tokio::test]
async fn whoever_says_nothing_makes_room_for_others() {
    let limits = Limits {
        connections: 1,
        silence: Duration::from_millis(300),
        ..Limits::default()
    };
    let listener = Listener::start(limits).await;
    let mut silent = listener.talk().await;
    let mut other = listener.talk().await;
    assert_eq!(silent.reply().await, "", "nothing was said for too long");
    let one = path().of(dispatch(1));
    let stored = other.bring("", &[&one], &bounce("failed", "5.1.1")).await;
    assert_eq!(stored, ["250 2.0.0 Stored"]);
}

#[tokio::test]
async fn a_socket_in_the_file_system_is_taken_over_from_a_daemon_that_died() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("returns.sock");
    let place = LmtpPlace::Socket(socket.clone());
    for _ in 0..2 {
        let (ear, task) = listen(place.clone(), Limits::default());
        let mut found = None;
        port::eventually("the socket", || {
            found = std::os::unix::net::UnixStream::connect(&socket).ok();
            found.is_some().then_some(())
        })
        .await;
        let stream = found.unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut talk = Talk::begin(UnixStream::from_std(stream).unwrap()).await;
        let one = path().of(dispatch(1));
        let stored = talk.bring("", &[&one], &bounce("failed", "5.1.1")).await;
        assert_eq!(stored, ["250 2.0.0 Stored"]);
        let told = ear.heard();
        let News::Receipt(receipt) = &told[0] else {
            panic!("{told:?}");
        };
        assert_eq!(receipt.fate, Fate::Bounced(Bounce::Hard));
        task.abort();
        drop(task.await);
        assert!(
            socket.exists(),
            "what is left behind is what the next finds"
        );
    }
}
