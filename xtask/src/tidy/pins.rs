//! What stands in several places must agree: versions, and the style sheets with the page that links them.

use super::{Complaint, File};
use crate::tools;

/// Complains about each file that does not hold the pin it must hold.
pub(super) fn agree(files: &[File]) -> Vec<Complaint> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let npm = |name: &str| value_after(text("package.json"), &format!("\"{name}\":")).unwrap_or_default();
    let plotly = npm("plotly.js-basic-dist-min");
    let papaparse = npm("papaparse");
    let binaryen = npm("binaryen");
    let binaryen = binaryen.split('.').next().unwrap_or_default();
    let version = value_after(text("Cargo.toml"), "\nversion =").unwrap_or_default();
    let (bindgen, split) = (tools::WASM_BINDGEN, tools::WASM_SPLIT);

    let needed = [
        ("Cargo.toml", format!("wasm-bindgen = \"={bindgen}\"")),
        ("tools/wasm-bindgen/Cargo.toml", format!("version = \"{bindgen}\"")),
        ("tools/wasm-bindgen/Cargo.toml", format!("version = \"={bindgen}\"")),
        ("tools/wasm-split/Cargo.toml", format!("version = \"{split}\"")),
        ("tools/wasm-split/Cargo.toml", format!("version = \"={split}\"")),
        ("Trunk.toml", format!("wasm_bindgen = \"{bindgen}\"")),
        ("Trunk.toml", format!("wasm_opt = \"version_{binaryen}\"")),
        ("index.html", format!("content=\"vendor/plotly-{plotly}/plotly-basic.min.js\"")),
        ("index.html", format!("data-target-path=\"vendor/plotly-{plotly}\"")),
        ("index.html", format!("content=\"vendor/papaparse-{papaparse}/papaparse.min.js\"")),
        ("index.html", format!("data-target-path=\"vendor/papaparse-{papaparse}\"")),
        ("crates/wasm/package.json", format!("\"version\": \"{version}\"")),
    ];
    needed
        .into_iter()
        .filter(|(path, pin)| !text(path).contains(pin.as_str()))
        .map(|(path, pin)| format!("{path}: must say `{pin}`, as the other pins do"))
        .collect()
}

/// Complains about each style sheet that index.html does not link.
pub(super) fn sheets_are_linked(files: &[File]) -> Vec<Complaint> {
    let page = files.iter().find(|file| file.path == "index.html").map_or("", |file| file.text.as_str());
    files
        .iter()
        .filter(|file| file.path.starts_with("www/css/") && !page.contains(&format!("href=\"{}\"", file.path)))
        .map(|file| format!("{}: index.html does not link it", file.path))
        .collect()
}

/// The first quoted text after `key`.
fn value_after(text: &str, key: &str) -> Option<String> {
    let rest = text.split_once(key)?.1.split_once('"')?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn checkout() -> Vec<File> {
        let (bindgen, split) = (tools::WASM_BINDGEN, tools::WASM_SPLIT);
        vec![
            file(
                "package.json",
                "\"papaparse\": \"5.7.1\", \"plotly.js-basic-dist-min\": \"4.1.1\", \"binaryen\": \"132.0.0\"",
            ),
            file("Cargo.toml", &format!("[workspace.package]\nversion = \"0.1.0\"\nwasm-bindgen = \"={bindgen}\"")),
            file("tools/wasm-bindgen/Cargo.toml", &format!("version = \"{bindgen}\" version = \"={bindgen}\"")),
            file("tools/wasm-split/Cargo.toml", &format!("version = \"{split}\" version = \"={split}\"")),
            file("Trunk.toml", &format!("wasm_bindgen = \"{bindgen}\" wasm_opt = \"version_132\"")),
            file(
                "index.html",
                "content=\"vendor/plotly-4.1.1/plotly-basic.min.js\" data-target-path=\"vendor/plotly-4.1.1\" \
                 content=\"vendor/papaparse-5.7.1/papaparse.min.js\" data-target-path=\"vendor/papaparse-5.7.1\"",
            ),
            file("crates/wasm/package.json", "\"version\": \"0.1.0\""),
        ]
    }

    #[test]
    fn pins_that_agree_are_fine() {
        assert_eq!(agree(&checkout()), Vec::<Complaint>::new());
    }

    #[test]
    fn each_pin_that_strays_is_found() {
        let strays = [
            ("Trunk.toml", "132", "131", 1),
            ("index.html", "4.1.1", "4.1.0", 2),
            ("index.html", "5.7.1", "5.7.0", 2),
            ("Cargo.toml", "0.2.1", "0.2.0", 1),
            ("crates/wasm/package.json", "0.1.0", "0.2.0", 1),
        ];
        for (path, from, to, complaints) in strays {
            let mut files = checkout();
            for file in files.iter_mut().filter(|file| file.path == path) {
                file.text = file.text.replace(from, to);
            }
            assert_eq!(agree(&files).len(), complaints, "{path}");
        }
    }
    #[test]
    fn a_style_sheet_that_is_not_linked_is_found() {
        let page = file("index.html", "<link data-trunk rel=\"css\" href=\"www/css/a.css\" />");
        let complaints = sheets_are_linked(&[page, file("www/css/a.css", ""), file("www/css/b.css", "")]);
        assert_eq!(complaints, ["www/css/b.css: index.html does not link it"]);
    }
}
