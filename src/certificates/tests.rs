//! The life of a CA in tables: each row is a situation and the next step.

mod contents;
mod serving;

use jiff::{SignedDuration, Timestamp};

use super::{
    Action, Change, Configuration, ConfigurationKind, Contents, Lifetimes, Reading, Serving, Signer,
    Situation, authority, issue, obstacle, plan,
};

const NAME: &str = "mirrorguard.mirrorguard.svc";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

const LIFETIMES: Lifetimes = Lifetimes {
    serving: SignedDuration::from_hours(24 * 90),
    authority: SignedDuration::from_hours(24 * 1095),
    overlap: SignedDuration::from_mins(5),
};

const NEW_AUTHORITY: &[Action] = &[Action::Write(Change::NewAuthority)];
const NEW_CERTIFICATE: &[Action] = &[Action::Write(Change::NewCertificate)];
const RETIRED: &[Action] = &[Action::Write(Change::RetireAuthorities)];
const TRUSTED: &[Action] = &[Action::Trust(0), Action::Trust(1)];
const NOTHING: &[Action] = &[];

fn day(day: i32) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + DAY * day
}

/// A CA created on a day.
fn ca(of: i32) -> Signer {
    authority(day(of), LIFETIMES.authority).unwrap()
}

/// A certificate issued on a day.
fn certificate(signer: &Signer, of: i32) -> Serving {
    issue(signer, &[NAME.to_owned()], day(of), LIFETIMES.serving).unwrap()
}

/// The contents of a Secret with these CAs, of which the last one signs.
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
    /// For how many minutes the Secret and the configurations have been unchanged.
    minutes: i32,
    /// The current day.
    day: i32,
    names: Vec<String>,
}

/// A Secret, and configurations that trust these CAs, all just written on the first day.
fn case(secret: &Contents, trusted: &[&Signer]) -> Case {
    let secret = Reading::Ours(secret.clone());
    Case { secret, configurations: trusting(trusted), minutes: 0, day: 0, names: vec![NAME.to_owned()] }
}

impl Case {
    fn with(self, configurations: Vec<Configuration>) -> Self {
        Self { configurations, ..self }
    }

    fn on_day(self, day: i32) -> Self {
        Self { day, ..self }
    }

    /// So many minutes after the last change.
    fn unchanged_for(self, minutes: i32) -> Self {
        Self { minutes, ..self }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            secret: &self.secret,
            configurations: &self.configurations,
            names: &self.names,
            lifetimes: LIFETIMES,
            secret_unchanged: MINUTE * self.minutes,
            bundles_unchanged: MINUTE * self.minutes,
            now: day(self.day),
        }
    }
}

/// A situation, its next step, and the reason.
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
        (case(&Contents::default(), &[]), NEW_AUTHORITY, "nothing is there"),
        (case(&contents(&[&a], None), &[]), NEW_CERTIFICATE, "a CA, and no certificate yet"),
        (case(&steady, &[]), TRUSTED, "no configuration trusts the CA yet"),
        (case(&steady, &[&a]), NOTHING, "nothing is left to do"),
        (
            case(&steady, &[]).with(one_of_four).on_day(1).unchanged_for(99),
            &[Action::Trust(1)],
            "one webhook's bundle was emptied",
        ),
        (case(&steady, &[&ca(0)]).on_day(1).unchanged_for(99), TRUSTED, "the bundles were replaced"),
        (case(&steady, &[]).with(vec![]), NOTHING, "the configurations are not installed yet"),
    ]);
}

#[test]
fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
    let a = ca(0);
    let steady = contents(&[&a], Some(&certificate(&a, 0)));
    let names = vec![NAME.to_owned(), "192.0.2.1".to_owned()];
    let renamed = Case { names, ..case(&steady, &[]).on_day(1) };
    each_has_its_next_step([
        (case(&steady, &[&a]).on_day(45).unchanged_for(99), NOTHING, "half of its life is left"),
        (case(&steady, &[&a]).on_day(59).unchanged_for(99), NOTHING, "a day before two thirds of its life"),
        (
            case(&steady, &[&a]).on_day(61).unchanged_for(99),
            NEW_CERTIFICATE,
            "a day after two thirds of its life",
        ),
        (
            case(&steady, &[&a]).on_day(61).unchanged_for(4),
            NOTHING,
            "API servers may not have noticed the CA",
        ),
        (case(&steady, &[]).on_day(61).unchanged_for(99), TRUSTED, "the configurations do not trust the CA"),
        (case(&steady, &[]).on_day(91), NEW_CERTIFICATE, "it expired while all replicas were down"),
        (renamed, NEW_CERTIFICATE, "one name more: the current certificate is not valid for it"),
    ]);
}

#[test]
fn a_ca_is_replaced_without_a_gap() {
    let (a, b) = (ca(0), ca(731));
    let (of_a, of_b) = (certificate(&a, 700), certificate(&b, 731));
    let alone = contents(&[&a], Some(&of_a));
    let before = contents(&[&a, &b], Some(&of_a));
    let after = contents(&[&a, &b], Some(&of_b));
    each_has_its_next_step([
        (case(&alone, &[&a]).on_day(729).unchanged_for(99), NOTHING, "a day before two thirds of its life"),
        (
            case(&alone, &[&a]).on_day(731).unchanged_for(99),
            NEW_AUTHORITY,
            "a day after two thirds of its life",
        ),
        (case(&alone, &[&a]).on_day(2000), NEW_AUTHORITY, "it expired while all replicas were down"),
        (
            case(&before, &[&a]).on_day(731).unchanged_for(99),
            TRUSTED,
            "the next CA is added to the configurations first",
        ),
        (
            case(&before, &[&a, &b]).on_day(731).unchanged_for(4),
            NOTHING,
            "API servers get the time to notice",
        ),
        (
            case(&before, &[&a, &b]).on_day(731).unchanged_for(5),
            NEW_CERTIFICATE,
            "now its certificate may be served",
        ),
        (
            case(&before, &[]).with(vec![]).on_day(731).unchanged_for(5),
            NEW_CERTIFICATE,
            "without configurations no API server has to notice",
        ),
        (
            case(&after, &[&a, &b]).on_day(731).unchanged_for(9),
            NOTHING,
            "a late replica may serve the old certificate",
        ),
        (
            case(&after, &[&a, &b]).on_day(731).unchanged_for(10),
            RETIRED,
            "no replica serves the old certificate any more",
        ),
        (
            case(&after, &[&a]).on_day(731).unchanged_for(99),
            TRUSTED,
            "the old CA stays while the next one is not trusted",
        ),
        (
            case(&contents(&[&b], Some(&of_b)), &[&a, &b]).on_day(731),
            TRUSTED,
            "the old CA is removed from the configurations too",
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
    let foreign = case(&others, &[]).with(vec![]).on_day(1).unchanged_for(99);
    let foreign = Case { secret: Reading::Foreign, ..foreign };
    each_has_its_next_step([
        (case(&keyless, &[&a]).on_day(1).unchanged_for(99), NEW_AUTHORITY, "no CA can sign"),
        (case(&bundleless, &[&a]).on_day(1).unchanged_for(99), NEW_AUTHORITY, "no CA can be read"),
        (
            case(&contents(&[&a], None), &[&a]).on_day(1).unchanged_for(99),
            NEW_CERTIFICATE,
            "no certificate can be read",
        ),
        (
            case(&others, &[&b]).on_day(1).unchanged_for(99),
            NEW_CERTIFICATE,
            "the certificate was issued by an unknown CA",
        ),
        (foreign, &[Action::Refuse], "it belongs to somebody else"),
    ]);
}

#[test]
fn expired_cas_take_the_place_of_no_valid_one() {
    let valid = ca(1995);
    let expired: Vec<_> = (0..8).map(|_| ca(0)).collect();
    let bundle: Vec<_> = [&valid].into_iter().chain(&expired).collect();
    let empty = case(&Contents::default(), &bundle).on_day(2000);
    let filled = empty.situation().changed(Change::NewAuthority).unwrap();
    assert!(filled.authorities.contains(&valid.certificate), "it is adopted");
    assert_eq!(filled.authorities.len(), 2, "with the new one, and without those that have expired");
}

#[test]
fn a_ca_from_a_clock_that_was_ahead_is_replaced() {
    let (ahead, a) = (ca(9), ca(0));
    let (of_ahead, of_a) = (certificate(&ahead, 9), certificate(&a, 0));
    let alone = contents(&[&ahead], Some(&of_ahead));
    // The certificate is valid, its CA not yet: only the validity of the CA decides.
    let early = certificate(&ahead, 0);
    let begun = contents(&[&ahead], Some(&early));
    let followed = contents(&[&ahead, &a], Some(&of_ahead));
    each_has_its_next_step([
        (
            case(&alone, &[&ahead]).on_day(8).unchanged_for(99),
            NEW_AUTHORITY,
            "what it signs is not accepted yet",
        ),
        (
            case(&begun, &[&ahead]).on_day(8).unchanged_for(99),
            NEW_AUTHORITY,
            "the same if the certificate is valid already, and only its CA is not",
        ),
        (
            case(&alone, &[&ahead]).on_day(9).unchanged_for(99),
            NOTHING,
            "once it is valid, it is a CA like others",
        ),
        (case(&followed, &[&ahead]), NEW_CERTIFICATE, "a certificate by the CA that is valid"),
        (
            case(&contents(&[&ahead, &a], Some(&of_a)), &[&ahead, &a]).unchanged_for(10),
            RETIRED,
            "the CA that is not valid yet is removed",
        ),
    ]);
    let case_before = case(&begun, &[&ahead]).on_day(8);
    assert!(obstacle(&early, &case_before.situation()).is_some(), "API servers do not accept it either");
    let after = case_before.situation().changed(Change::NewAuthority).unwrap();
    let settled = case(&after, &[]).on_day(8);
    assert_eq!(plan(&settled.situation()), NEW_CERTIFICATE, "one new CA is enough");
}
