//! Which certificate a replica serves.

use super::{ca, case, certificate, contents, day, trusting};
use crate::certificates::{ConfigurationKind, Obstacle, Serving, Signer, obstacle, select};

/// A certificate in the Secret, and whether a replica serves it from now on.
struct Row<'a> {
    current: Option<&'a Serving>,
    offered: &'a Serving,
    /// The CAs in the configurations.
    trusted: &'a [&'a Signer],
    /// For how many minutes the configurations have been unchanged.
    unchanged_for: i32,
    is_selected: bool,
    reason: &'static str,
}

#[test]
fn a_replica_serves_a_certificate_once_api_servers_trust_it() {
    let (a, b) = (ca(0), ca(0));
    let (of_a, of_b) = (certificate(&a, 0), certificate(&b, 0));
    let renewed = certificate(&a, 1);
    let ended = certificate(&a, -90);
    let row = Row {
        current: Some(&of_a),
        offered: &of_b,
        trusted: &[&a],
        unchanged_for: 9,
        is_selected: false,
        reason: "the new CA is not trusted",
    };
    let both = [&a, &b];
    let table = [
        Row {
            current: None,
            offered: &of_a,
            trusted: &[],
            unchanged_for: 0,
            is_selected: true,
            reason: "anything is better than nothing",
        },
        Row { offered: &of_a, reason: "it is the same", ..row },
        Row { offered: &renewed, is_selected: true, reason: "renewed by the same CA", ..row },
        Row {
            trusted: &both,
            unchanged_for: 4,
            reason: "API servers may not have noticed the new CA",
            ..row
        },
        Row { trusted: &both, unchanged_for: 5, is_selected: true, reason: "they have noticed it", ..row },
        Row {
            trusted: &[&b],
            unchanged_for: 0,
            is_selected: true,
            reason: "the old CA is not trusted any more",
            ..row
        },
        Row {
            current: Some(&ended),
            unchanged_for: 0,
            is_selected: true,
            reason: "an expired certificate is of no use",
            ..row
        },
        row,
    ];
    for Row { current, offered, trusted, unchanged_for, is_selected, reason } in table {
        let case = case(&contents(&[&a], Some(offered)), trusted).on_day(1).unchanged_for(unchanged_for);
        let selected = select(current, &case.situation());
        assert_eq!(selected.as_ref(), is_selected.then_some(offered), "{reason}");
    }
}

#[test]
fn a_replica_with_an_untrusted_certificate_says_why() {
    let a = ca(0);
    let serving = certificate(&a, 0);
    let mut half = trusting(&[&a]);
    half[1].bundles[1].clear();
    let table = [
        (trusting(&[&a]), 1, None, "all trust it"),
        (vec![], 1, None, "there are no webhooks"),
        (half, 1, Some(Obstacle::Untrusted(ConfigurationKind::Mutating)), "one webhook does not"),
        (trusting(&[&a]), 91, Some(Obstacle::Expired(day(90))), "expired"),
    ];
    for (configurations, today, expected, reason) in table {
        let case = case(&contents(&[&a], Some(&serving)), &[]).with(configurations).on_day(today);
        assert_eq!(obstacle(&serving, &case.situation()), expected, "{reason}");
    }
}
