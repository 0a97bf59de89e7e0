//! Starts the page in the element `app`.

#[cfg(target_arch = "wasm32")]
fn main() {
    bellwether_dashboard::texts::start();
    let root =
        web_sys::window().and_then(|window| window.document()).and_then(|document| document.get_element_by_id("app"));
    if let Some(root) = root {
        // The sentence that stood there while the page was loading.
        root.set_text_content(None);
        yew::Renderer::<bellwether_dashboard::view::App>::with_root(root).render();
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
