//! Loading the chart bundle from the site itself.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Event, HtmlScriptElement};

use crate::texts::Text;

/// The name of the `meta` element that says where the bundle lies.
const META: &str = "meta[name='bellwether-plotly']";

/// What Plotly says in the page's other language; it says English without it.
const SPANISH: &str = "plotly-es.js";

/// Adds the bundle to the page and reports how that went, once.
pub fn load(done: impl FnOnce(Result<(), String>) + 'static) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return done(Err(Text::ChartNoDocument.say().to_owned()));
    };
    let Some(address) = address(&document) else {
        return done(Err(Text::ChartNoAddress.say().to_owned()));
    };
    let whole = document.clone();
    add(&document, &address.clone(), move |came| {
        if came {
            add(&whole, SPANISH, |_| done(Ok(())));
        } else {
            done(Err(Text::ChartNotLoaded.fill(&[&address])));
        }
    });
}

/// Adds a script to the page and says, once, whether it came.
fn add(document: &Document, address: &str, done: impl FnOnce(bool) + 'static) {
    let script = document.create_element("script").ok().and_then(|made| made.dyn_into::<HtmlScriptElement>().ok());
    let (Some(script), Some(head)) = (script, document.head()) else { return done(false) };
    script.set_src(address);
    let added = script.clone();
    let ended = Closure::once_into_js(move |event: Event| {
        let came = event.type_() == "load";
        if !came {
            // Each attempt is an element of its own; none that failed stays behind.
            added.remove();
        }
        done(came);
    });
    script.set_onload(Some(ended.unchecked_ref()));
    script.set_onerror(Some(ended.unchecked_ref()));
    // Appending to the head of a live document cannot fail.
    let _ = head.append_child(&script);
}

fn address(document: &Document) -> Option<String> {
    let meta = document.query_selector(META).ok().flatten();
    meta.and_then(|meta| meta.get_attribute("content")).filter(|address| !address.is_empty())
}
