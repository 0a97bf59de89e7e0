//! Loading the chart bundle from the site itself.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, HtmlScriptElement};

/// The name of the `meta` element that says where the bundle lies.
const META: &str = "meta[name='bellwether-plotly']";

/// Adds the bundle to the page and reports how that went, once.
pub fn load(done: impl FnOnce(Result<(), String>) + 'static) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return done(Err("The chart cannot be loaded: there is no document.".to_owned()));
    };
    let script = document.create_element("script").ok().and_then(|made| made.dyn_into::<HtmlScriptElement>().ok());
    let (Some(script), Some(head)) = (script, document.head()) else {
        return done(Err("The chart cannot be loaded: the document has no head.".to_owned()));
    };
    let Some(address) = address(&document) else {
        return done(Err("The chart cannot be loaded: index.html does not say where it lies.".to_owned()));
    };
    script.set_src(&address);
    let failed = format!(
        "The large chart could not be loaded from {address}, so the small one is shown. The next panel that you open \
         tries again."
    );
    let done = std::rc::Rc::new(std::cell::Cell::new(Some(done)));
    let also = std::rc::Rc::clone(&done);
    let loaded = Closure::once_into_js(move || {
        if let Some(done) = done.take() {
            done(Ok(()));
        }
    });
    let useless = script.clone();
    let refused = Closure::once_into_js(move || {
        // Each attempt is an element of its own; none stays behind.
        useless.remove();
        if let Some(done) = also.take() {
            done(Err(failed));
        }
    });
    script.set_onload(Some(loaded.unchecked_ref()));
    script.set_onerror(Some(refused.unchecked_ref()));
    // Appending to the head of a live document cannot fail.
    let _ = head.append_child(&script);
}

fn address(document: &Document) -> Option<String> {
    let meta = document.query_selector(META).ok().flatten();
    meta.and_then(|meta| meta.get_attribute("content")).filter(|address| !address.is_empty())
}
