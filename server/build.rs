//! Sees to it that the app's folder exists, and that a release takes the app in anew when it was built anew.

use std::{env, fs};

fn main() {
    let app = "../web/dist";
    // rust-embed embeds an empty folder, and `src/web` then says how to build the app. That it can't be made (read-only
    // sources) is no reason to fail: the macro allows a missing folder, too.
    let _ = fs::create_dir_all(app);
    println!("cargo::rerun-if-changed=build.rs");
    // A debug build reads the folder while it runs.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={app}");
    }
}
