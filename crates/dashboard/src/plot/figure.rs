//! Traces, layout and settings of the focus chart.

use bellwether_core::time::TimestampMs;
use js_sys::{Array, Float64Array};
use wasm_bindgen::JsValue;

use super::glue::object;
use crate::chart::palette::{LINES, Palette};
use crate::figures::{Focus, Line, Quantiles, Strip};
use crate::format::{self, Plan, Style};

/// All that Plotly is given.
pub(super) struct Figure {
    /// The band of the first line, then the lines, then the threshold.
    pub(super) traces: Array,
    /// Axes and legend.
    pub(super) layout: JsValue,
    /// What the reader may do.
    pub(super) configuration: JsValue,
}

/// What one trace is drawn from.
struct Course {
    /// Local milliseconds.
    x: Vec<f64>,
    /// Figures; NaN parts two runs.
    y: Vec<f64>,
    name: String,
    colour: String,
    width: f64,
    dash: &'static str,
    fill: &'static str,
    hover: &'static str,
}

const DASHES: [&str; LINES] = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

/// The figure of `focus` in the colours of `palette`.
pub(super) fn figure(focus: &Focus, palette: &Palette) -> Figure {
    let strip = &*focus.strip;
    // Plotly knows no time zones: it shows what UTC would show at these positions.
    let shift = f64::from(format::zone_offset_minutes(strip.to)) * 60_000.0;
    let local = |at: TimestampMs| at.get() as f64 + shift;
    let scale = Scale::of(strip);
    let mut courses = Vec::new();
    // One band is legible; six would hide each other.
    if strip.lines.len() == 1 || focus.quantiles == Quantiles::Drawn {
        courses.extend(strip.lines.first().map(|line| band(line, &local, scale.factor, &palette.lines[0])));
    }
    for (place, line) in strip.lines.iter().enumerate() {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for run in &line.runs {
            part(&mut x, &mut y, run.first().map(|point| local(point.at)));
            x.extend(run.iter().map(|point| local(point.at)));
            y.extend(run.iter().map(|point| point.value * scale.factor));
        }
        let name = if line.name.is_empty() { &strip.title } else { &line.name };
        courses.push(Course {
            x,
            y,
            name: as_text(name),
            colour: palette.lines[place % LINES].clone(),
            width: 1.75,
            dash: DASHES[place % LINES],
            fill: "none",
            hover: "all",
        });
    }
    if let Some(threshold) = strip.threshold {
        // One that is far above would press the lines flat: it is only named.
        let near = threshold <= scale.greatest * 3.0;
        courses.push(Course {
            x: vec![local(strip.from), local(strip.to)],
            y: vec![if near { threshold * scale.factor } else { f64::NAN }; 2],
            name: as_text(&format!("Threshold {}", format::figure(threshold, &strip.unit).text())),
            colour: palette.threshold.clone(),
            width: 1.25,
            dash: "dash",
            fill: "none",
            hover: "skip",
        });
    }
    let traces = Array::new();
    for course in &courses {
        traces.push(&trace(course));
    }
    // What remembers the reader's zoom: it is forgotten when the panel or the window changes.
    let revision = format!("{} {}", strip.id, strip.to.since(strip.from));
    let layout = layout(palette, (local(strip.from), local(strip.to)), &scale, &revision);
    let configuration =
        object(&[("responsive", true.into()), ("displaylogo", false.into()), ("scrollZoom", false.into())]);
    Figure { traces, layout, configuration }
}

/// Ends a run before the next one, which begins at `next`.
fn part(x: &mut Vec<f64>, y: &mut Vec<f64>, next: Option<f64>) {
    if let (Some(last), Some(next)) = (x.last(), next) {
        x.push((last + next) / 2.0);
        y.push(f64::NAN);
    }
}

fn band(line: &Line, local: &impl Fn(TimestampMs) -> f64, factor: f64, colour: &str) -> Course {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for run in &line.runs {
        part(&mut x, &mut y, run.first().map(|point| local(point.at)));
        for (at, value) in Line::outline(run) {
            x.push(local(at));
            y.push(value * factor);
        }
    }
    Course {
        x,
        y,
        name: "lowest to highest".to_owned(),
        colour: colour.to_owned(),
        width: 0.0,
        dash: "solid",
        fill: "toself",
        hover: "skip",
    }
}

fn trace(course: &Course) -> JsValue {
    let Course { x, y, name, colour, width, dash, fill, hover } = course;
    let line = [("color", colour.into()), ("width", (*width).into()), ("dash", (*dash).into())];
    object(&[
        ("type", "scatter".into()),
        ("mode", "lines".into()),
        ("x", Float64Array::from(&x[..]).into()),
        ("y", Float64Array::from(&y[..]).into()),
        ("name", name.into()),
        ("line", object(&line)),
        ("fill", (*fill).into()),
        ("fillcolor", translucent(colour).into()),
        ("hoverinfo", (*hover).into()),
    ])
}

fn layout(palette: &Palette, (from, to): (f64, f64), scale: &Scale, revision: &str) -> JsValue {
    let surface = || JsValue::from(&palette.surface);
    let axis = |name: &str, value: JsValue| {
        let grid = || JsValue::from(&palette.grid);
        object(&[
            ("gridcolor", grid()),
            ("zerolinecolor", grid()),
            ("linecolor", grid()),
            ("color", (&palette.muted).into()),
            ("automargin", true.into()),
            (name, value),
            ("tickformat", if name == "range" { JsValue::UNDEFINED } else { scale.ticks.into() }),
            ("hoverformat", if name == "range" { JsValue::UNDEFINED } else { scale.hover.into() }),
            ("type", if name == "range" { "date".into() } else { JsValue::UNDEFINED }),
        ])
    };
    let font = || object(&[("family", (&palette.font).into()), ("size", 12.into()), ("color", (&palette.ink).into())]);
    let margin = ["l", "r", "t", "b"].map(|side| (side, JsValue::from(8)));
    let legend = [("orientation", "h".into()), ("x", 0.into()), ("y", 1.02.into()), ("yanchor", "bottom".into())];
    let range = Array::of2(&from.into(), &to.into());
    object(&[
        ("uirevision", revision.into()),
        ("autosize", true.into()),
        ("font", font()),
        ("paper_bgcolor", surface()),
        ("plot_bgcolor", surface()),
        ("hovermode", "x unified".into()),
        ("hoverlabel", object(&[("bgcolor", surface()), ("font", font())])),
        ("margin", object(&margin)),
        ("showlegend", true.into()),
        ("legend", object(&legend)),
        ("xaxis", axis("range", range.into())),
        ("yaxis", axis("ticksuffix", (&scale.suffix).into())),
    ])
}

/// One scale and one unit for the whole chart, chosen by the greatest figure in it.
struct Scale {
    /// The greatest figure.
    greatest: f64,
    /// What each figure is multiplied with.
    factor: f64,
    /// Formats of d3 for labels and for the hover.
    ticks: &'static str,
    hover: &'static str,
    /// What stands behind a number.
    suffix: String,
}

impl Scale {
    fn of(strip: &Strip) -> Self {
        let bands =
            strip.lines.iter().flat_map(Line::points).map(|point| point.band.map_or(point.value, |(_, high)| high));
        let greatest = bands.map(f64::abs).fold(0.0, f64::max);
        let plan = Plan::for_value(greatest, &strip.unit);
        match plan.style {
            // d3 writes the percent sign itself.
            Style::Percent => {
                Self { greatest, factor: plan.factor, ticks: ".0~%", hover: ".2~%", suffix: String::new() }
            }
            _ => {
                Self { greatest, factor: plan.factor, ticks: ",~g", hover: ",.4~r", suffix: as_text(&plan.unit_text()) }
            }
        }
    }
}

/// Plotly takes some tags in texts for markup; a label is only ever text.
fn as_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A resolved colour, made see-through.
fn translucent(colour: &str) -> String {
    match colour.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        Some(parts) => format!("rgba({parts}, 0.16)"),
        None => format!("{colour}29"),
    }
}
