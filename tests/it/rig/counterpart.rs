//! Owns where the counterparts lie that `scripts/test` installs below `target`, each list in a folder of its own.

use std::path::{Path, PathBuf};

/// A program of the Python packages in a list of `tests/counterparts`, such as `python.txt`.
pub(crate) fn python(list: &str, program: &str) -> PathBuf {
    installed(list).join("bin").join(program)
}

/// The folder of the npm packages: `node_modules` is in it.
pub(crate) fn node() -> PathBuf {
    installed("package-lock.json")
}

fn installed(list: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(root.join("tests/counterparts").join(list)).unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let hash = format!("{hash:?}");
    let hash = hash.trim_start_matches("SHA256:").get(..16).unwrap();
    let place = root.join("target/counterparts").join(list).join(hash);
    assert!(
        place.join("done").exists(),
        "run scripts/test once: it installs what `tests/counterparts/{list}` names"
    );
    place
}
