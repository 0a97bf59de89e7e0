//! What stands in the place of figures while there are none.

use std::rc::Rc;

use yew::prelude::{Callback, Html, MouseEvent, html};

use crate::message::Msg;
use crate::remote::Remote;
use crate::texts::Text;

/// What cannot be mended by waiting.
pub(crate) fn problem(title: &str, reason: &str, dispatch: &Callback<Msg>) -> Html {
    let reload = dispatch.reform(|_: MouseEvent| Msg::ReloadPressed);
    html! {
        <section class="screen" role="alert">
            <h2>{ title }</h2>
            <p>{ reason }</p>
            <button type="button" class="button" onclick={reload}>{ Text::Reload.say() }</button>
        </section>
    }
}

/// The gateway is away and nothing has been shown yet.
pub(crate) fn away(heading: &str, cause: &str, words: &str, dispatch: &Callback<Msg>) -> Html {
    let retry = dispatch.reform(|_: MouseEvent| Msg::RetryPressed);
    html! {
        <section class="screen" role="status">
            <h2>{ heading }</h2>
            <p>{ cause }</p>
            <p>{ Text::KeepsTrying.say() }<span aria-live="off">{ " " }{ words }{ "." }</span></p>
            <button type="button" class="button button-primary" onclick={retry}>{ Text::TryNow.say() }</button>
            <p>{ Text::FileInvite.say() }</p>
            { open_file() }
        </section>
    }
}

/// The history is on its way.
pub(crate) fn loading(words: &str) -> Html {
    let cards = (0..4).map(|_| html! { <div class="skeleton"></div> });
    let strips = (0..2).map(|_| html! { <div class="skeleton skeleton-strip"></div> });
    html! {
        <div class="section" aria-busy="true">
            <p class="status" role="status">{ words }{ "…" }</p>
            <div class="kpis" aria-hidden="true">{ for cards }</div>
            <div class="strips" aria-hidden="true">{ for strips }</div>
        </div>
    }
}

/// What opens a file of the reader's, or the one that comes with the page. `boot.js` hears these buttons, and fetches
/// what reads files then.
pub(crate) fn open_file() -> Html {
    html! {
        <p class="file-open">
            <button type="button" class="button" data-open-file="">{ Text::OpenFile.say() }</button>
            <button type="button" class="button" data-open-file="file/example.csv">{ Text::OpenExample.say() }</button>
        </p>
    }
}

fn first_sample(gateway: &str, metric: &str) -> String {
    // The metric's name comes from a board: it is text, and quoted for the shell and for JSON.
    let name: String = metric.chars().filter(|letter| !matches!(letter, '\'' | '"' | '\\')).collect();
    format!(
        "curl -X POST {gateway}/ingest -H 'content-type: application/json' \\\n  -d '{{\"name\": \"{name}\", \"value\": 120}}'"
    )
}

/// The gateway has samples of its own, and none for any figure of the board.
pub(crate) fn hint(gateway: &str, metric: &str) -> Html {
    html! {
        <details class="notice notice-calm">
            <summary>{ Text::FirstSample.say() }</summary>
            <pre class="screen-code" tabindex="0"><code>{ first_sample(gateway, metric) }</code></pre>
        </details>
    }
}

/// The gateway has never been given a sample that this board shows.
pub(crate) fn empty(gateway: &str, metric: &str) -> Html {
    let line = first_sample(gateway, metric);
    html! {
        <section class="screen">
            <h2>{ Text::EmptyHead.say() }</h2>
            <p>{ Text::EmptyText.say() }</p>
            <pre class="screen-code" tabindex="0"><code>{ line }</code></pre>
            <p>{ Text::EmptyThen.say() }</p>
            <p>{ Text::FileInvite.say() }</p>
            { open_file() }
        </section>
    }
}

/// The board is valid and shows nothing.
pub(crate) fn bare() -> Html {
    html! {
        <section class="screen">
            <h2>{ Text::BareHead.say() }</h2>
            <p>{ Text::BareText.say() }</p>
        </section>
    }
}

/// The help: a file of the page's own site, and so the one text that is markup.
pub(crate) fn help(help: &Remote<Rc<str>>) -> Html {
    match help {
        Remote::Ready(markup) => Html::from_html_unchecked(Rc::clone(markup).into()),
        Remote::Failed(reason) => html! { <p class="words" role="alert">{ reason }</p> },
        Remote::NotAsked | Remote::Loading => html! { <p class="words" role="status">{ Text::LoadingHelp.say() }</p> },
    }
}
