//! What the address after `#` says: view, window and filter, so that what is seen can be sent to a colleague.

use bellwether_core::time::{DurationMs, TimestampMs};

use crate::filter::Filter;
use crate::span::{Grain, Span};
use crate::texts::{Language, Text};
use crate::window::PageWindow;

/// What is on screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// All figures and charts of the board.
    #[default]
    Overview,
    /// What fires, what may fire soon, what is over, and what is watched.
    Alerts,
    /// Any metric of the gateway.
    Explore,
    /// Which metrics come, how old and how many they are, and what stands behind them.
    Sources,
    /// What keys do and words mean.
    Help,
    /// One panel, large, by its id.
    Panel(String),
    /// One KPI with what stands behind it, by its id.
    Kpi(String),
}

impl View {
    /// The views that the navigation leads to, in its order.
    pub const NAVIGATION: [Self; 5] = [Self::Overview, Self::Alerts, Self::Explore, Self::Sources, Self::Help];

    /// What the view is called; of one panel only that it is one.
    #[must_use]
    pub fn title(&self) -> &'static str {
        let title = match self {
            Self::Overview => Text::ViewOverview,
            Self::Alerts => Text::ViewAlerts,
            Self::Explore => Text::ViewExplore,
            Self::Sources => Text::ViewSources,
            Self::Help => Text::ViewHelp,
            Self::Panel(_) => Text::ViewChart,
            Self::Kpi(_) => Text::ViewKpi,
        };
        title.say()
    }

    /// The path in an address, without the id of what is shown.
    const fn path(&self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Alerts => "alerts",
            Self::Explore => "explore",
            Self::Sources => "sources",
            Self::Help => "help",
            Self::Panel(_) => "panel/",
            Self::Kpi(_) => "kpi/",
        }
    }

    /// The id of what is shown; empty where the view is of no one thing.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Panel(id) | Self::Kpi(id) => id,
            _ => "",
        }
    }

    fn parse(path: &str) -> Self {
        let path = path.trim_start_matches('/');
        match path.split_once('/') {
            Some(("panel", id)) if !id.is_empty() => Self::Panel(decoded(id)),
            Some(("kpi", id)) if !id.is_empty() => Self::Kpi(decoded(id)),
            _ => Self::NAVIGATION.into_iter().find(|view| view.path() == path).unwrap_or_default(),
        }
    }
}

/// What the reader chooses within a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// The metric that is explored.
    Metric,
    /// What of it is shown, as boards and `/query` write it.
    Figure,
    /// How far each point looks back.
    Back,
    /// The label that figures are told apart by.
    By,
    /// The column that a table is sorted by.
    Sort,
}

impl Param {
    /// All of them, in the order of an address.
    const ALL: [Self; 5] = [Self::Metric, Self::Figure, Self::Back, Self::By, Self::Sort];

    /// Its name in an address.
    const fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Figure => "agg",
            Self::Back => "back",
            Self::By => "by",
            Self::Sort => "sort",
        }
    }
}

/// A view of the page, the window that it looks back on and the series that it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// What is on screen.
    pub view: View,
    /// How far it looks back.
    pub window: PageWindow,
    /// The span of the past that it stands at; `None` where it follows now.
    pub span: Option<Span>,
    /// Which series it is of.
    pub filter: Filter,
    /// The language that the address asks for; `None` where it leaves that to the reader.
    pub language: Option<Language>,
    /// What is chosen within the view; empty where nothing is.
    params: [String; Param::ALL.len()],
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
        let view = View::parse(path);
        let (mut window, mut filter, mut language) = (None, Filter::default(), None);
        let (mut from, mut to) = (None, None);
        let mut params = <[String; Param::ALL.len()]>::default();
        for (name, value) in search.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "from" => from = instant(value),
                "to" => to = instant(value),
                "window" => window = window.or_else(|| PageWindow::named(value)),
                "where" => filter = filter.with(value),
                "lang" => language = Language::named(value),
                name => {
                    if let Some(place) = Param::ALL.iter().position(|param| param.name() == name) {
                        params[place] = decoded(value);
                    }
                }
            }
        }
        let span = from.zip(to).and_then(|(from, to)| Span::new(from, to).ok());
        Self { view, window: window.unwrap_or_default(), span, filter, language, params }
    }

    /// The hash that names this route.
    #[must_use]
    pub fn hash(&self) -> String {
        let (path, id) = (self.view.path(), encoded(self.view.id()));
        let mut hash = format!("#/{path}{id}?window={}", self.window.as_str());
        if let Some(span) = self.span {
            hash.push_str(&format!("&from={}&to={}", span.from().get(), span.to().get()));
        }
        hash.push_str(&self.filter.search());
        if let Some(language) = self.language {
            hash.push_str("&lang=");
            hash.push_str(language.code());
        }
        for (param, value) in Param::ALL.into_iter().zip(&self.params) {
            if !value.is_empty() {
                for part in ["&", param.name(), "=", &encoded(value)] {
                    hash.push_str(part);
                }
            }
        }
        hash
    }

    /// What is chosen within the view; empty where nothing is.
    #[must_use]
    pub fn param(&self, param: Param) -> &str {
        &self.params[param as usize]
    }

    /// The same view with something else chosen in it.
    #[must_use]
    pub fn with_param(&self, param: Param, value: &str) -> Self {
        let mut route = self.clone();
        value.clone_into(&mut route.params[param as usize]);
        route
    }

    /// How much time it shows: its span's, else its window's.
    #[must_use]
    pub fn length(&self) -> DurationMs {
        self.span.map_or(self.window.length(), Span::length)
    }

    /// How finely the past of its span is told where that ends at `end`.
    #[must_use]
    pub fn grain(&self, end: TimestampMs) -> Grain {
        self.span.map_or(Grain::Fine, |span| span.grain(end))
    }

    /// The same view at a span of the past, or following now.
    #[must_use]
    pub fn with_span(&self, span: Option<Span>) -> Self {
        Self { span, ..self.clone() }
    }

    /// The same view with another window.
    #[must_use]
    pub fn with_window(&self, window: PageWindow) -> Self {
        Self { window, ..self.clone() }
    }

    /// Another view with the same window and filter; what was chosen within this one is not taken along.
    #[must_use]
    pub fn with_view(&self, view: View) -> Self {
        Self { view, params: Default::default(), ..self.clone() }
    }

    /// The same view with another filter.
    #[must_use]
    pub fn with_filter(&self, filter: Filter) -> Self {
        Self { filter, ..self.clone() }
    }
}

/// An instant in milliseconds since 1970.
fn instant(text: &str) -> Option<TimestampMs> {
    // What frames can carry.
    text.parse().ok().filter(|ms| (0..1 << 53).contains(ms)).map(TimestampMs::new)
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
pub(crate) fn decoded(text: &str) -> String {
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
        assert_eq!(Route::parse(hash), Route { view, window, ..Route::default() }, "{hash}");
    }

    #[test]
    fn a_hash_names_a_view_and_a_window() {
        check("", View::Overview, PageWindow::FiveMinutes);
        check("#/", View::Overview, PageWindow::FiveMinutes);
        check("#/?window=1h", View::Overview, PageWindow::Hour);
        check("#/panel/cpu?window=15m", View::Panel("cpu".into()), PageWindow::QuarterHour);
        check("#/alerts", View::Alerts, PageWindow::FiveMinutes);
        check("#/panel/a%20b%2Fc", View::Panel("a b/c".into()), PageWindow::FiveMinutes);
    }

    #[test]
    fn a_mangled_hash_still_shows_the_page() {
        for hash in [
            "#",
            "#panel",
            "#/panel/",
            "#/?window=2h",
            "#/?window",
            "#/nowhere/x",
            "#?&&=",
            "#/?where=",
            "#/?where=:x",
            "#/alerts/x",
            "#/?from=1795330000000",
            "#/?from=5&to=4",
            "#/?from=yesterday&to=1795330000000",
        ] {
            check(hash, View::Overview, PageWindow::FiveMinutes);
        }
        check("#/panel/%", View::Panel("%".into()), PageWindow::FiveMinutes);
        check("#/panel/%zz", View::Panel("%zz".into()), PageWindow::FiveMinutes);
        check("#/panel/%ff", View::Panel("\u{fffd}".into()), PageWindow::FiveMinutes);
    }

    #[test]
    fn a_route_reads_back() {
        for id in ["cpu", "a b", "ä/ö?window=1h#x%20", "<script>"] {
            let filter = Filter::default().with(&crate::filter::condition(id, id)).with("team:a");
            let route = Route { view: View::Kpi(id.into()), window: PageWindow::Hour, filter, ..Route::default() };
            let route = route.with_param(Param::By, id).with_param(Param::Sort, "-1");
            assert_eq!(Route::parse(&route.hash()), route);
        }
        for view in View::NAVIGATION {
            let route = Route { view, ..Route::default() };
            assert_eq!(Route::parse(&route.hash()), route);
        }
        let span = Span::new(TimestampMs::new(1_795_330_000_000), TimestampMs::new(1_795_331_000_000)).ok();
        let then = Route { window: PageWindow::Hour, span, ..Route::default() };
        assert_eq!(then.hash(), "#/?window=1h&from=1795330000000&to=1795331000000");
        assert_eq!(Route::parse(&then.hash()), then);
        let filtered = Route::parse("#/?where=agency:Housing&window=1h");
        assert_eq!(filtered.hash(), "#/?window=1h&where=agency:Housing");
    }
}
