//! What the address after `#` says: the view and the window, so that a view can be sent to a colleague.

use crate::window::PageWindow;

/// What is on screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// All figures and charts of the board.
    #[default]
    Overview,
    /// One panel, large, by its id.
    Panel(String),
}

/// A view of the page and the window that it looks back on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// What is on screen.
    pub view: View,
    /// How far it looks back.
    pub window: PageWindow,
}

impl Route {
    /// The route that a hash names, such as `#/panel/cpu?window=15m`.
    ///
    /// What cannot be read falls back to the overview and to the shortest window: an old or mangled
    /// address still shows the page.
    #[must_use]
    pub fn parse(hash: &str) -> Self {
        let hash = hash.strip_prefix('#').unwrap_or(hash);
        let (path, search) = hash.split_once('?').unwrap_or((hash, ""));
        let view = match path.trim_start_matches('/').split_once('/') {
            Some(("panel", id)) if !id.is_empty() => View::Panel(decoded(id)),
            _ => View::Overview,
        };
        let window = search
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| *name == "window")
            .and_then(|(_, value)| PageWindow::named(value))
            .unwrap_or_default();
        Self { view, window }
    }

    /// The hash that names this route.
    #[must_use]
    pub fn hash(&self) -> String {
        let window = self.window.as_str();
        match &self.view {
            View::Overview => format!("#/?window={window}"),
            View::Panel(id) => format!("#/panel/{}?window={window}", encoded(id)),
        }
    }

    /// The same view with another window.
    #[must_use]
    pub fn with_window(&self, window: PageWindow) -> Self {
        Self { view: self.view.clone(), window }
    }

    /// Another view with the same window.
    #[must_use]
    pub const fn with_view(&self, view: View) -> Self {
        Self { view, window: self.window }
    }
}

/// Percent-encodes what is not a letter, a digit or one of `-._~`.
pub(crate) fn encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

/// Undoes [`encoded`]; a `%` without two digits stands for itself.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |place: usize| bytes.get(place).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        if byte == b'%'
            && let (Some(high), Some(low)) = (digit(place + 1), digit(place + 2))
        {
            // Two hexadecimal digits are at most 255.
            out.push((high * 16 + low) as u8);
            place += 3;
        } else {
            out.push(byte);
            place += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hash: &str, view: View, window: PageWindow) {
        assert_eq!(Route::parse(hash), Route { view, window }, "{hash}");
    }

    #[test]
    fn a_hash_names_a_view_and_a_window() {
        check("", View::Overview, PageWindow::FiveMinutes);
        check("#/", View::Overview, PageWindow::FiveMinutes);
        check("#/?window=1h", View::Overview, PageWindow::Hour);
        check("#/panel/cpu?window=15m", View::Panel("cpu".into()), PageWindow::QuarterHour);
        check("#/panel/a%20b%2Fc", View::Panel("a b/c".into()), PageWindow::FiveMinutes);
    }

    #[test]
    fn a_mangled_hash_still_shows_the_page() {
        for hash in ["#", "#panel", "#/panel/", "#/?window=2h", "#/?window", "#/nowhere/x", "#?&&="] {
            check(hash, View::Overview, PageWindow::FiveMinutes);
        }
        check("#/panel/%", View::Panel("%".into()), PageWindow::FiveMinutes);
        check("#/panel/%zz", View::Panel("%zz".into()), PageWindow::FiveMinutes);
        check("#/panel/%ff", View::Panel("\u{fffd}".into()), PageWindow::FiveMinutes);
    }

    #[test]
    fn a_route_reads_back() {
        for id in ["cpu", "a b", "ä/ö?window=1h#x%20", "<script>"] {
            let route = Route { view: View::Panel(id.into()), window: PageWindow::Hour };
            assert_eq!(Route::parse(&route.hash()), route);
        }
    }
}
