//! The canvas of a strip: drawn when the figures, the theme or its size change.

use std::rc::Rc;

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{HtmlCanvasElement, ResizeObserver};
use yew::prelude::{Html, Properties, component, html, use_effect_with, use_node_ref, use_state};

use crate::chart::canvas;
use crate::chart::palette::Palette;
use crate::figures::Strip;
use crate::texts::Text;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct Props {
    /// The chart.
    pub strip: Rc<Strip>,
    /// The theme's colours.
    pub palette: Rc<Palette>,
}

/// The chart as a picture with a sentence that says what it shows.
#[component]
pub fn StripCanvas(props: &Props) -> Html {
    let node = use_node_ref();
    let size = use_state(|| (0, 0));
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
        let node = node.clone();
        let drawn = (Rc::clone(&props.strip), Rc::clone(&props.palette), *size);
        use_effect_with(drawn, move |(strip, palette, _)| {
            if let Some(canvas) = node.cast::<HtmlCanvasElement>() {
                canvas::draw(&canvas, strip, palette);
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
        </div>
    }
}
