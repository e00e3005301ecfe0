//! A CA's whole life, by hand of a table: each row is one situation and what follows from it.

use jiff::{SignedDuration, Timestamp};

use super::{
    Action, Change, Configuration, ConfigurationKind, Contents, KEYS, Lifetimes, Obstacle, Reading, Serving,
    Signer, Situation, authority, issue, obstacle, plan, select,
};

const NAME: &str = "mirrorguard.mirrorguard.svc";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

const LIFETIMES: Lifetimes = Lifetimes {
    serving: SignedDuration::from_hours(24 * 90),
    authority: SignedDuration::from_hours(24 * 1095),
    overlap: SignedDuration::from_mins(5),
};

const MADE: &[Action] = &[Action::Write(Change::NewAuthority)];
const ISSUED: &[Action] = &[Action::Write(Change::NewCertificate)];
const RETIRED: &[Action] = &[Action::Write(Change::RetireAuthorities)];
const TRUSTED: &[Action] = &[Action::Trust(0), Action::Trust(1)];
const NOTHING: &[Action] = &[];

fn day(day: i32) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + DAY * day
}

/// The CA of a day.
fn ca(of: i32) -> Signer {
    authority(day(of), LIFETIMES.authority).unwrap()
}

/// A certificate of a day.
fn certificate(signer: &Signer, of: i32) -> Serving {
    issue(signer, &[NAME.to_owned()], day(of), LIFETIMES.serving).unwrap()
}

/// A Secret with these CAs, of which the last signs.
fn contents(authorities: &[&Signer], serving: Option<&Serving>) -> Contents {
    Contents {
        authorities: authorities.iter().map(|signer| signer.certificate.clone()).collect(),
        signer: authorities.last().map(|signer| (*signer).clone()),
        serving: serving.cloned(),
    }
}

/// Both configurations, each with two webhooks that trust these CAs.
fn trusting(authorities: &[&Signer]) -> Vec<Configuration> {
    let bundle = contents(authorities, None).bundle().into_bytes();
    [ConfigurationKind::Validating, ConfigurationKind::Mutating]
        .map(|kind| Configuration { kind, version: "1".to_owned(), bundles: vec![bundle.clone(); 2] })
        .to_vec()
}

struct Case {
    secret: Reading,
    configurations: Vec<Configuration>,
    unchanged: SignedDuration,
    now: Timestamp,
    names: Vec<String>,
}

fn case(secret: Contents, configurations: Vec<Configuration>, minutes: i32, of: i32) -> Case {
    let names = vec![NAME.to_owned()];
    Case { secret: Reading::Ours(secret), configurations, unchanged: MINUTE * minutes, now: day(of), names }
}

impl Case {
    fn situation(&self) -> Situation<'_> {
        Situation {
            secret: &self.secret,
            configurations: &self.configurations,
            names: &self.names,
            lifetimes: LIFETIMES,
            secret_unchanged: self.unchanged,
            bundles_unchanged: self.unchanged,
            now: self.now,
        }
    }
}

/// One situation, its next step, and why.
type Row<'a> = (Case, &'a [Action], &'a str);

fn each_has_its_next_step<const N: usize>(rows: [Row<'_>; N]) {
    for (case, expected, reason) in rows {
        assert_eq!(plan(&case.situation()), expected, "{reason}");
    }
}

#[test]
fn a_fresh_secret_is_filled_and_then_trusted() {
    let a = ca(0);
    let steady = contents(&[&a], Some(&certificate(&a, 0)));
    let mut one_of_four = trusting(&[&a]);
    one_of_four[1].bundles[1].clear();
    each_has_its_next_step([
        (case(Contents::default(), trusting(&[]), 0, 0), MADE, "nothing is there"),
        (case(contents(&[&a], None), trusting(&[]), 0, 0), ISSUED, "a CA, and no certificate yet"),
        (case(steady.clone(), trusting(&[]), 0, 0), TRUSTED, "nobody trusts the CA yet"),
        (case(steady.clone(), trusting(&[&a]), 0, 0), NOTHING, "all is well"),
        (case(steady.clone(), one_of_four, 99, 1), &[Action::Trust(1)], "one webhook's bundle was emptied"),
        (case(steady.clone(), trusting(&[&ca(0)]), 99, 1), TRUSTED, "the bundles were replaced"),
        (case(steady, vec![], 0, 0), NOTHING, "the configurations are not installed yet"),
    ]);
}

#[test]
fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
    let a = ca(0);
    let steady = contents(&[&a], Some(&certificate(&a, 0)));
    let renamed = Case {
        names: vec![NAME.to_owned(), "192.0.2.1".to_owned()],
        ..case(steady.clone(), trusting(&[]), 0, 1)
    };
    each_has_its_next_step([
        (case(steady.clone(), trusting(&[&a]), 99, 45), NOTHING, "half of it"),
        (case(steady.clone(), trusting(&[&a]), 99, 59), NOTHING, "a day too early"),
        (case(steady.clone(), trusting(&[&a]), 99, 61), ISSUED, "a day later"),
        (case(steady.clone(), trusting(&[&a]), 4, 61), NOTHING, "apiservers may not have heard of the CA"),
        (case(steady.clone(), trusting(&[]), 99, 61), TRUSTED, "nor have the configurations"),
        (case(steady, trusting(&[]), 0, 91), ISSUED, "it ended while all replicas were down"),
        (renamed, ISSUED, "it is to name one more: with the present one nobody could call by that"),
    ]);
}

#[test]
fn a_ca_is_followed_by_the_next_without_a_gap() {
    let (a, b) = (ca(0), ca(731));
    let (of_a, of_b) = (certificate(&a, 700), certificate(&b, 731));
    let alone = contents(&[&a], Some(&of_a));
    let before = contents(&[&a, &b], Some(&of_a));
    let after = contents(&[&a, &b], Some(&of_b));
    each_has_its_next_step([
        (case(alone.clone(), trusting(&[&a]), 99, 729), NOTHING, "a day before two thirds of its life"),
        (case(alone.clone(), trusting(&[&a]), 99, 731), MADE, "a day after"),
        (case(alone, trusting(&[&a]), 0, 2000), MADE, "it ended while all replicas were down"),
        (case(before.clone(), trusting(&[&a]), 99, 731), TRUSTED, "the next one is made known first"),
        (case(before.clone(), trusting(&[&a, &b]), 4, 731), NOTHING, "apiservers get the time to hear"),
        (case(before.clone(), trusting(&[&a, &b]), 5, 731), ISSUED, "now its certificate may be served"),
        (case(before, vec![], 5, 731), ISSUED, "without configurations nobody has to hear"),
        (case(after.clone(), trusting(&[&a, &b]), 9, 731), NOTHING, "a late replica serves the old one"),
        (case(after.clone(), trusting(&[&a, &b]), 10, 731), RETIRED, "nobody does any more"),
        (case(after, trusting(&[&a]), 99, 731), TRUSTED, "never while its follower is unknown"),
        (
            case(contents(&[&b], Some(&of_b)), trusting(&[&a, &b]), 0, 731),
            TRUSTED,
            "it leaves the configurations too",
        ),
    ]);
}

#[test]
fn a_damaged_secret_is_repaired_and_a_foreign_one_is_left_alone() {
    let (a, b) = (ca(0), ca(0));
    let sound = contents(&[&a], Some(&certificate(&a, 0)));
    let keyless = Contents { signer: None, ..sound.clone() };
    let bundleless = Contents { authorities: vec![], signer: None, ..sound };
    let others = contents(&[&b], Some(&certificate(&a, 0)));
    let foreign = Case { secret: Reading::Foreign, ..case(others.clone(), vec![], 99, 1) };
    each_has_its_next_step([
        (case(keyless, trusting(&[&a]), 99, 1), MADE, "no CA can sign"),
        (case(bundleless, trusting(&[&a]), 99, 1), MADE, "no CA can be read"),
        (case(contents(&[&a], None), trusting(&[&a]), 99, 1), ISSUED, "no certificate can be read"),
        (case(others, trusting(&[&b]), 99, 1), ISSUED, "the certificate is of an unknown CA"),
        (foreign, &[Action::Refuse], "it is somebody else's"),
    ]);
}

#[test]
fn a_ca_of_a_clock_that_was_ahead_is_followed_by_one_that_counts() {
    let (ahead, a) = (ca(9), ca(0));
    let (of_ahead, of_a) = (certificate(&ahead, 9), certificate(&a, 0));
    let alone = contents(&[&ahead], Some(&of_ahead));
    // A certificate that has begun, of a CA that has not: the CA's date alone decides.
    let early = certificate(&ahead, 0);
    let begun = contents(&[&ahead], Some(&early));
    let followed = contents(&[&ahead, &a], Some(&of_ahead));
    each_has_its_next_step([
        (case(alone.clone(), trusting(&[&ahead]), 99, 8), MADE, "nobody accepts what it signs yet"),
        (case(begun.clone(), trusting(&[&ahead]), 99, 8), MADE, "nor what it signed for before its time"),
        (case(alone, trusting(&[&ahead]), 99, 9), NOTHING, "from its first moment on it is one like others"),
        (case(followed, trusting(&[&ahead]), 0, 0), ISSUED, "a certificate of the one that counts"),
        (
            case(contents(&[&ahead, &a], Some(&of_a)), trusting(&[&ahead, &a]), 10, 0),
            RETIRED,
            "and the one of the future goes",
        ),
    ]);
    let case_before = case(begun, trusting(&[&ahead]), 0, 8);
    assert!(obstacle(&early, &case_before.situation()).is_some(), "an apiserver's clock says the same");
    let after = case_before.situation().changed(Change::NewAuthority).unwrap();
    let settled = case(after, trusting(&[]), 0, 8);
    assert_eq!(plan(&settled.situation()), ISSUED, "one new CA is enough");
}

#[test]
fn a_new_ca_keeps_what_is_trusted_and_drops_what_has_ended() {
    let (old, a, foreign) = (ca(-1090), ca(0), ca(0));
    let all = |signers: &[&Signer]| contents(signers, None).authorities;
    // What the Secret has, what the configurations trust, the day, and what is kept.
    let table = [
        (vec![], vec![], 0, vec![], "nothing was trusted"),
        (vec![&a], vec![&a], 731, vec![&a], "the one that is followed stays"),
        (
            vec![],
            vec![&foreign],
            0,
            vec![&foreign],
            "of an emptied Secret, or of another way to certificates",
        ),
        (vec![&old, &a], vec![&old, &a, &foreign], 6, vec![&foreign, &a], "what has ended goes"),
    ];
    for (secret, trusted, of, kept, reason) in table {
        let case = case(contents(&secret, None), trusting(&trusted), 0, of);
        let after = case.situation().changed(Change::NewAuthority).unwrap();
        let (last, before) = after.authorities.split_last().unwrap();
        assert_eq!(before, all(&kept), "{reason}");
        assert_eq!(Some(last), after.signer.as_ref().map(|signer| &signer.certificate), "{reason}");
    }
    let many: Vec<_> = (0..12).map(|_| ca(0)).collect();
    let case = case(Contents::default(), trusting(&many.iter().collect::<Vec<_>>()), 0, 0);
    let after = case.situation().changed(Change::NewAuthority).unwrap();
    let newest = all(&many.iter().skip(4).collect::<Vec<_>>());
    assert_eq!(after.authorities.split_last().unwrap().1, newest, "an emptied Secret again and again");
}

#[test]
fn a_replica_serves_what_apiservers_have_had_the_time_to_trust() {
    let (a, b) = (ca(0), ca(0));
    let (of_a, of_b) = (certificate(&a, 0), certificate(&b, 0));
    let renewed = certificate(&a, 1);
    let ended = certificate(&a, -90);
    let both = || trusting(&[&a, &b]);
    // What is served, what the Secret offers, who is trusted, for how many minutes: whether to take the offer.
    let table = [
        (None, &of_a, trusting(&[]), 0, true, "anything is better than nothing"),
        (Some(&of_a), &of_a, trusting(&[&a]), 9, false, "it is the same"),
        (Some(&of_a), &renewed, trusting(&[&a]), 9, true, "renewed by the same CA"),
        (Some(&of_a), &of_b, trusting(&[&a]), 9, false, "the new CA is not trusted"),
        (Some(&of_a), &of_b, both(), 4, false, "apiservers may not have heard of the new CA"),
        (Some(&of_a), &of_b, both(), 5, true, "they have"),
        (Some(&of_a), &of_b, trusting(&[&b]), 0, true, "the old CA is not trusted any more"),
        (Some(&ended), &of_b, trusting(&[&a]), 0, true, "what has ended is of no use"),
    ];
    for (current, offered, configurations, minutes, expected, reason) in table {
        let case = case(contents(&[&a], Some(offered)), configurations, minutes, 1);
        let selected = select(current, &case.situation());
        assert_eq!(selected.as_ref(), expected.then_some(offered), "{reason}");
    }
}

#[test]
fn a_replica_that_nobody_would_trust_says_why() {
    let a = ca(0);
    let serving = certificate(&a, 0);
    let mut half = trusting(&[&a]);
    half[1].bundles[1].clear();
    let table = [
        (trusting(&[&a]), 1, None, "all trust it"),
        (vec![], 1, None, "nobody calls"),
        (half, 1, Some(Obstacle::Untrusted(ConfigurationKind::Mutating)), "one webhook does not"),
        (trusting(&[&a]), 91, Some(Obstacle::Expired(day(90))), "too old"),
    ];
    for (configurations, of, expected, reason) in table {
        let case = case(contents(&[&a], Some(&serving)), configurations, 0, of);
        assert_eq!(obstacle(&serving, &case.situation()), expected, "{reason}");
    }
}

#[test]
fn a_secret_is_read_as_it_was_written_and_damage_is_seen() {
    let (a, b) = (ca(0), ca(0));
    let written = contents(&[&b, &a], Some(&certificate(&a, 0)));
    let data: std::collections::BTreeMap<String, Vec<u8>> = written
        .data()
        .into_iter()
        .map(|(key, text)| (key.to_owned(), text.unwrap_or_default().into_bytes()))
        .collect();
    assert_eq!(data.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), KEYS.into());
    let ours = |contents: Contents| Reading::Ours(contents);
    assert_eq!(Reading::of(&data, true), ours(written.clone()));
    assert_eq!(Reading::of(&data, false), Reading::Foreign, "without the mark it is somebody else's");
    assert_eq!(Reading::of(&[].into(), false), ours(Contents::default()), "an empty one may be taken");

    let nothing = [("ca.crt", ""), ("ca.key", "")].map(|(key, value)| (key.to_owned(), value.into()));
    assert_eq!(Reading::of(&nothing.into(), false), ours(Contents::default()), "empty values are empty");
    let foreign_key = certificate(&a, 0).key.pem().to_owned();
    let table: [(&str, &str, Contents); 6] = [
        ("ca.crt", "no certificate", Contents { authorities: vec![], signer: None, ..written.clone() }),
        ("ca.key", "no key", Contents { signer: None, ..written.clone() }),
        ("ca.key", &foreign_key, Contents { signer: None, ..written.clone() }),
        ("tls.crt", "no certificate", Contents { serving: None, ..written.clone() }),
        ("tls.key", "no key", Contents { serving: None, ..written.clone() }),
        ("tls.key", &foreign_key, Contents { serving: None, ..written.clone() }),
    ];
    for (key, value, expected) in table {
        let mut damaged = data.clone();
        damaged.insert(key.to_owned(), value.into());
        assert_eq!(Reading::of(&damaged, true), ours(expected), "{key}: {value}");
    }
}

#[test]
fn certificates_begin_in_the_past_and_never_outlive_their_ca() {
    let a = ca(0);
    let last = certificate(&a, 1050);
    assert_eq!(last.certificate.end, a.certificate.end);
    assert_eq!(last.certificate.begin, day(1050) - SignedDuration::from_hours(1), "clocks differ");
    let short = authority(day(0), SignedDuration::from_secs(50)).unwrap();
    assert_eq!(short.certificate.begin, day(0) - SignedDuration::from_secs(5), "a tenth of a short life");
    assert!(!format!("{last:?}").contains("PRIVATE"), "a key does not print itself");
}
