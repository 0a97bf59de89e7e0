//! Turning to a span of the past, and back to now.

use super::*;

#[test]
fn a_span_of_the_past_is_recalled_and_stands_still() {
    let mut state = live();
    update(&mut state, Msg::Evaluated(snapshot(1_000_000_000)));
    let span = Span::new(TimestampMs::new(500_000_000), TimestampMs::new(900_000_000)).unwrap();
    let effects = update(&mut state, Msg::Turned(Turn::To(span)));
    let asks = |effects: &[Effect]| {
        effects.iter().any(|effect| matches!(effect, Effect::Recall(_, _, asked) if *asked == span))
    };
    assert!(asks(&effects), "{effects:?}");
    let hash = Effect::SetHash("#/?window=5m&from=500000000&to=900000000".into());
    assert!(effects.contains(&hash), "{effects:?}");
    assert_eq!(update(&mut state, Msg::FrameStarted), [], "what is on screen stays until it is here");
    assert_eq!(state.knowledge(), Knowledge::Chosen);

    // A connection that ends on the way is no end of it.
    update(&mut state, Msg::SocketClosed { code: 1006, reason: String::new() });
    update(&mut state, Msg::RetryPressed);
    assert!(asks(&update(&mut state, Msg::HistoryCompleted)));
    update(&mut state, Msg::PastCompleted);
    assert_eq!(update(&mut state, Msg::FrameStarted), [], "the code is not here yet");
    update(&mut state, Msg::ChunkLoaded(Chunk::TIME));
    let asked = update(&mut state, Msg::FrameStarted);
    assert!(matches!(&asked[..], [Effect::Evaluate(ask)] if ask.at == Instant::Bygone), "{asked:?}");
    for nothing_new in [Msg::FeedChanged, Msg::PauseToggled, Msg::Turned(Turn::To(span))] {
        assert_eq!(update(&mut state, nothing_new), []);
    }

    let earlier = update(&mut state, Msg::Turned(Turn::By(Shift::Earlier)));
    assert!(earlier.contains(&Effect::SetHash("#/?window=5m&from=300000000&to=700000000".into())), "{earlier:?}");
    let effects = update(&mut state, Msg::WindowChosen(PageWindow::QuarterHour));
    assert!(effects.contains(&Effect::SetHash("#/?window=15m&from=699100000&to=700000000".into())), "{effects:?}");
    let live = update(&mut state, Msg::Turned(Turn::Live));
    assert!(live.contains(&Effect::Forget) && live.contains(&Effect::SetHash("#/?window=15m".into())), "{live:?}");
    assert_eq!((state.past.clone(), state.knowledge()), (Remote::NotAsked, Knowledge::Current));
    update(&mut state, Msg::PastFailed("late".into()));
    assert_eq!(state.past, Remote::NotAsked, "nobody waits for it any more");
}

/// The spans that are asked for.
fn recalled(effects: &[Effect]) -> Vec<Span> {
    let span = |effect: &Effect| if let Effect::Recall(_, _, span) = effect { Some(*span) } else { None };
    effects.iter().filter_map(span).collect()
}

#[test]
fn of_many_steps_one_is_asked_for_at_a_time_and_then_the_last() {
    let mut state = live();
    update(&mut state, Msg::Evaluated(snapshot(1_000_000_000)));
    let first = Span::new(TimestampMs::new(500_000_000), TimestampMs::new(900_000_000)).unwrap();
    assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::To(first)))), [first]);
    for _ in 0..40 {
        assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::By(Shift::In)))), []);
    }
    let last = state.route.span.unwrap();
    let effects = update(&mut state, Msg::PastCompleted);
    assert_eq!((recalled(&effects), &state.past), (vec![last], &Remote::Loading), "the first is of no use any more");
    update(&mut state, Msg::PastCompleted);
    assert_eq!(state.past, Remote::Ready(()));

    // Answers that come at once are no leave to ask for ever: a minute has room for a hundred questions of all sorts.
    let mut asked = 0;
    for second in 0..60 {
        for step in 0..30 {
            let by = if step % 2 == 0 { Shift::Earlier } else { Shift::Later };
            asked += recalled(&update(&mut state, Msg::Turned(Turn::By(by)))).len();
            update(&mut state, Msg::PastCompleted);
        }
        let now = ms(f64::from(second) * 1_000.0);
        let passed = Msg::SecondPassed { at: now, heard: Some(now) };
        asked += recalled(&update(&mut state, passed)).len();
        update(&mut state, Msg::PastCompleted);
    }
    assert!((50..=80).contains(&asked), "{asked}");
    assert_eq!(state.past, Remote::Ready(()), "the last is here");
}

#[test]
fn what_was_given_up_is_asked_for_again_where_the_reader_has_come_back() {
    let mut state = live();
    update(&mut state, Msg::Evaluated(snapshot(1_000_000_000)));
    let span = Span::new(TimestampMs::new(500_000_000), TimestampMs::new(900_000_000)).unwrap();
    update(&mut state, Msg::Turned(Turn::To(span)));
    update(&mut state, Msg::Turned(Turn::Live));
    assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::To(span)))), []);
    assert_eq!(recalled(&update(&mut state, Msg::PastLapsed)), [span]);
    update(&mut state, Msg::Turned(Turn::Live));
    update(&mut state, Msg::PastLapsed);
    assert_eq!((state.past.clone(), &state.recalling), (Remote::NotAsked, &None));
}

#[test]
fn a_past_that_failed_is_tried_again_and_stepped_from() {
    let mut state = live();
    let span = Span::new(TimestampMs::new(500_000_000), TimestampMs::new(900_000_000)).unwrap();
    // A shared link: there is no picture yet.
    state.snapshot = None;
    assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::To(span)))), [span]);
    assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::To(span)))), [], "it is on its way");
    update(&mut state, Msg::PastFailed("busy".into()));
    assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::To(span)))), [span]);
    update(&mut state, Msg::PastFailed("busy".into()));
    let nearer = span.shifted(Shift::In, None, span.to());
    assert_eq!(recalled(&update(&mut state, Msg::Turned(Turn::By(Shift::In)))), [nearer]);
}

#[test]
fn other_metrics_are_recalled_once_it_is_known_which_there_are() {
    let mut state = live();
    let span = Span::new(TimestampMs::new(500_000_000), TimestampMs::new(900_000_000)).unwrap();
    update(&mut state, Msg::Turned(Turn::To(span)));
    update(&mut state, Msg::PastCompleted);
    update(&mut state, Msg::OthersOpened);
    let listed = update(&mut state, listed(&["of_no_board"]));
    assert!(listed.iter().any(|effect| matches!(effect, Effect::Follow(metrics) if !metrics.is_empty())), "{listed:?}");
    assert_eq!(recalled(&listed), [span]);
    assert_eq!(state.past, Remote::Loading);
}

#[test]
fn what_was_left_out_of_the_past_is_said_of_the_past_alone() {
    let mut state = live();
    let span = Span::new(TimestampMs::new(500_000_000), TimestampMs::new(900_000_000)).unwrap();
    update(&mut state, Msg::Turned(Turn::To(span)));
    update(&mut state, Msg::PastLeftOut("Left out: a".into()));
    update(&mut state, Msg::PastLeftOut("Left out: a".into()));
    assert_eq!((state.past_left_out.len(), state.left_out.len()), (1, 0));
    let effects = update(&mut state, Msg::Turned(Turn::Live));
    assert!(state.past_left_out.is_empty());
    assert!(effects.contains(&Effect::Focus(Part::Heading)), "the button that was pressed is gone");
    // With the choice open it stays around.
    update(&mut state, Msg::SpansToggled);
    update(&mut state, Msg::Turned(Turn::To(span)));
    let effects = update(&mut state, Msg::Turned(Turn::Live));
    assert!(!effects.contains(&Effect::Focus(Part::Heading)), "{effects:?}");
}
