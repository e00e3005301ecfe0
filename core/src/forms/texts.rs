//! The texts of omissions, comments and errors, each in one snapshot.

use std::fmt::Write;

use super::{
    Form, NoForm, Omission, admission_policies, catalog_annotation, digest_mirror_set, hosted_cluster,
    install_config, tag_mirror_set,
    tests::{clusters_of_size, contradicting, mixed, three_catalogs},
};
use crate::{
    hypershift::Releases,
    rules::{Level, RULES, Settings},
    state::State,
    text_snapshot,
};

fn write_form(texts: &mut String, title: &str, form: &Form) {
    let _ = writeln!(texts, "== {title}");
    for comment in &form.comments {
        let _ = writeln!(texts, "# {comment}");
    }
    for omission in &form.omissions {
        let _ = match omission {
            Omission::Lost(what) => writeln!(texts, "lost: {what}"),
            Omission::Aside(what) => writeln!(texts, "left out: {what}"),
            Omission::Kept(what) => writeln!(texts, "warning: {what}"),
        };
    }
}

fn write_errors(texts: &mut String, title: &str, NoForm(reasons): &NoForm) {
    let _ = writeln!(texts, "== {title}");
    for reason in reasons {
        let _ = writeln!(texts, "error: {reason}");
    }
}

#[test]
fn each_comment_omission_and_error_has_its_text() {
    let mut texts = String::new();
    let (mixed, contradicting) = (mixed(), contradicting());
    let view = mixed.context().view();
    write_form(&mut texts, "an IDMS", &digest_mirror_set(view).unwrap());
    write_form(
        &mut texts,
        "an IDMS, with contradicting orders",
        &digest_mirror_set(contradicting.context().view()).unwrap(),
    );
    write_form(&mut texts, "an ITMS", &tag_mirror_set(view).unwrap());
    write_form(&mut texts, "a HostedCluster", &hosted_cluster(view).unwrap());
    write_form(&mut texts, "an install-config", &install_config(view).unwrap());
    write_form(&mut texts, "admission policies", &admission_policies(&Settings::default()).unwrap());
    let off = RULES.iter().map(|rule| (rule.id.to_owned(), Level::Off)).collect();
    let off = Settings { levels: off, ..Settings::default() };
    write_errors(&mut texts, "admission policies, every rule off", &admission_policies(&off).unwrap_err());
    for (title, state) in [("no mirror set", State::default()), ("three catalogs", three_catalogs())] {
        let error = catalog_annotation(state.derivations(), None, &Releases::default()).unwrap_err();
        write_errors(&mut texts, &format!("an annotation, {title}"), &error);
    }
    let nothing = State::default();
    write_errors(&mut texts, "an ITMS of nothing", &tag_mirror_set(nothing.context().view()).unwrap_err());
    for (title, state) in clusters_of_size(256) {
        let error = hosted_cluster(state.context().view()).unwrap_err();
        let error = error.to_string().replace(&"a".repeat(200), "…");
        write_errors(&mut texts, &format!("a HostedCluster, {title}"), &NoForm(vec![error]));
    }
    text_snapshot::assert("forms/texts.txt", &texts);
}
