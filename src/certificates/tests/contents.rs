//! What is read from a Secret and written to it, and what a certificate contains.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{ca, case, certificate, contents, day};
use crate::certificates::{Certificate, Change, Contents, KEYS, Reading, Signer, authority};

#[test]
fn a_secret_is_read_as_it_was_written_and_damage_is_noticed() {
    let (a, b) = (ca(0), ca(0));
    let written = contents(&[&b, &a], Some(&certificate(&a, 0)));
    let data: BTreeMap<String, Vec<u8>> = written
        .data()
        .into_iter()
        .map(|(key, text)| (key.to_owned(), text.unwrap_or_default().into_bytes()))
        .collect();
    assert_eq!(data.keys().map(String::as_str).collect::<BTreeSet<_>>(), KEYS.into());
    assert_eq!(Reading::of(&data, true), Reading::Ours(written.clone()));
    assert_eq!(
        Reading::of(&data, false),
        Reading::Foreign,
        "without the annotation it belongs to somebody else"
    );
    assert_eq!(
        Reading::of(&[].into(), false),
        Reading::Ours(Contents::default()),
        "an empty Secret can be used"
    );

    let nothing = [("ca.crt", ""), ("ca.key", "")].map(|(key, value)| (key.to_owned(), value.into()));
    assert_eq!(
        Reading::of(&nothing.into(), false),
        Reading::Ours(Contents::default()),
        "empty values are empty"
    );
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
        assert_eq!(Reading::of(&damaged, true), Reading::Ours(expected), "{key}: {value}");
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
    assert!(!format!("{last:?}").contains("PRIVATE"), "the debug output shows no key");
}

/// A situation before a new CA is created.
struct Row<'a> {
    /// The CAs in the Secret.
    secret: Vec<&'a Signer>,
    /// The CAs in the configurations.
    trusted: Vec<&'a Signer>,
    day: i32,
    /// The CAs that are trusted afterwards, before the new one.
    kept: Vec<&'a Signer>,
    reason: &'static str,
}

#[test]
fn a_new_ca_keeps_the_trusted_ones_and_drops_expired_ones() {
    let (old, a, foreign) = (ca(-1090), ca(0), ca(0));
    let table = [
        Row { secret: vec![], trusted: vec![], day: 0, kept: vec![], reason: "nothing was trusted" },
        Row {
            secret: vec![&a],
            trusted: vec![&a],
            day: 731,
            kept: vec![&a],
            reason: "the CA that is replaced stays",
        },
        Row {
            secret: vec![],
            trusted: vec![&foreign],
            day: 0,
            kept: vec![&foreign],
            reason: "from before the Secret was emptied, or from another source of certificates",
        },
        Row {
            secret: vec![&old, &a],
            trusted: vec![&old, &a, &foreign],
            day: 6,
            kept: vec![&foreign, &a],
            reason: "an expired CA is removed",
        },
    ];
    for Row { secret, trusted, day, kept, reason } in table {
        let case = case(&contents(&secret, None), &trusted).on_day(day);
        let after = case.situation().changed(Change::NewAuthority).unwrap();
        let (last, before) = after.authorities.split_last().unwrap();
        assert_eq!(before, certificates(&kept), "{reason}");
        assert_eq!(Some(last), after.signer.as_ref().map(|signer| &signer.certificate), "{reason}");
    }
    let many: Vec<_> = (0..12).map(|_| ca(0)).collect();
    let case = case(&Contents::default(), &many.iter().collect::<Vec<_>>());
    let after = case.situation().changed(Change::NewAuthority).unwrap();
    let newest = certificates(&many.iter().skip(4).collect::<Vec<_>>());
    assert_eq!(after.authorities.split_last().unwrap().1, newest, "only the newest eight are adopted");
}

fn certificates(signers: &[&Signer]) -> Vec<Certificate> {
    contents(signers, None).authorities
}
