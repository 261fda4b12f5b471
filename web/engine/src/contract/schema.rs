//! The contract as an OpenAPI document of schemas alone: what the TypeScript types are generated from.

use super::*;
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// Adds a type and all that it refers to; gives a reference to it.
fn add<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

/// The whole contract. Fails if two different types have one name.
pub fn document() -> Result<Value, String> {
    let mut schemas = Schemas::new();
    let mut commands = Map::new();
    macro_rules! table {
        ($($(#[doc = $doc:literal])+ $name:ident($argument:ident) -> $answer:ident;)+) => {
            $(commands.insert(stringify!($name).to_owned(), json!({
                "type": "object",
                "description": concat!($($doc, "\n"),+).trim(),
                "required": ["argument", "answer"],
                "properties": {
                    "argument": add::<$argument>(&mut schemas),
                    "answer": add::<$answer>(&mut schemas),
                },
            }));)+
        };
    }
    crate::commands!(table);
    add::<EngineEvent>(&mut schemas);
    add::<firstlight_protocol::Problem>(&mut schemas);

    let mut all = Map::new();
    for (name, schema) in schemas {
        let schema = serde_json::to_value(schema).map_err(|e| e.to_string())?;
        if all.insert(name.clone(), schema.clone()).is_some_and(|known| known != schema) {
            return Err(format!("two different types are called {name}"));
        }
    }
    let names: Vec<String> = commands.keys().cloned().collect();
    all.insert(
        "Commands".into(),
        json!({
            "type": "object", "description": "Every command with its argument and its answer.",
            "required": names, "properties": commands,
        }),
    );
    Ok(json!({
        "openapi": "3.1.1",
        "info": { "title": "The engine in the browser", "version": env!("CARGO_PKG_VERSION") },
        "paths": {},
        "components": { "schemas": all },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    /// `UPDATE_CONTRACT=1 cargo nextest run -p firstlight-web contract` writes the file anew; then `npm run contract` in web/.
    #[test]
    fn the_committed_contract_is_the_generated_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract.json");
        let text = format!("{}\n", serde_json::to_string_pretty(&document().unwrap()).unwrap());
        if std::env::var_os("UPDATE_CONTRACT").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "web/engine/contract.json is out of date: run this test with UPDATE_CONTRACT=1");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document().unwrap();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
        }
    }
}
