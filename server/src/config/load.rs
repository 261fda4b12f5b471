//! Reads the configuration and finds everything that is wrong with it, not only the first thing.

use super::Config;
use figment::{
    Figment, Metadata,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Value},
};
use serde::Serialize;
use std::{fmt, path::Path};

/// Prefix of the environment variables; `__` separates the levels.
const PREFIX: &str = "FIRSTLIGHT_";
/// Bounds the search for further problems.
const MAX_PROBLEMS: usize = 64;

/// One thing that is wrong: which setting, where it was set, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigProblem {
    /// The setting, such as `limits.connections`; empty for a file that can't be read.
    pub setting: String,
    /// Where its value comes from.
    pub set: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.setting.is_empty() {
            return f.write_str(&self.problem);
        }
        write!(f, "{} (set {}): {}", self.setting, self.set, self.problem)
    }
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; a setting with a problem has its default here.
    pub config: Config,
    /// What is wrong. The server starts only if this is empty.
    pub problems: Vec<ConfigProblem>,
    /// What is odd but harmless.
    pub notes: Vec<String>,
}

/// Reads defaults, then `file` if it is given, then the environment, and checks the whole.
pub fn load(file: Option<&Path>) -> Loaded {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    let mut problems = Vec::new();
    if let Some(path) = file {
        let read = Figment::from(Toml::file_exact(path));
        // An error of the file would hide all others: say it, and go on without the file.
        match read.extract::<Dict>() {
            Ok(_) => figment = figment.merge(Toml::file_exact(path)),
            Err(error) => problems.push(unreadable(path, &error)),
        }
    }
    examine(figment.merge(Env::prefixed(PREFIX).split("__")), problems)
}

fn unreadable(path: &Path, error: &figment::Error) -> ConfigProblem {
    let problem = match std::fs::metadata(path) {
        Err(error) => format!("The file {} can't be read ({error}): check --config.", path.display()),
        Ok(_) => format!("The file {} is not valid TOML: {error}", path.display()),
    };
    ConfigProblem { setting: String::new(), set: String::new(), problem }
}

fn examine(figment: Figment, mut problems: Vec<ConfigProblem>) -> Loaded {
    let mut notes = Vec::new();
    let defaults = Figment::from(Serialized::defaults(Config::default())).extract::<Dict>().unwrap_or_default();
    let given = figment.extract::<Dict>().unwrap_or_default();
    for (path, known) in unknown("", &given, &defaults) {
        let set = origin(&figment, &path);
        if set.contains(PREFIX) && (super::paging::is_secret(&path) || super::redis::is_secret(&path)) {
            continue;
        }
        if !path.contains('.') && set.contains(PREFIX) {
            // The client's variables share the prefix, so an unknown one is no mistake for sure.
            notes.push(format!("{set} is no setting of the server and was not used.").replacen("by the", "The", 1));
        } else {
            let problem = format!("There is no such setting: remove it, or use one of {known}.");
            problems.push(ConfigProblem { setting: path, set, problem });
        }
    }
    let mut repaired = figment.clone();
    let config = loop {
        let error = match repaired.extract::<Config>() {
            Ok(config) => break config,
            Err(error) => error,
        };
        let Some((path, default)) = default_at(&error.path, &defaults) else { break Config::default() };
        if problems.len() >= MAX_PROBLEMS {
            break Config::default();
        }
        let (set, problem) = (origin(&figment, &path), what_is_wrong(&error));
        repaired = repaired.merge(Serialized::default(&path, default));
        problems.push(ConfigProblem { setting: path, set, problem });
    };
    let checked = config.check().into_iter().map(|(setting, problem)| ConfigProblem {
        setting: setting.into(),
        set: origin(&figment, setting),
        problem,
    });
    // A setting that was replaced by its default has been told of already.
    let checked: Vec<_> = checked.filter(|p| !problems.iter().any(|told| told.setting == p.setting)).collect();
    problems.extend(checked);
    Loaded { config, problems, notes }
}

/// Settings that don't exist, each with the names that would.
fn unknown(prefix: &str, given: &Dict, defaults: &Dict) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (key, value) in given {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (defaults.get(key), value) {
            (None, _) => out.push((path, defaults.keys().cloned().collect::<Vec<_>>().join(", "))),
            (Some(Value::Dict(_, inner)), Value::Dict(_, value)) => out.extend(unknown(&path, value, inner)),
            _ => {}
        }
    }
    out
}

/// The setting that an error is about (an element of a list stands for its list), and its default.
fn default_at(path: &[String], defaults: &Dict) -> Option<(String, Value)> {
    let (first, rest) = path.split_first()?;
    let value = defaults.get(first)?;
    match (value, rest) {
        (Value::Dict(_, inner), [_, ..]) => {
            default_at(rest, inner).map(|(path, value)| (format!("{first}.{path}"), value))
        }
        _ => Some((first.clone(), value.clone())),
    }
}

fn what_is_wrong(error: &figment::Error) -> String {
    match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) | Kind::InvalidLength(_, expected) => {
            format!("This must be {expected}.")
        }
        Kind::UnknownVariant(_, known) => format!("This must be one of: {}.", known.join(", ")),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "This number is too large or negative.".into(),
        Kind::Message(message) if message.contains("socket address") => {
            "Write an address and a port, such as 127.0.0.1:8440 or [::1]:8440.".into()
        }
        Kind::Message(message) => format!("This is not valid: {message}."),
        other => format!("This is not valid: {other}."),
    }
}

/// Where a setting comes from, to stand after "set".
fn origin(figment: &Figment, path: &str) -> String {
    let file = |m: &Metadata| m.source.as_ref().and_then(|s| s.file_path()).map(|p| format!("in {}", p.display()));
    match figment.find_metadata(path) {
        Some(meta) if meta.name.contains("environment") => {
            format!("by the environment variable {PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
        }
        Some(meta) => file(meta).unwrap_or_else(|| "by default".into()),
        None => "by default".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::policy::Millis;

    fn read(toml: &str) -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        std::fs::write(&path, toml).unwrap();
        let figment = Figment::from(Serialized::defaults(Config::default())).merge(Toml::file_exact(&path));
        examine(figment, Vec::new())
    }

    fn sentences(toml: &str) -> Vec<String> {
        read(toml).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_defaults_are_valid_and_a_file_changes_only_what_it_names() {
        let loaded = read("");
        assert_eq!((loaded.config, loaded.problems), (Config::default(), vec![]));
        let loaded = read("listen = '127.0.0.1:9000'\nsuites = ['classic']\n[limits]\nheader_timeout_ms = 500\n");
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        assert_eq!(loaded.config.listen.port(), 9000);
        assert_eq!(loaded.config.suite_ids(), [1]);
        assert_eq!(loaded.config.limits.header_timeout_ms, Millis(500));
        assert_eq!(loaded.config.limits.body_timeout_ms, Config::default().limits.body_timeout_ms);
    }

    #[test]
    fn the_example_shows_every_setting_with_its_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/firstlight-server.example.toml");
        let example: Config = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(example, Config::default());
        let again: Config = toml::from_str(&Config::default().to_toml()).unwrap();
        assert_eq!(again, Config::default(), "what check-config prints is a configuration");
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_place() {
        let told = sentences(
            "listen = 'nowhere'\nsuites = ['hybrid', 'rot13']\nlisten_on = 1\n[limits]\nconnections = 'many'\n\
             sockets_per_device = 0\nspeed = 3\n",
        );
        assert_eq!(told.len(), 6, "{told:#?}");
        for (setting, words) in [
            ("listen (set in ", "such as 127.0.0.1:8440"),
            ("suites (set in ", "one of: hybrid, classic"),
            ("listen_on (set in ", "no such setting"),
            ("limits.connections (set in ", "must be"),
            ("limits.sockets_per_device (set in ", "between 1 and"),
            ("limits.speed (set in ", "use one of body_timeout_ms"),
        ] {
            assert!(told.iter().any(|t| t.starts_with(setting) && t.contains(words)), "{setting}: {told:#?}");
        }
    }

    #[test]
    fn a_section_of_another_type_is_told_too() {
        let told = sentences("limits = 5\nlog = { format = 'xml' }");
        assert!(told.iter().any(|t| t.starts_with("limits (set in")), "{told:#?}");
        assert!(told.iter().any(|t| t.starts_with("log.format (set in") && t.contains("text, json")), "{told:#?}");
    }

    #[test]
    fn a_file_that_is_missing_or_no_toml_is_named() {
        let missing = load(Some(Path::new("/nonexistent/server.toml")));
        assert!(missing.problems[0].to_string().contains("/nonexistent/server.toml can't be read"), "{missing:?}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        std::fs::write(&path, "listen = \n").unwrap();
        let broken = load(Some(&path));
        assert!(broken.problems[0].to_string().contains("is not valid TOML"), "{broken:?}");
    }
}
