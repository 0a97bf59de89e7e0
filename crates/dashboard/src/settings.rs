//! The settings that `config.json` beside the page gives.

use crate::texts::Text;

/// Where the page gets what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The gateway's address; empty for the site that the page comes from.
    pub gateway: String,
    /// Address of a board that is shown in place of the gateway's, relative to the page.
    pub board: Option<String>,
    /// A title in place of the board's.
    pub title: Option<String>,
}

/// The gateway of a page that shows a file: the tab itself. No `config.json` can name it.
pub const TAB: &str = "tab:";

impl Settings {
    /// Those of a page that shows a file.
    #[must_use]
    pub fn of_tab() -> Self {
        Self { gateway: TAB.to_owned(), ..Self::default() }
    }

    /// Reads the text of a `config.json`.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| Text::SettingsNotJson.fill(&[&error.to_string()]))?;
        let serde_json::Value::Object(fields) = json else {
            return Err(Text::SettingsNotObject.say().to_owned());
        };
        let mut settings = Self::default();
        for (name, value) in fields {
            let text = match value {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text),
                _ => return Err(Text::SettingsNotText.fill(&[&name])),
            };
            match name.as_str() {
                "gateway" => settings.gateway = checked_gateway(text.unwrap_or_default())?,
                "board" => settings.board = text,
                "title" => settings.title = text.filter(|title| !title.is_empty()),
                _ => {
                    return Err(Text::SettingsUnknown.fill(&[&name]));
                }
            }
        }
        Ok(settings)
    }
}

fn checked_gateway(address: String) -> Result<String, String> {
    let web = address.starts_with("http://") || address.starts_with("https://");
    if address.is_empty() || (web && !address.contains(char::is_whitespace)) {
        return Ok(address);
    }
    Err(Text::SettingsGateway.fill(&[&address]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        assert_eq!(Settings::parse("{}"), Ok(Settings::default()));
        assert_eq!(
            Settings::parse(r#"{"gateway": "http://host:4000", "board": "board.json", "title": "Ours"}"#),
            Ok(Settings {
                gateway: "http://host:4000".into(),
                board: Some("board.json".into()),
                title: Some("Ours".into())
            })
        );
        assert_eq!(Settings::parse(r#"{"gateway": "", "board": null, "title": ""}"#), Ok(Settings::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("", "not JSON"),
            ("[]", "not a JSON object"),
            (r#"{"gatway": ""}"#, "gatway"),
            (r#"{"gateway": 4000}"#, "gateway"),
            (r#"{"gateway": "localhost:4000"}"#, "localhost:4000"),
            (r#"{"gateway": "tab:"}"#, "tab:"),
        ] {
            let error = Settings::parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
