//! Addresses: the page's own, and the gateway's relative to it.

use web_sys::Url;

/// The address after `#`, with it; empty where there is none.
pub(super) fn hash() -> String {
    web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default()
}

/// Changes the address after `#`, as a step that "back" undoes.
pub(super) fn set_hash(hash: &str) {
    if let Some(window) = web_sys::window() {
        // Fails only for a hash with half a surrogate, which Rust text cannot hold.
        let _ = window.location().set_hash(hash);
    }
}

/// `path` relative to where the page lies, whatever its base path.
pub(super) fn beside_page(path: &str) -> Option<Url> {
    let base = web_sys::window()?.document()?.base_uri().ok().flatten()?;
    Url::new_with_base(path, &base).ok()
}

/// `path` below the gateway's address; below the page where that is empty.
pub(super) fn below_gateway(gateway: &str, path: &str) -> Option<Url> {
    if gateway.is_empty() {
        return beside_page(path);
    }
    let base = if gateway.ends_with('/') { gateway.to_owned() } else { format!("{gateway}/") };
    Url::new_with_base(path, &base).ok()
}

/// The gateway's own address without a final slash.
pub(super) fn http(gateway: &str) -> Option<String> {
    let url = below_gateway(gateway, ".")?;
    url.set_hash("");
    url.set_search("");
    Some(url.href().trim_end_matches('/').to_owned())
}

/// The origin of the page, such as `https://status.example.org`.
pub(super) fn site() -> String {
    web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// The address of the live feed.
pub(super) fn socket(gateway: &str) -> Option<String> {
    let url = below_gateway(gateway, "ws")?;
    url.set_protocol(if url.protocol() == "https:" { "wss:" } else { "ws:" });
    url.set_hash("");
    url.set_search("");
    Some(url.href())
}
