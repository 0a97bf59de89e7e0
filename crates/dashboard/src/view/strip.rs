//! The canvas of a strip: drawn when the figures, the theme or its size change. What the reader points at lies over it, so that
//! the drawing stays as it is.

use std::rc::Rc;

use bellwether_core::time::TimestampMs;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlCanvasElement, ResizeObserver};
use yew::TargetCast as _;
use yew::prelude::{
    Callback, FocusEvent, Html, KeyboardEvent, PointerEvent, Properties, component, html, use_effect_with,
    use_node_ref, use_state, use_state_eq,
};

use crate::chart::canvas;
use crate::chart::palette::{LINES, Palette};
use crate::chart::scale::ValueAxis;
use crate::chart::strip::Area;
use crate::figures::Strip;
use crate::figures::cursor::Move;
use crate::span::{Shift, Span, Turn};
use crate::texts::Text;

/// What charts are drawn with.
#[derive(Clone, Debug, PartialEq)]
pub struct Pen {
    /// The theme's colours.
    pub palette: Rc<Palette>,
    /// The instant that the reader points at on any chart.
    pub cursor: Option<TimestampMs>,
    /// Where a chart says that the reader points at another one, or at none.
    pub moved: Callback<Option<TimestampMs>>,
    /// Where a chart says that the reader turns to another span.
    pub turned: Callback<Turn>,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct Props {
    /// The chart.
    pub strip: Rc<Strip>,
    /// What it is drawn with.
    pub pen: Pen,
}

/// The chart as a picture with a sentence that says what it shows, and what goes over it from point to point.
#[component]
pub fn StripCanvas(props: &Props) -> Html {
    let node = use_node_ref();
    let size = use_state(|| (0, 0));
    // Where the lines of the last drawing are and what heights stand for: what lies over it goes by the same.
    let frame = use_state_eq(|| None);
    {
        let (node, size) = (node.clone(), size.setter());
        use_effect_with((), move |()| {
            let canvas = node.cast::<HtmlCanvasElement>();
            let seen = canvas.clone();
            let resized = Closure::<dyn FnMut()>::new(move || {
                if let Some(canvas) = &seen {
                    size.set((canvas.client_width(), canvas.client_height()));
                }
            });
            let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(canvas)) = (&observer, &canvas) {
                observer.observe(canvas);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(resized);
            }
        });
    }
    {
        let (node, frame) = (node.clone(), frame.setter());
        let drawn = (Rc::clone(&props.strip), Rc::clone(&props.pen.palette), *size);
        use_effect_with(drawn, move |(strip, palette, _)| {
            if let Some(canvas) = node.cast::<HtmlCanvasElement>() {
                frame.set(canvas::draw(&canvas, strip, palette));
            }
        });
    }
    let strip = &props.strip;
    let words = match (&strip.failure, strip.lines.is_empty()) {
        (Some(failure), _) => Some(failure.clone()),
        (None, true) => Some(Text::NoDataInWindow.say().to_owned()),
        (None, false) => None,
    };
    html! {
        <div class="strip-box">
            <canvas class="strip-canvas" ref={node} role="img" aria-label={strip.summary()}></canvas>
            if let Some(words) = words {
                <p class="strip-empty"><span>{ words }</span></p>
            }
            // Over an empty chart too: its keys lead on to where something is.
            if let Some((area, axis)) = *frame {
                <Cursor strip={Rc::clone(strip)} {area} {axis} pen={props.pen.clone()} />
            }
        </div>
    }
}

/// What goes over a drawing.
#[derive(Clone, Debug, PartialEq, Properties)]
struct CursorProps {
    strip: Rc<Strip>,
    area: Area,
    axis: ValueAxis,
    pen: Pen,
}

/// A drag that is shorter is a click.
const SHORTEST_DRAG: f64 = 6.0;

/// What takes the pointer and the keys, and shows where they are. It is a slider, so that a screen reader passes on its
/// arrow keys and says the figures that they lead to. A drag with the mouse chooses a span; a finger scrolls the page.
#[component]
fn Cursor(props: &CursorProps) -> Html {
    let CursorProps { strip, area, axis, pen } = props;
    let (area, axis) = (*area, *axis);
    // Where a drag began and where it is.
    let drag = use_state(|| None::<(f64, f64)>);
    let last = pen.cursor;
    let inside = move |event: &PointerEvent| f64::from(event.offset_x()).max(area.left).min(area.right);
    let pointed = {
        let (strip, moved, drag) = (Rc::clone(strip), pen.moved.clone(), drag.clone());
        Callback::from(move |event: PointerEvent| {
            let place = inside(&event);
            if let Some((began, _)) = *drag {
                drag.set(Some((began, place)));
            }
            let at = strip.nearest(area.instant_of(&strip, place));
            // Most moves stay within a point.
            if at != last {
                moved.emit(at);
            }
        })
    };
    let began = {
        let (drag, pointed) = (drag.setter(), pointed.clone());
        Callback::from(move |event: PointerEvent| {
            if event.pointer_type() == "mouse" && event.button() == 0 {
                let place = inside(&event);
                drag.set(Some((place, place)));
                // The drag goes on beyond the edge of the chart.
                if let Some(chart) = event.target_dyn_into::<Element>() {
                    let _ = chart.set_pointer_capture(event.pointer_id());
                }
            }
            pointed.emit(event);
        })
    };
    let ended = {
        let (strip, turned, drag) = (Rc::clone(strip), pen.turned.clone(), drag.clone());
        Callback::from(move |event: PointerEvent| {
            let Some((began, _)) = *drag else { return };
            drag.set(None);
            let place = inside(&event);
            let [from, to] = [began.min(place), began.max(place)].map(|place| area.instant_of(&strip, place));
            if (place - began).abs() >= SHORTEST_DRAG {
                turned.emit(Turn::To(Span::ending(to, to.since(from))));
            }
        })
    };
    let broken_off = {
        let drag = drag.setter();
        Callback::from(move |_: PointerEvent| drag.set(None))
    };
    let left = {
        let (moved, is_dragged) = (pen.moved.clone(), drag.is_some());
        Callback::from(move |event: PointerEvent| {
            // A finger that is lifted leaves what it pointed at.
            if event.pointer_type() == "mouse" && !is_dragged {
                moved.emit(None);
            }
        })
    };
    let pressed = {
        let (strip, moved, turned, drag) = (Rc::clone(strip), pen.moved.clone(), pen.turned.clone(), drag.setter());
        Callback::from(move |event: KeyboardEvent| {
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            let key = event.key();
            if let Some(by) = Shift::of_key(&key, event.shift_key()) {
                event.prevent_default();
                turned.emit(Turn::By(by));
            } else if let Some(by) = Move::of_key(&key) {
                event.prevent_default();
                moved.emit(strip.moved(last, by));
            } else if key == "Escape" {
                drag.set(None);
            }
        })
    };
    let blurred = pen.moved.reform(|_: FocusEvent| None);
    let at = pen.cursor.filter(|at| (strip.from..=strip.to).contains(at));
    let secs = |at: TimestampMs| (at.since(strip.from).as_millis() / 1_000).to_string();
    let says = at.map_or_else(|| Text::CursorHow.say().to_owned(), |at| strip.spoken_at(at));
    html! {
        <div
            class="strip-cursor"
            role="slider"
            tabindex="0"
            aria-label={Text::CursorOf.fill(&[&strip.title])}
            aria-valuemin="0"
            aria-valuemax={secs(strip.to)}
            aria-valuenow={secs(at.unwrap_or(strip.to))}
            aria-valuetext={says}
            onpointermove={pointed}
            onpointerdown={began}
            onpointerup={ended}
            onpointercancel={broken_off}
            onpointerleave={left}
            onkeydown={pressed}
            onblur={blurred}
        >
            if let Some(at) = at {
                { marks(strip, area, axis, at) }
            }
            if let Some((began, place)) = *drag {
                <svg class="strip-drag" aria-hidden="true">
                    <rect x={pixel(began.min(place))} width={pixel((place - began).abs())} y={pixel(area.top)} height={pixel(area.bottom - area.top)} />
                </svg>
            }
        </div>
    }
}

/// Whole pixels: the library's way to write others is 10 KB of the page.
fn pixel(place: f64) -> String {
    (place as i32).to_string()
}

/// A line across the chart at `at` with the time beside it, and a dot on each line.
fn marks(strip: &Strip, area: Area, axis: ValueAxis, at: TimestampMs) -> Html {
    let place = area.place_of(strip, at);
    let x = pixel(place);
    let dots = strip.lines.iter().take(LINES).enumerate().filter_map(|(line, found)| {
        let height = area.height_of(axis, found.at(at)?.value);
        let class = format!("swatch-{}", line + 1);
        Some(html! { <circle {class} cx={x.clone()} cy={pixel(height)} r="4" /> })
    });
    // The time stands where there is room for it.
    let left = place - area.left > (area.right - area.left) / 2.0;
    let (anchor, aside) = if left { ("end", -6.0) } else { ("start", 6.0) };
    html! {
        <svg aria-hidden="true">
            <line x1={x.clone()} x2={x.clone()} y1={pixel(area.top)} y2={pixel(area.bottom)} />
            { for dots }
            <text x={pixel(place + aside)} y={pixel(area.top + 9.0)} text-anchor={anchor}>{ strip.time_at(at) }</text>
        </svg>
    }
}
