//! Reads TwiML: the verbs that a provider knows, as far as they are used here. Anything else is a fault of whoever wrote it.

use roxmltree::{Document, Node};

/// One thing to do in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    Say { language: String, text: String },
    Gather { action: Option<String>, on_empty: bool, digits: Option<usize>, finish: String, inside: Vec<Verb> },
    Redirect(String),
    Pause,
    Hangup,
    Message(String),
}

/// The verbs of a document.
///
/// # Panics
/// If it is not TwiML: the real provider would end the call with an error.
pub(super) fn verbs(document: &str) -> Vec<Verb> {
    if document.trim().is_empty() {
        return Vec::new();
    }
    let parsed = Document::parse(document).unwrap_or_else(|error| panic!("TwiML does not parse ({error}): {document}"));
    let root = parsed.root_element();
    assert_eq!(root.tag_name().name(), "Response", "TwiML begins with Response: {document}");
    inside(root)
}

/// The text messages that a document answers with.
pub(super) fn messages(document: &str) -> Vec<String> {
    let message = |verb| match verb {
        Verb::Message(text) => Some(text),
        _ => None,
    };
    if !document.trim_start().starts_with('<') {
        return Vec::new();
    }
    verbs(document).into_iter().filter_map(message).collect()
}

fn inside(node: Node<'_, '_>) -> Vec<Verb> {
    node.children().filter(Node::is_element).map(verb).collect()
}

fn verb(node: Node<'_, '_>) -> Verb {
    let text = || node.text().unwrap_or_default().trim().to_owned();
    let attribute = |name| node.attribute(name).map(str::to_owned);
    match node.tag_name().name() {
        "Say" => Verb::Say { language: attribute("language").unwrap_or_else(|| "en-US".into()), text: text() },
        "Gather" => Verb::Gather {
            action: attribute("action"),
            on_empty: node.attribute("actionOnEmptyResult") == Some("true"),
            digits: node.attribute("numDigits").and_then(|number| number.parse().ok()),
            finish: attribute("finishOnKey").unwrap_or_else(|| "#".into()),
            inside: inside(node),
        },
        "Redirect" => Verb::Redirect(text()),
        "Pause" => Verb::Pause,
        "Hangup" => Verb::Hangup,
        "Message" => Verb::Message(match node.children().find(|child| child.has_tag_name("Body")) {
            Some(body) => body.text().unwrap_or_default().to_owned(),
            None => text(),
        }),
        other => panic!("TwiML has no verb {other} here"),
    }
}
