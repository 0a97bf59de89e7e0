//! The page's parts in a real browser.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first thing that is not there")]

use std::rc::Rc;

use bellwether_core::kpi::{Direction, Standing, Trend};
use bellwether_core::rule::Severity;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_dashboard::feed::Shortage;
use bellwether_dashboard::figures::{Absence, AlertCard, KpiCard, Line, Phase, Point, Strip, WindowBefore};
use bellwether_dashboard::format::{self, Unit};
use bellwether_dashboard::state::Knowledge;
use bellwether_dashboard::texts;
use bellwether_dashboard::view::{App, MOST_BANNERS, Pen, StripCanvas, banners, card, panel};
use gloo_timers::future::TimeoutFuture;
use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{CanvasRenderingContext2d, Document, Element, HtmlCanvasElement, HtmlElement};
use yew::prelude::{Callback, Html, Properties, component, html};

wasm_bindgen_test_configure!(run_in_browser);

/// The gateway of a card.
const GATEWAY: &str = "http://127.0.0.1:4000";

fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// A fresh element of the page, 400 pixels wide.
fn place() -> Element {
    let place = document().create_element("div").unwrap();
    place.unchecked_ref::<HtmlElement>().style().set_property("width", "400px").unwrap();
    document().body().unwrap().append_child(&place).unwrap();
    place
}

/// Looks again at every turn of the event loop, for at most five seconds.
async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(found) = look() {
            return found;
        }
        TimeoutFuture::new(10).await;
    }
    panic!("{what} did not come within five seconds: {}", document().body().unwrap().inner_html());
}

fn text_of(place: &Element, selector: &str) -> Option<String> {
    place.query_selector(selector).unwrap().and_then(|found| found.text_content())
}

/// Draws whatever it is given, so that plain functions can be mounted.
#[derive(Clone, PartialEq, Properties)]
struct Shown {
    what: Html,
}

#[component]
fn Show(props: &Shown) -> Html {
    props.what.clone()
}

/// Has the page speak English, as `boot.js` would.
fn speak() {
    let texts = JSON::parse(include_str!("../../../www/texts/en.json")).unwrap();
    let left = Object::new();
    for (name, value) in [("language", "en".into()), ("locale", "en".into()), ("texts", texts)] {
        Reflect::set(&left, &name.into(), &value).unwrap();
    }
    Reflect::set(&js_sys::global(), &"bellwether".into(), &left).unwrap();
    texts::start();
}

fn mount(what: Html) -> Element {
    speak();
    let place = place();
    yew::Renderer::<Show>::with_root_and_props(place.clone(), Shown { what }).render();
    place
}

fn kpi(value: Option<f64>, standing: Standing) -> KpiCard {
    KpiCard {
        id: "latency".into(),
        title: "<img src=x onerror=alert(1)>".into(),
        owner: "On call".into(),
        unit: Unit::Millis,
        value,
        target: Some(300.0),
        course_target: Some(300.0),
        direction: Direction::LowerIsBetter,
        standing,
        made_of: "average, last 5 min".into(),
        window: DurationMs::from_minutes(5),
        before: WindowBefore::Kept,
        trend: value.map(|_| Trend::Change { by: 12.0, percent: Some(10.0) }),
        course: vec![Some(100.0), None, Some(140.0)],
        course_over: DurationMs::from_minutes(5),
        absence: None,
        restated: None,
    }
}

fn strip(lines: Vec<Line>) -> Strip {
    Strip {
        id: "latency".into(),
        title: "Latency".into(),
        unit: Unit::Millis,
        from: TimestampMs::new(0),
        to: TimestampMs::new(300_000),
        looks_back: None,
        threshold: Some(300.0),
        lines,
        hidden_lines: 0,
        idle_lines: 0,
        failure: None,
        restated: None,
    }
}

fn pen() -> Pen {
    Pen { palette: Rc::default(), cursor: None, moved: Callback::noop(), turned: Callback::noop() }
}

fn rising() -> Line {
    let points = (1..300_u32)
        .map(|second| {
            let value = f64::from(second);
            Point { at: TimestampMs::new(i64::from(second) * 1_000), value, band: Some((value / 2.0, value + 20.0)) }
        })
        .collect();
    Line::new("a".into(), points, DurationMs::from_minutes(5))
}

#[wasm_bindgen_test]
async fn a_card_says_figure_unit_word_and_trend() {
    let place = mount(card(&kpi(Some(412.0), Standing::NotMet), GATEWAY, "", "#/kpi/latency".into()));
    let figure = until("the figure", || text_of(&place, ".figure-value")).await;
    assert_eq!(figure.replace('\u{a0}', " "), "412 ms");
    assert_eq!(text_of(&place, ".badge").as_deref(), Some("Not met"));
    assert!(place.query_selector(".badge svg").unwrap().is_some(), "a shape stands beside the word");
    let text = place.text_content().unwrap();
    assert!(text.contains("300") && text.contains("worse") && text.contains("On call"), "{text}");
}

#[wasm_bindgen_test]
async fn a_card_of_an_earlier_time_says_of_when_it_is() {
    let place = mount(card(&kpi(Some(120.0), Standing::Met), GATEWAY, "10:42:07", String::new()));
    assert_eq!(until("the badge", || text_of(&place, ".badge")).await, "Met at 10:42:07");
    assert!(place.query_selector(".badge-good").unwrap().is_none());
    let place = mount(card(&kpi(None, Standing::NoFigure), GATEWAY, "10:42:07", String::new()));
    assert_eq!(until("the badge", || text_of(&place, ".badge")).await, "No data");
}

#[wasm_bindgen_test]
async fn hostile_text_stays_text() {
    let place = mount(card(&kpi(Some(1.0), Standing::Met), GATEWAY, "", "#/kpi/latency".into()));
    let title = until("the title", || text_of(&place, "h3")).await;
    assert_eq!(title, "<img src=x onerror=alert(1)>");
    assert!(place.query_selector("img").unwrap().is_none());
    let link = place.query_selector("h3 a").unwrap().unwrap();
    assert_eq!(link.get_attribute("href").as_deref(), Some("#/kpi/latency"), "it opens the KPI");
}

#[wasm_bindgen_test]
async fn no_figure_is_a_dash_and_words() {
    let place = mount(card(&kpi(None, Standing::NoFigure), GATEWAY, "", "#/kpi/latency".into()));
    let figure = until("the figure", || text_of(&place, ".figure-value")).await;
    assert_eq!(figure, "—no data");
    assert!(!place.text_content().unwrap().contains("NaN"));
}

#[wasm_bindgen_test]
async fn no_figure_for_too_many_series_is_not_no_data() {
    let ask = Some("/query?name=m".to_owned());
    let absence = Some(Absence::Lacking { shortage: Shortage::TooManySeries, ask });
    let place = mount(card(&KpiCard { absence, ..kpi(None, Standing::NoFigure) }, GATEWAY, "", "#/kpi/latency".into()));
    assert_eq!(until("the word", || text_of(&place, ".badge")).await, "No figure");
    let text = place.text_content().unwrap();
    assert!(text.contains("Too many series for this page") && !text.contains("No data"), "{text}");
    let link = place.query_selector(".card-facts a").unwrap().unwrap();
    assert_eq!(link.get_attribute("href").as_deref(), Some("http://127.0.0.1:4000/query?name=m"));
}

/// How many pixels of the canvas are of the line's colour.
fn drawn_pixels(canvas: &HtmlCanvasElement) -> usize {
    let context: CanvasRenderingContext2d = canvas.get_context("2d").unwrap().unwrap().unchecked_into();
    let (width, height) = (f64::from(canvas.width()), f64::from(canvas.height()));
    let pixels = context.get_image_data(0.0, 0.0, width, height).unwrap().data();
    // The first line of the light theme is #0060a8.
    pixels.chunks(4).filter(|pixel| pixel[3] > 200 && pixel[0] < 60 && pixel[2] > 120).count()
}

#[wasm_bindgen_test]
async fn a_strip_draws_its_line_and_redraws_when_it_grows() {
    let strip = Rc::new(strip(vec![rising()]));
    let place = mount(html! { <StripCanvas {strip} pen={pen()} /> });
    let canvas = until("the canvas", || place.query_selector("canvas").unwrap()).await;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    let style = canvas.style();
    style.set_property("width", "300px").unwrap();
    style.set_property("height", "150px").unwrap();
    let narrow = until("a line", || Some(drawn_pixels(&canvas)).filter(|drawn| *drawn > 300)).await;
    style.set_property("width", "390px").unwrap();
    let ratio = web_sys::window().unwrap().device_pixel_ratio();
    until("the wider drawing", || {
        (canvas.width() == (390.0 * ratio) as u32 && drawn_pixels(&canvas) > narrow).then_some(())
    })
    .await;
    let label = canvas.get_attribute("aria-label").unwrap();
    assert!(label.replace('\u{a0}', " ").contains("a: latest 299 ms, between 1 ms and 299 ms"), "{label}");
}

#[wasm_bindgen_test]
async fn an_empty_strip_says_so() {
    let place = mount(html! { <StripCanvas strip={Rc::new(strip(Vec::new()))} pen={pen()} /> });
    let words = until("the words", || text_of(&place, ".strip-empty")).await;
    assert_eq!(words, "No data in this window");
}

#[wasm_bindgen_test]
async fn a_table_opens_behind_a_panel() {
    let strip = Rc::new(strip(vec![rising()]));
    let place = mount(panel(&strip, &pen(), Some("#/panel/latency?window=5m".into())));
    let summary = until("the summary", || place.query_selector("summary").unwrap()).await;
    assert!(place.query_selector("table").unwrap().is_none(), "made only while it is open");
    summary.unchecked_into::<HtmlElement>().click();
    let rows = until("the rows", || {
        let rows = place.query_selector_all("tbody tr").unwrap().length();
        (rows > 5).then_some(rows)
    })
    .await;
    assert!(rows <= 16);
    let link = place.query_selector("a").unwrap().unwrap();
    assert_eq!(link.get_attribute("href").as_deref(), Some("#/panel/latency?window=5m"));
}

#[wasm_bindgen_test]
fn figures_are_in_the_readers_language() {
    let text = format::figure(1_234.0, &Unit::Millis).text();
    assert!(text.contains("ms") && text.contains("234"), "{text}");
    assert!(format::figure(0.25, &Unit::Ratio).text().contains('%'));
    assert!(format::length(DurationMs::from_days(90)).contains("90"));
    assert!(format::figure(2.5e9, &Unit::Bytes).text().contains("GB"));
    let time = format::time_of_day(TimestampMs::new(1_700_000_000_000), format::Precision::Seconds);
    assert!(time.contains("20"), "{time}");
    assert!(!format::date_and_time(TimestampMs::new(i64::MAX)).contains("NaN"));
}

#[wasm_bindgen_test]
async fn the_page_says_why_it_cannot_start() {
    // The test's own site has no config.json.
    let place = place();
    speak();
    yew::Renderer::<App>::with_root(place.clone()).render();
    let title = until("the reason", || text_of(&place, ".screen h2")).await;
    assert_eq!(title, "The settings of this page cannot be read");
    assert!(text_of(&place, ".screen p").is_some_and(|reason| reason.contains("config.json")));
    assert_eq!(place.query_selector_all("header, main").unwrap().length(), 2);
}

#[wasm_bindgen_test]
fn short_units_are_symbols_with_a_space() {
    let plain = |text: String| text.replace(['\u{a0}', '\u{202f}'], " ");
    assert_eq!(plain(format::length(DurationMs::from_secs(26))), "26 s");
    assert_eq!(plain(format::length(DurationMs::from_hours(3))), "3 h");
    assert_eq!(plain(format::length(DurationMs::from_minutes(5))), "5 min");
    assert_eq!(plain(format::figure(150.0, &Unit::Secs).text()), "2.50 min");
    assert_eq!(plain(format::figure(20.4, &Unit::parse("bytes/s")).text()), "20.4 B/s");
    assert_eq!(plain(format::figure(120.0, &Unit::parse("ms")).text()), "120 ms");
}

#[wasm_bindgen_test]
async fn a_window_that_has_no_window_before_says_nothing_of_it() {
    let facts = |before| {
        let kpi = KpiCard { before, trend: None, ..kpi(Some(120.0), Standing::Met) };
        let place = mount(card(&kpi, GATEWAY, "", "#/kpi/latency".into()));
        async move { until("the facts", || text_of(&place, ".card-facts")).await }
    };
    assert!(facts(WindowBefore::Kept).await.contains("No earlier figure"));
    assert!(!facts(WindowBefore::Beyond).await.contains("No earlier figure"));
}

#[wasm_bindgen_test]
async fn alerts_beyond_the_first_are_counted() {
    let alert = |rule: usize| AlertCard {
        rule: format!("<i>Slow{rule}</i>"),
        labels: String::new(),
        phase: Phase::Firing,
        severity: Severity::Page,
        value: Some(412.0),
        unit: Unit::Millis,
        comparison: "above",
        threshold: Some(300.0),
        since: TimestampMs::new(0),
        fired_at: None,
        resolved_at: None,
        stale: false,
        summary: String::new(),
        runbook: None,
    };
    let alerts: Vec<_> = (0..MOST_BANNERS + 2).map(alert).collect();
    let place = mount(banners(&alerts, 5, TimestampMs::new(1_000), Knowledge::Current, "#/alerts".into()));
    let more = until("what more there is", || text_of(&place, ".alerts-more")).await;
    assert_eq!(more, "and 7 more");
    let link = place.query_selector(".alerts-more a").unwrap().unwrap();
    assert_eq!(link.get_attribute("href").as_deref(), Some("#/alerts"));
    assert_eq!(place.query_selector_all("[data-alert]").unwrap().length(), MOST_BANNERS as u32);
    assert!(place.query_selector("i").unwrap().is_none(), "a name is text");
    assert_eq!(text_of(&place, ".alert-word").as_deref(), Some("Urgent, firing"));
    let place = mount(banners(&alerts[..1], 0, TimestampMs::new(1_000), Knowledge::Old, String::new()));
    until("the banner", || place.query_selector("[data-alert]").unwrap()).await;
    assert_eq!(text_of(&place, ".alert-word").as_deref(), Some("Urgent, firing when last heard of"));
    assert_eq!(text_of(&place, ".alerts-more"), None);
}
