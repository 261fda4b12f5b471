//! Where the programs are: in `FIRSTLIGHT_BIN_DIR` if that is set, else beside the running program, fresh from cargo.

use super::{Result, fail};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Names a directory with built programs; then cargo is not asked.
pub const BIN_DIR: &str = "FIRSTLIGHT_BIN_DIR";

/// `firstlight-server`.
pub fn server() -> Result<PathBuf> {
    program("firstlight-server")
}

/// `firstlight`.
pub fn client() -> Result<PathBuf> {
    program("firstlight")
}

fn program(name: &str) -> Result<PathBuf> {
    static DIR: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    let dir = DIR.get_or_init(|| find().map_err(|e| e.to_string())).as_ref().map_err(fail)?;
    let path = dir.join(name);
    if path.is_file() { Ok(path) } else { Err(fail(format!("{} is not there: build it first", path.display()))) }
}

fn find() -> Result<PathBuf> {
    if let Some(dir) = env::var_os(BIN_DIR) {
        return Ok(dir.into());
    }
    // target/<profile>/deps/<test> or target/<profile>/<program>
    let own = env::current_exe()?;
    let mut dir = own.parent().ok_or_else(|| fail("this program is nowhere"))?;
    if dir.ends_with("deps") {
        dir = dir.parent().unwrap_or(dir);
    }
    build(dir)?;
    Ok(dir.to_owned())
}

/// A test must not judge yesterday's server. The same selection as `tests/run`, so that nothing is built twice.
fn build(dir: &Path) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--workspace", "--bins", "--manifest-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    if dir.file_name().is_some_and(|profile| profile == "release") {
        command.arg("--release");
    }
    if let Some(target) = dir.parent() {
        command.arg("--target-dir").arg(target);
    }
    let built = command.stdin(Stdio::null()).output()?;
    if built.status.success() {
        return Ok(());
    }
    Err(fail("the programs can't be built").with(&String::from_utf8_lossy(&built.stderr)))
}
