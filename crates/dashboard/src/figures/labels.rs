//! Labels in words: what tells one line of a chart, or one alert, from another.

/// The values of `labels`, parted by dots.
///
/// A bare number says nothing alone, so that its label's name stands before it: `core 0`, `status 200`.
pub fn text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        if !text.is_empty() {
            text.push_str(" · ");
        }
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(name);
            text.push(' ');
        }
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[(&str, &str)], expected: &str) {
        assert_eq!(text(labels.iter().copied()), expected);
    }

    #[test]
    fn a_number_has_its_name() {
        check(&[], "");
        check(&[("route", "/book")], "/book");
        check(&[("core", "0")], "core 0");
        check(&[("method", "GET"), ("status", "200")], "GET · status 200");
        check(&[("version", "1.2"), ("zone", "")], "1.2 · ");
    }
}
