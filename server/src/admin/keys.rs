//! `keys` and `bootstrap-token`: what the first start of several nodes needs.

use super::{Outcome, Output};
use crate::{
    Error, Result,
    config::Config,
    identity::{TOKEN_KEY, bootstrap_token, own_secret},
    paging::PUSH_KEY,
};
use firstlight_protocol::{ErrorCode, Problem};
use std::{
    fs::DirBuilder,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Makes the keys that all nodes share, those that are not there yet, in `folder` or where the configuration has them.
///
/// # Errors
/// If a file can't be made, or one that is there is damaged.
pub async fn make_keys(config: &Config, folder: Option<&Path>, out: &mut Output<impl Write>) -> Result<Outcome> {
    let folder = folder.unwrap_or_else(|| config.keys_dir());
    let failed = |e| Error::internal(format!("the folder {} can't be used: {e}", folder.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let (mut made, mut there) = (Vec::<PathBuf>::new(), Vec::<PathBuf>::new());
    for file in [TOKEN_KEY, PUSH_KEY] {
        let (_, new) = own_secret(folder, file)?;
        if new { &mut made } else { &mut there }.push(folder.join(file));
    }
    out.say(&serde_json::json!({ "made": made, "there": there }), || {
        let all = |files: &[PathBuf]| match files {
            [] => "nothing".to_owned(),
            files => files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
        };
        format!(
            "Made: {}. There before: {}. Give the same files to every node (node.keys_dir).",
            all(&made),
            all(&there)
        )
    })?;
    Ok(Outcome::Good)
}

/// Prints the one-time token that founds the host organisation.
///
/// # Errors
/// `not_found` if there is none: the host is founded, or the server was never started here.
pub async fn print_bootstrap_token(config: &Config, out: &mut Output<impl Write>) -> Result<Outcome> {
    let none = "There is no bootstrap token here: the host is founded already, or the server was never started.";
    let token = bootstrap_token(&config.data_dir)?.ok_or_else(|| Problem::with(ErrorCode::NotFound, none))?;
    out.say(&serde_json::json!({ "token": token.reveal() }), || token.reveal().to_owned())?;
    Ok(Outcome::Good)
}
