//! The texts about changes of registries.conf, each in one snapshot.

use std::fmt::Write;

use super::{Mirror, RegistryChange};
use crate::{objects::Pull, text_snapshot};

fn mirror(pull: Pull) -> Mirror<'static> {
    Mirror { location: "m.lab/a".into(), insecure: false, pull }
}

#[test]
fn each_change_has_its_text() {
    let registries = ["m.lab:5000".to_owned(), "quay.io".to_owned()];
    let changes = [
        RegistryChange::Removed,
        RegistryChange::Added,
        RegistryChange::AddedWith(mirror(Pull::Tag)),
        RegistryChange::AddedBare,
        RegistryChange::Flag("blocked", true),
        RegistryChange::Flag("insecure", false),
        RegistryChange::MirrorRemoved("m.lab/a".into()),
        RegistryChange::MirrorWithdrawn(mirror(Pull::Tag)),
        RegistryChange::MirrorAdded(mirror(Pull::Digest)),
        RegistryChange::MirrorServes(mirror(Pull::Tag), Pull::Digest),
        RegistryChange::MirrorMistaken(mirror(Pull::Tag)),
        RegistryChange::OrderOrFlags,
        RegistryChange::Written(true),
        RegistryChange::Written(false),
        RegistryChange::Policy(Some(true)),
        RegistryChange::Policy(Some(false)),
        RegistryChange::Policy(None),
        RegistryChange::RejectsOthers(true),
        RegistryChange::RejectsOthers(false),
        RegistryChange::Search(&registries),
        RegistryChange::Search(&[]),
    ];
    let mut texts = String::new();
    for change in changes {
        let _ = writeln!(texts, "{change}");
    }
    text_snapshot::assert("node/texts.txt", &texts);
}
