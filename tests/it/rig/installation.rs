//! Owns the programs of the PostgreSQL that is installed, the account they run as, and an empty cluster to copy.
#![expect(
    clippy::disallowed_methods,
    reason = "programs are looked for on the `PATH`"
)]

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::program::is_root;

const VERSIONS: &str = "/usr/lib/postgresql";
const INITDB: &[&str] = &[
    "--no-sync",
    "--auth=trust",
    "--username=drumbeat",
    "--no-locale",
    "--encoding=UTF8",
];

static INSTALLED: LazyLock<Option<Installation>> = LazyLock::new(Installation::find);

pub(crate) struct Installation {
    programs: PathBuf,
    /// PostgreSQL refuses to run as root: the ids of the account that it runs as instead.
    instead_of_root: Option<(u32, u32)>,
}

impl Installation {
    pub(crate) fn get() -> &'static Self {
        Self::installed().expect("`initdb` is found: install the Debian package `postgresql`")
    }

    pub(crate) fn installed() -> Option<&'static Self> {
        INSTALLED.as_ref()
    }

    /// Debian keeps each major version in a folder that is on nobody's `PATH`; others have one version there.
    fn find() -> Option<Self> {
        let debian = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        let mut debian: Vec<(u32, PathBuf)> = debian
            .filter_map(|entry| {
                let version = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .collect();
        debian.sort();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = debian.into_iter().rev().map(|(_, folder)| folder);
        let programs = programs
            .chain(std::env::split_paths(&path))
            .find(|folder| folder.join("initdb").exists())?;
        let instead_of_root = is_root().then(|| (id("-u"), id("-g")));
        Some(Self {
            programs,
            instead_of_root,
        })
    }

    /// A program of PostgreSQL's that sees nothing of this environment.
    pub(crate) fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear();
        command
    }

    /// The same, never as root. It ends with the thread that starts it, as after a fall: a test that
    /// is killed leaves nothing running.
    pub(crate) fn server(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=QUIT");
        if let Some((user, group)) = self.instead_of_root {
            command.args([&format!("--reuid={user}"), &format!("--regid={group}")]);
            command.arg("--clear-groups");
        }
        command.arg("--").arg(self.programs.join(name));
        command.env_clear().current_dir(folder);
        command
    }

    /// A folder in there that belongs to the account of the servers.
    pub(crate) fn folder(&self, parent: &Path) -> TempDir {
        let folder = TempDir::new_in(parent).unwrap();
        if let Some((user, group)) = self.instead_of_root {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        folder
    }

    /// Lays an empty cluster out in the subfolder `data` of such a folder.
    pub(crate) fn lay_out(&self, folder: &Path) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // What the account of the servers leaves there, only root can remove.
        let foreign =
            fs::metadata(target).unwrap().uid() != fs::metadata("/proc/self").unwrap().uid();
        if foreign {
            self.initialize(folder);
            return;
        }
        let turn = File::create(target.join("postgres.lock")).unwrap();
        turn.lock().unwrap();
        let template = target.join(self.template_name());
        if !template.exists() {
            self.make_template(&template);
        }
        turn.unlock().unwrap();
        copy(&template, &folder.join("data"));
    }

    /// Another one for each version, account and set of options.
    fn template_name(&self) -> String {
        let version = self.client("initdb").arg("--version").output().unwrap();
        let mut hash = DefaultHasher::new();
        (version.stdout, INITDB, self.instead_of_root).hash(&mut hash);
        format!("postgres-{:016x}", hash.finish())
    }

    /// In a folder of its own first: the account of the servers may not see the target folder. The
    /// rename makes it whole or absent.
    fn make_template(&self, template: &Path) {
        let folder = self.folder(&std::env::temp_dir());
        self.initialize(folder.path());
        let unfinished = template.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).unwrap();
        }
        copy(&folder.path().join("data"), &unfinished);
        fs::rename(unfinished, template).unwrap();
    }

    fn initialize(&self, folder: &Path) {
        let done = self
            .server("initdb", folder)
            .args(INITDB)
            .args(["--pgdata", "data"])
            .output()
            .expect("setpriv starts: install the Debian package `util-linux`");
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "initdb: {words}");
    }
}

fn copy(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    let done = command.args(["-a", "--reflink=auto"]).args([from, to]);
    assert!(done.status().unwrap().success(), "cp {}", from.display());
}

fn id(which: &str) -> u32 {
    let output = Command::new("id").args([which, "nobody"]).output().unwrap();
    let id = String::from_utf8(output.stdout).unwrap();
    id.trim().parse().expect("there is an account `nobody`")
}
