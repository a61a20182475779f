//! The JSON schema of scenario files: what keys there are, what each means, and which values it takes. Made from the types, so
//! that it says what the program reads.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value;

use super::Scenario;

/// The schema, in draft 7, which editors of TOML read.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Scenario>();
    RecursiveTransform(plain).transform(&mut schema);
    schema.insert("title".to_owned(), "Kwartier scenario, format 1".into());
    schema.to_value()
}

/// Descriptions as plain text: one line, no links into the program.
fn plain(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = without_links(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// What stands in brackets without them, and without the address behind.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((name, after)) = link.split_once("`]") else { break };
        plain.push_str(before);
        plain.push_str(&format!("`{name}`"));
        rest = match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_leave_their_names() {
        assert_eq!(without_links("as [`A::b`](c::d) and [`E`] say"), "as `A::b` and `E` say");
        assert_eq!(without_links("nothing [here"), "nothing [here");
    }
}
