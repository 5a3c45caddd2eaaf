//! Owns the nodes of a wave: processes of their own that do as they are told, all at the same time.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::place::Place;
use crate::process;
use crate::rig::{Rig, Wire};

/// What a node stands for: a flow on a day, and what is behind its channels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) flow: String,
    pub(crate) wire: Wire,
    pub(crate) day: i64,
}

/// What the nodes are told, each on a line; a node says how many seconds it took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Work as a daemon does until nothing is left.
    Wave,
    /// Claim what is due, without anything beside.
    Claim,
    /// So many days go by.
    Days(i64),
}

/// What a node took, in seconds and megabytes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) cpu: f64,
    pub(crate) peak: f64,
}

/// The nodes of a database, all of them ready.
pub(crate) struct Crew(Vec<Member>);

struct Member {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Crew {
    /// Starts them; each holds its share of the work when this comes back.
    pub(crate) async fn start(place: &Place, post: &Post) -> Result<Self> {
        let nodes = 0..place.nodes;
        let members: Result<Vec<Member>> = nodes
            .map(|node| {
                Member::start(
                    &Place {
                        node,
                        ..place.clone()
                    },
                    post,
                )
            })
            .collect();
        let mut crew = Self(members?);
        for member in &mut crew.0 {
            member.answer::<bool>().await?;
        }
        Ok(crew)
    }

    /// Tells all of them; the seconds until the last one was done.
    pub(crate) async fn order(&mut self, order: Order) -> Result<f64> {
        for member in &mut self.0 {
            member.say(order).await?;
        }
        let mut longest: f64 = 0.0;
        for member in &mut self.0 {
            longest = longest.max(member.answer().await?);
        }
        Ok(longest)
    }

    /// Lets them leave; what each of them took.
    pub(crate) async fn stop(self) -> Result<Vec<Taken>> {
        let mut all = Vec::new();
        for member in self.0 {
            all.push(member.stop().await?);
        }
        Ok(all)
    }
}

impl Member {
    fn start(place: &Place, post: &Post) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["node", &place.word()?, &serde_json::to_string(post)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().context("a node hears nothing")?;
        let answers = child.stdout.take().context("a node says nothing")?;
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(answers).lines(),
        })
    }

    async fn say(&mut self, order: Order) -> Result<()> {
        let line = serde_json::to_string(&order)? + "\n";
        Ok(self.orders.write_all(line.as_bytes()).await?)
    }

    async fn answer<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self.answers.next_line().await?;
        Ok(serde_json::from_str(&line.context("a node has failed")?)?)
    }

    async fn stop(mut self) -> Result<Taken> {
        drop(self.orders);
        let line = self.answers.next_line().await?;
        let taken = serde_json::from_str(&line.context("a node has failed")?)?;
        self.child.wait().await?;
        Ok(taken)
    }
}

/// The process itself: joins, says that it is ready, and does as it is told until nobody tells it more.
pub(crate) async fn serve(words: &[String]) -> Result<()> {
    let [place, post] = words else {
        anyhow::bail!("a node needs two words");
    };
    let (place, post) = (Place::parse(place)?, serde_json::from_str::<Post>(post)?);
    let rig = Rig::open(&place, &[&post.flow], post.wire, post.day).await?;
    rig.assembled(place.nodes).await?;
    say(&true)?;
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        let begun = Instant::now();
        let seconds = match serde_json::from_str(&order)? {
            Order::Wave => wave(&rig).await?,
            Order::Claim => {
                rig.claim_all().await?;
                begun.elapsed().as_secs_f64()
            }
            Order::Days(days) => {
                rig.pass_days(days).await?;
                begun.elapsed().as_secs_f64()
            }
        };
        say(&seconds)?;
    }
    rig.close().await?;
    say(&Taken {
        cpu: process::cpu_seconds()?,
        peak: process::peak_megabytes()?,
    })
}

async fn wave(rig: &Rig) -> Result<f64> {
    let begun = Instant::now();
    let loops = rig.start();
    let seconds = rig.finished(begun).await?;
    loops.stop().await?;
    Ok(seconds)
}

/// Lines of standard input. Read on a thread that nobody waits for: a node that fails ends at once.
fn orders() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        for line in lines {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[expect(clippy::print_stdout, reason = "the answers are what the caller reads")]
fn say(answer: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(())
}
