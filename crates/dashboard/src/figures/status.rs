//! The one sentence that answers: is it healthy, are the targets met, what slipped, and whose is it?

use bellwether_core::kpi::Standing;

use super::{AlertCard, KpiCard, Phase};
use crate::format;
use crate::texts::{Text, lowered};

/// How the KPIs of the board stand against their targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// KPIs with a figure that meets its target.
    pub met: usize,
    /// Titles of those that do not, and who answers for them (empty where nobody is named).
    pub not_met: Vec<(String, String)>,
    /// KPIs with a target and no figure yet.
    pub waiting: usize,
    /// KPIs with a target and no figure although there may be samples.
    pub unjudged: usize,
    /// Why those have none, in a few words, where it is the same reason for all.
    pub why: Option<&'static str>,
    /// KPIs with a figure, or that have none although there may be samples, with or without a target.
    pub fed: usize,
}

impl Tally {
    /// Counts the KPIs of a page.
    pub fn of<'a>(cards: impl Iterator<Item = &'a KpiCard>) -> Self {
        let mut tally = Self::default();
        for card in cards {
            tally.fed += usize::from(card.value.is_some() || card.absence.is_some());
            match (card.standing, &card.absence) {
                (Standing::Met, _) => tally.met += 1,
                (Standing::NotMet, _) => tally.not_met.push((card.title.clone(), card.owner.clone())),
                (Standing::NoFigure, _) if card.target.is_none() => {}
                (Standing::NoFigure, None) => tally.waiting += 1,
                (Standing::NoFigure, Some(absence)) => {
                    let why = absence.common_words();
                    tally.why = why.filter(|_| tally.unjudged == 0 || tally.why == why);
                    tally.unjudged += 1;
                }
                (Standing::NoTarget, _) => {}
            }
        }
        tally
    }
}

/// How the status is to be read at a glance; always shown beside the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Nothing to do.
    Well,
    /// Nothing can be said yet.
    Unknown,
    /// A target is missed or a lesser alert is firing.
    Attention,
    /// Somebody is being called.
    Trouble,
}

/// What the figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standpoint<'a> {
    /// Of now.
    Now,
    /// Of a history that is still on its way: nothing is said of targets yet.
    Filling,
    /// Of this time of day, in words: nothing newer is known, and nothing is said of now.
    AsOf(&'a str),
    /// Of this instant, in words, which the reader has chosen; so many rules cannot be judged as of then.
    Then(&'a str, u64),
}

/// Most names of alerts in the sentence.
const NAMED: usize = 3;

/// The sentence of status; it changes only when what it says changes, so that it can be read aloud.
///
/// `alerts` are those that the gateway told, which begin with those that fire; `left_out` more it did not. `only` says in
/// words of which series the tally is, where it is not of all.
#[must_use]
pub fn sentence(
    tally: &Tally,
    alerts: &[AlertCard],
    left_out: u64,
    standpoint: Standpoint<'_>,
    only: &str,
) -> (Mood, String) {
    let past = matches!(standpoint, Standpoint::AsOf(_) | Standpoint::Then(..));
    let tensed = |now: Text, then: Text| if past { then } else { now };
    let firing: Vec<_> = alerts.iter().filter(|alert| alert.phase == Phase::Firing).collect();
    let judged = tally.met + tally.not_met.len();
    let mut text = match standpoint {
        Standpoint::AsOf(time) => Text::AsOfKnown.fill(&[time]),
        Standpoint::Then(time, _) => Text::AsOfThen.fill(&[time]),
        Standpoint::Filling => Text::HistoryLoading.say().to_owned(),
        Standpoint::Now => String::new(),
    };
    if !only.is_empty() {
        text.push_str(&Text::OnlyStatus.fill(&[only]));
    }
    if standpoint != Standpoint::Filling {
        text.push_str(&targets(tally, judged, tensed, if only.is_empty() { Text::Yet.say() } else { "" }));
    }
    let count = |number: usize| format::count(number as u64);
    let unjudged = if let Standpoint::Then(_, unjudged) = standpoint { unjudged } else { 0 };
    let said = match firing.as_slice() {
        [] if unjudged > 0 => Text::PastUnjudged.count(unjudged, &[]).trim().to_owned(),
        [] => tensed(Text::NoAlert, Text::NoAlertThen).say().to_owned(),
        [one] => tensed(Text::OneAlert, Text::OneAlertThen).fill(&[&one.rule]),
        more => {
            // One rule can fire for several groups; its name is said once.
            let mut names: Vec<&str> = Vec::new();
            for alert in more {
                if !names.contains(&alert.rule.as_str()) {
                    names.push(&alert.rule);
                }
            }
            let unnamed = names.len().saturating_sub(NAMED);
            names.truncate(NAMED);
            let many = if left_out > 0 && more.len() == alerts.len() {
                tensed(Text::AtLeastAlerts, Text::AtLeastAlertsThen)
            } else {
                tensed(Text::ManyAlerts, Text::ManyAlertsThen)
            };
            let mut said = many.fill(&[&count(more.len()), &names.join(", ")]);
            if unnamed > 0 {
                said.push_str(&Text::AndMore.fill(&[&count(unnamed)]));
            }
            said.push('.');
            said
        }
    };
    if only.is_empty() {
        text.push_str(&said);
    } else {
        text.push_str(Text::AlertsOfAll.say());
        text.push_str(&lowered(said));
    }
    let mood = if firing.iter().any(|alert| alert.severity == bellwether_core::rule::Severity::Page) {
        Mood::Trouble
    } else if !firing.is_empty() || (!tally.not_met.is_empty() && standpoint != Standpoint::Filling) {
        Mood::Attention
    } else if judged == 0 || tally.unjudged > 0 || standpoint != Standpoint::Now {
        Mood::Unknown
    } else {
        Mood::Well
    };
    (mood, text)
}

/// What is said of the targets, `judged` of which have a figure.
fn targets(tally: &Tally, judged: usize, tensed: impl Fn(Text, Text) -> Text, yet: &str) -> String {
    let count = |number: usize| format::count(number as u64);
    let mut text = String::new();
    match (judged, tally.not_met.as_slice()) {
        (0, _) => text.push_str(&match (tally.waiting, tally.unjudged) {
            (0, _) => String::new(),
            (1, 0) => tensed(Text::NoDataOne, Text::NoDataOneThen).fill(&[yet]),
            (waiting, 0) => tensed(Text::NoDataAny, Text::NoDataAnyThen).fill(&[&count(waiting), yet]),
            (waiting, _) => tensed(Text::NoDataSome, Text::NoDataSomeThen).count(waiting as u64, &[yet]),
        }),
        (1, []) => text.push_str(tensed(Text::TargetMet, Text::TargetMetThen).say()),
        (_, []) => text.push_str(&tensed(Text::TargetsMet, Text::TargetsMetThen).fill(&[&count(judged)])),
        (_, missed) => {
            let names: Vec<_> = missed
                .iter()
                .map(|(title, owner)| if owner.is_empty() { title.clone() } else { format!("{title} ({owner})") })
                .collect();
            let missed = names.join(", ");
            text.push_str(&match (judged, tally.met) {
                (1, _) => tensed(Text::TargetNotMet, Text::TargetNotMetThen).fill(&[&missed]),
                (_, 0) => tensed(Text::NoneMet, Text::NoneMetThen).fill(&[&count(judged), &missed]),
                (_, met) => tensed(Text::SomeMet, Text::SomeMetThen).count(met as u64, &[&count(judged), &missed]),
            });
        }
    }
    if judged > 0 && tally.waiting > 0 {
        text.push_str(&tensed(Text::NoDataMore, Text::NoDataMoreThen).fill(&[&count(tally.waiting)]));
    }
    if tally.unjudged > 0 {
        let why = lowered(tally.why.unwrap_or(Text::EachCardSays.say()).to_owned());
        text.push_str(&Text::Unjudged.count(tally.unjudged as u64, &[&why]));
    }
    text
}

#[cfg(test)]
mod tests {
    use bellwether_core::rule::Severity;

    use super::*;
    use crate::feed::Shortage;

    fn alert(rule: &str, severity: Severity) -> AlertCard {
        AlertCard { rule: rule.to_owned(), severity, ..AlertCard::example(Phase::Firing) }
    }

    #[track_caller]
    fn check(tally: Tally, alerts: &[AlertCard], mood: Mood, expected: &str) {
        assert_eq!(sentence(&tally, alerts, 0, Standpoint::Now, ""), (mood, expected.to_owned()));
    }

    #[test]
    fn the_sentence_says_what_slipped_and_whose_it_is() {
        let missed = vec![("Resolution".to_owned(), "Grants office".to_owned()), ("Disk".to_owned(), String::new())];
        check(
            Tally { met: 2, not_met: missed, waiting: 1, fed: 4, ..Tally::default() },
            &[alert("ResolutionSlow", Severity::Ticket)],
            Mood::Attention,
            "2 of 4 targets are met. Not met: Resolution (Grants office), Disk. There is no data for 1 more. Alert \
             ResolutionSlow is firing.",
        );
        check(Tally { met: 4, ..Tally::default() }, &[], Mood::Well, "All 4 targets are met. No alert is firing.");
        check(Tally { met: 1, ..Tally::default() }, &[], Mood::Well, "The target is met. No alert is firing.");
        let disk = || vec![("Disk".to_owned(), String::new())];
        let one = Tally { not_met: disk(), waiting: 2, ..Tally::default() };
        let expected = "The target is not met: Disk. There is no data for 2 more. No alert is firing.";
        check(one, &[], Mood::Attention, expected);
        let expected = "1 of 2 targets is met. Not met: Disk. No alert is firing.";
        check(Tally { met: 1, not_met: disk(), ..Tally::default() }, &[], Mood::Attention, expected);
        check(Tally::default(), &[], Mood::Unknown, "No alert is firing.");
        check(
            Tally { waiting: 3, ..Tally::default() },
            &[],
            Mood::Unknown,
            "There is no data yet for any of the 3 targets. No alert is firing.",
        );
    }

    #[test]
    fn what_has_too_many_series_is_not_said_to_have_no_data() {
        let lacking = |unjudged| Tally { unjudged, why: Some(Shortage::TooManySeries.words()), ..Tally::default() };
        let expected = "1 target cannot be judged here: too many series for this page. No alert is firing.";
        check(lacking(1), &[], Mood::Unknown, expected);
        let expected = "There is no data yet for 1 target. 2 targets cannot be judged here: too many series for this \
                        page. No alert is firing.";
        check(Tally { waiting: 1, ..lacking(2) }, &[], Mood::Unknown, expected);
        let expected = "The target is met. There is no data for 3 more. 2 targets cannot be judged here: each card says \
                        why. No alert is firing.";
        check(Tally { met: 1, waiting: 3, why: None, ..lacking(2) }, &[], Mood::Unknown, expected);
    }

    #[test]
    fn a_filter_is_said_and_that_alerts_are_of_everything() {
        let said = |tally: Tally, alerts: &[AlertCard], left_out| {
            sentence(&tally, alerts, left_out, Standpoint::Now, "agency: Housing").1
        };
        let expected = "Only agency: Housing. The target is met. Alerts are of everything: no alert is firing.";
        assert_eq!(said(Tally { met: 1, ..Tally::default() }, &[], 0), expected);
        let expected = "Only agency: Housing. There is no data for the one target. Alerts are of everything: alert Slow is \
                        firing.";
        assert_eq!(said(Tally { waiting: 1, ..Tally::default() }, &[alert("Slow", Severity::Page)], 0), expected);
        let two = [alert("A", Severity::Page), alert("B", Severity::Page)];
        let expected = "Only agency: Housing. Alerts are of everything: at least 2 alerts are firing: A, B.";
        assert_eq!(said(Tally::default(), &two, 1), expected);
    }

    #[test]
    fn a_page_is_trouble() {
        check(
            Tally { met: 1, ..Tally::default() },
            &[alert("Slow", Severity::Page), alert("Slow", Severity::Page), alert("Full", Severity::Ticket)],
            Mood::Trouble,
            "The target is met. 3 alerts are firing: Slow, Full.",
        );
    }

    #[test]
    fn many_alerts_are_one_short_sentence() {
        let rules = ["A", "B", "A", "C", "D", "E"];
        let mut alerts: Vec<_> = rules.iter().map(|rule| alert(rule, Severity::Page)).collect();
        let said =
            |alerts: &[AlertCard], left_out| sentence(&Tally::default(), alerts, left_out, Standpoint::Now, "").1;
        assert_eq!(said(&alerts, 0), "6 alerts are firing: A, B, C and 2 more.");
        assert_eq!(said(&alerts, 9), "At least 6 alerts are firing: A, B, C and 2 more.");
        alerts.push(AlertCard::example(Phase::Pending));
        assert_eq!(said(&alerts, 9), "6 alerts are firing: A, B, C and 2 more.", "what is left out is not firing");
    }

    #[test]
    fn half_a_history_says_nothing_of_targets() {
        let missed =
            Tally { met: 1, not_met: vec![("Disk".to_owned(), String::new())], waiting: 3, fed: 2, ..Tally::default() };
        let said = sentence(&missed, &[], 0, Standpoint::Filling, "");
        assert_eq!(said, (Mood::Unknown, "The history is still loading. No alert is firing.".to_owned()));
        let (mood, text) = sentence(&missed, &[alert("Slow", Severity::Page)], 0, Standpoint::Filling, "");
        assert_eq!((mood, text.as_str()), (Mood::Trouble, "The history is still loading. Alert Slow is firing."));
    }

    #[test]
    fn an_alert_that_is_over_or_not_yet_on_is_not_firing() {
        let alerts = [AlertCard::example(Phase::Pending), AlertCard::example(Phase::Resolved)];
        check(Tally { met: 1, ..Tally::default() }, &alerts, Mood::Well, "The target is met. No alert is firing.");
    }

    #[test]
    fn a_page_that_is_cut_off_gives_no_all_clear() {
        let well = Tally { met: 4, ..Tally::default() };
        let expected = "As of 10:42:07; nothing newer is known. All 4 targets were met. No alert was firing.";
        let then = Standpoint::AsOf("10:42:07");
        assert_eq!(sentence(&well, &[], 0, then, ""), (Mood::Unknown, expected.to_owned()));
        let (mood, text) = sentence(&well, &[alert("Slow", Severity::Page)], 0, then, "");
        assert_eq!(mood, Mood::Trouble, "what was wrong is not known to be mended");
        assert!(text.ends_with("Alert Slow was firing."), "{text}");
    }

    #[test]
    fn where_a_rule_cannot_be_judged_no_all_clear_is_given() {
        let well = Tally { met: 4, ..Tally::default() };
        let said = |unjudged| sentence(&well, &[], 0, Standpoint::Then("10:42", unjudged), "").1;
        assert!(said(0).ends_with("No alert was firing."), "{}", said(0));
        assert!(said(2).ends_with("2 rules cannot be judged here."), "{}", said(2));
    }
}
