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
