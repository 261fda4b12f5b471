//! The API's description, OpenAPI 3.1, generated from the handlers: served at `/v1/openapi.json`, and kept in
//! `protocol/docs/openapi.json` for people who write a client. A test holds the two together.

use firstlight_protocol::Problem;
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema, openapi::OpenApi};

/// What the documents say about the whole.
const ABOUT: &str = "Secure messaging and first-responder dispatch. Bodies are JSON; bytes are base64url without \
padding; times are milliseconds since 1970-01-01T00:00:00Z. Every refusal is a `Problem` (RFC 9457) with a stable `code`. \
A POST that matters carries an id that the client chose: sent again with the same body, it gets the same answer and \
changes nothing. The websocket `GET /v1/stream` is described in stream.cddl, the MLS conventions in mls.md.";

/// Completes what the handlers' attributes say: about, bearer token as the rule, and the problem answer of every
/// operation, each stated once here instead of at every handler.
pub(crate) fn document(handlers: OpenApi) -> Value {
    let mut document = serde_json::to_value(&handlers).unwrap_or_default();
    document["openapi"] = json!("3.1.1");
    document["info"] = json!({
        "title": "Firstlight",
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["security"] = json!([{ "bearer": [] }]);
    document["components"]["securitySchemes"]["bearer"] = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "The access token of a sign-in, or of its refresh.",
    });
    document["components"]["securitySchemes"]["duty"] = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "The access token of `POST /v1/auth/duty`, scope `duty`: where it is named, a locked device may \
                        call, for its holder's own callouts. A supervisor is then seen as an advocate, and a watch \
                        commander as an officer.",
    });
    document["components"]["securitySchemes"]["intake_key"] = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "flk_…",
        "description": "The key of an agency's dispatch system, for `/v1/intake` alone.",
    });
    document["components"]["responses"]["Problem"] = json!({
        "description": "The request was refused or failed; `code` says why, and nothing was changed.",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    for (name, schema) in schemas {
        document["components"]["schemas"][name] = json!(schema);
    }
    for (id, operation) in operations(&mut document) {
        // The handlers' names are unique in their module only.
        operation["operationId"] = json!(id);
        operation["responses"]["default"] = json!({ "$ref": "#/components/responses/Problem" });
        // An attribute `security(())` means: for everybody. OpenAPI's word for that is an empty list.
        if operation.get("security").is_some_and(|s| *s == json!([{}])) {
            operation["security"] = json!([]);
        }
    }
    document
}

/// Every operation of every path, with a name made of both: `GET /v1/rooms/{room}/log` is `get_rooms_room_log`.
fn operations(document: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flatten().flat_map(|(path, item)| {
        let words: Vec<_> = path.split(['/', '{', '}', '-', '.']).filter(|w| !w.is_empty() && *w != "v1").collect();
        let name = words.join("_");
        let methods = item.as_object_mut().into_iter().flatten();
        methods
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .map(move |(method, operation)| (format!("{method}_{name}"), operation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    fn generated() -> Value {
        document(crate::http::routes().split_for_parts().1)
    }

    /// `UPDATE_OPENAPI=1 cargo nextest run -p firstlight-server openapi` writes the file anew.
    #[test]
    fn the_committed_document_is_the_generated_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/docs/openapi.json");
        let text = format!("{}\n", serde_json::to_string_pretty(&generated()).unwrap());
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "protocol/docs/openapi.json is out of date: run this test with UPDATE_OPENAPI=1");
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_is_described() {
        let mut document = generated();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
        }
        let mut ids = Vec::new();
        for (id, operation) in operations(&mut document) {
            assert!(operation.get("summary").is_some(), "{id} has no summary");
            assert!(operation.get("tags").is_some(), "{id} has no tag");
            assert!(!ids.contains(&id), "{id} is used twice");
            ids.push(id);
        }
        assert!(!ids.is_empty());
    }
}
