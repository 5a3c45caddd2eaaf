//! Owns the proof of reading a maildir: what is read is stored before it is moved.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use drumbeat::channels::returns::{Intake, Limits};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::dispatch;
use super::returns_lmtp::{path, words};
use crate::rig::bounce::{AWAY, LETTER, bounce, feedback};
use crate::rig::lmtp::Keeper;
use crate::rig::port;

struct Reader {
    folder: TempDir,
    ear: Arc<Keeper>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Reader {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["tmp", "new", "cur"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            ear: Arc::new(Keeper::default()),
            task: None,
        }
    }

    fn start(&mut self) {
        let intake = Intake {
            path: path(),
            lmtp: None,
            maildir: Some(self.folder.path().to_owned()),
            limits: Limits {
                round: Duration::from_millis(20),
                ..Limits::default()
            },
        };
        let ear = Arc::clone(&self.ear);
        self.task = Some(tokio::spawn(async move { intake.listen(&*ear).await }));
    }

    fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a mail into `new`, as a server does that took it for `to`.
    fn put(&self, name: &str, to: &str, mail: &str) {
        let mail = format!("Delivered-To: {to}\nReceived: from x\n{mail}");
        fs::write(self.path().join("tmp").join(name), mail).unwrap();
        let new = self.path().join("new").join(name);
        fs::rename(self.path().join("tmp").join(name), new).unwrap();
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let files = fs::read_dir(self.path().join(folder)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    async fn moved(&self, expected: &[&str]) {
        let wanted = format!("{expected:?} in `cur`");
        port::eventually(&wanted, || (self.names("cur") == expected).then_some(())).await;
    }

    fn heard(&self) -> Vec<String> {
        let mut heard: Vec<String> = self.ear.heard().iter().map(words).collect();
        heard.sort();
        heard
    }
}

#[tokio::test]
async fn what_is_new_is_read_and_moved_with_what_is_to_be_done_about_it() {
    let mut reader = Reader::new();
    let (one, two) = (path().of(dispatch(1)), path().of(dispatch(2)));
    reader.put("1.bounce", &one, &bounce("failed", "5.1.1"));
    reader.put("2.feedback", "bounces@news.test", &feedback("abuse", &two));
    reader.put("3.letter", &one, LETTER);
    reader.put("4.away", &one, AWAY);
    let broken = bounce("failed", "5.1.1").replace("Action:", "Inaction:");
    reader.put("5.broken", &one, &broken);
    reader.put(
        "6.strange",
        "bounces+00@news.test",
        &bounce("failed", "5.1.1"),
    );
    reader.start();
    let expected = [
        "1.bounce:2,S",
        "2.feedback:2,S",
        "3.letter:2,",
        "4.away:2,S",
        "5.broken:2,FS",
        "6.strange:2,S",
    ];
    reader.moved(&expected).await;
    let expected = [
        "1 hard | 550 5.1.1 said so",
        "2 complained | abuse, reported by SomeFBL/1.0",
        "automatic",
        "letter",
        "strange",
        "unreadable",
    ];
    assert_eq!(reader.heard(), expected);
    assert_eq!(reader.names("new"), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_not_stored_stays_and_is_told_when_it_can_be() {
    let mut reader = Reader::new();
    let one = path().of(dispatch(1));
    reader.ear.is_deaf.store(true, Ordering::SeqCst);
    reader.put("1.bounce", &one, &bounce("failed", "5.1.1"));
    reader.start();
    let tried = || (reader.ear.unheard.load(Ordering::SeqCst) > 1).then_some(());
    port::eventually("the ear to be tried twice", tried).await;
    reader.put("2.bounce", &one, &bounce("failed", "5.1.1"));
    assert_eq!(reader.names("cur"), Vec::<String>::new());
    reader.stop();
    assert_eq!(reader.names("new"), ["1.bounce", "2.bounce"]);
    reader.ear.is_deaf.store(false, Ordering::SeqCst);
    reader.start();
    reader.moved(&["1.bounce:2,S", "2.bounce:2,S"]).await;
    assert_eq!(reader.heard().len(), 2);
}

#[tokio::test]
async fn a_mail_read_before_a_crash_and_not_moved_is_read_again_and_tells_the_same() {
    let mut reader = Reader::new();
    let one = path().of(dispatch(1));
    reader.put("1.bounce", &one, &bounce("failed", "5.1.1"));
    reader.start();
    reader.moved(&["1.bounce:2,S"]).await;
    reader.stop();
    // As after a crash between storing and moving.
    let cur = reader.path().join("cur/1.bounce:2,S");
    fs::rename(cur, reader.path().join("new/1.bounce")).unwrap();
    reader.start();
    reader.moved(&["1.bounce:2,S"]).await;
    let heard = reader.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0], heard[1]);
}

#[tokio::test]
async fn what_is_no_file_is_left_alone_and_a_maildir_may_come_later() {
    let mut reader = Reader::new();
    let one = path().of(dispatch(1));
    let new = reader.path().join("new");
    fs::create_dir(new.join("folder")).unwrap();
    symlink("/etc/hostname", new.join("link")).unwrap();
    fs::rename(&new, reader.path().join("away")).unwrap();
    reader.start();
    fs::rename(reader.path().join("away"), &new).unwrap();
    for n in 0..250 {
        reader.put(&format!("{n:03}"), &one, &bounce("failed", "5.1.1"));
    }
    let all: Vec<String> = (0..250).map(|n| format!("{n:03}:2,S")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    reader.moved(&all).await;
    assert_eq!(reader.names("new"), ["folder", "link"]);
}
