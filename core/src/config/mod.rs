//! The configuration file, the same for webhook and command line.

#[cfg(test)]
mod documents;
mod file;
mod profile;
#[cfg(test)]
mod schema;

use file::{File, Mode, Unverified};
use profile::MANAGED_SOURCES;

use crate::{
    objects::{
        SetKind, grammar,
        manifest::{self, ReadError},
    },
    rules::{self, Exemption, IcspAlongsideIdms, Settings, WhenUnverified, Who},
    suggest::closest,
};

/// Reads a configuration; every key and value that is not known is an error with its place.
pub fn parse(name: &str, text: &str) -> Result<Settings, ReadError> {
    let file: File = manifest::read_document(name, text).map_err(with_suggestion)?;
    let exemptions = file.exemptions.into_iter().enumerate().map(|(at, exemption)| {
        exemption_of(exemption).map_err(|(field, message)| {
            manifest::error_at(name, text, &format!("exemptions[{at}]{field}"), message)
        })
    });
    let exemptions = exemptions.collect::<Result<_, _>>()?;
    let protected = file.protected_sources.unwrap_or_else(|| MANAGED_SOURCES.map(str::to_owned).to_vec());
    for (key, scopes) in
        [("allowedMirrorRegistries", &file.allowed_mirror_registries), ("protectedSources", &protected)]
    {
        for (at, scope) in scopes.iter().enumerate() {
            let path = format!("{key}[{at}]");
            check_scope(key, scope).map_err(|message| manifest::error_at(name, text, &path, message))?;
        }
    }
    let of_profile = file.profile.levels().iter().map(|(id, level)| ((*id).to_owned(), *level));
    let own = file.rules.into_iter().map(|(id, level)| (id.0, level.0));
    Ok(Settings {
        levels: of_profile.chain(own).collect(),
        icsp_alongside_idms: match file.icsp_alongside_idms {
            Mode::Conflicts => IcspAlongsideIdms::Conflicts,
            Mode::Strict => IcspAlongsideIdms::Strict,
        },
        when_unverified: match file.when_unverified {
            Unverified::Warn => WhenUnverified::Warn,
            Unverified::Deny => WhenUnverified::Deny,
        },
        releases: file.hypershift.releases.into_iter().collect(),
        registries_conf_room: file.registries_conf_room,
        allowed_mirror_registries: file.allowed_mirror_registries,
        protected_sources: protected,
        exemptions,
    })
}

/// Refuses what no source or mirror can lie in: a list with a misspelt scope would allow or protect nothing.
fn check_scope(key: &str, scope: &str) -> Result<(), String> {
    let bare = if key == "protectedSources" { scope.strip_suffix("/**").unwrap_or(scope) } else { scope };
    if grammar::is_valid_source(bare) {
        return Ok(());
    }
    let (problem, meant) = grammar::diagnose(bare, true);
    let fix = meant.map_or_else(
        || "write host[:port][/namespace[/name]]".to_owned(),
        |meant| format!("write \"{meant}{}\"", &scope[bare.len()..]),
    );
    Err(format!("\"{scope}\" {problem}: {fix}"))
}

/// The exemption, or the field that is wrong in it and why.
fn exemption_of(exemption: file::Exemption) -> Result<Exemption, (String, String)> {
    let wrong = |why: &str| Err((String::new(), why.to_owned()));
    let file::Exemption { rules, objects, annotated, reason, until } = exemption;
    if rules.is_empty() {
        return wrong("rules is empty: name the rules to be exempt from");
    }
    if reason.trim().is_empty() {
        return wrong("reason is empty: say why, for whoever finds it later");
    }
    let who = match (objects.is_empty(), annotated) {
        (true, true) => Who::Annotated,
        (false, false) => {
            for (at, object) in objects.iter().enumerate() {
                check_object(object).map_err(|why| (format!(".objects[{at}]"), why))?;
            }
            Who::Objects(objects)
        }
        _ => return wrong("name either objects or annotated: true"),
    };
    Ok(Exemption { rules: rules.into_iter().map(|id| id.0).collect(), who, reason, until })
}

/// Refuses what names no object that anything could be found in.
fn check_object(object: &str) -> Result<(), String> {
    let sets = SetKind::ALL.map(|kind| (kind.name(), false));
    let kinds = || sets.iter().chain(rules::AUDITED_KINDS).copied();
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let Some((_, has_namespace)) = kinds().find(|(known, _)| *known == kind) else {
        let meant = closest(kind, kinds().map(|(known, _)| known)).or(match kind {
            "ICSP" | "icsp" => Some("ImageContentSourcePolicy"),
            "IDMS" | "idms" => Some("ImageDigestMirrorSet"),
            "ITMS" | "itms" => Some("ImageTagMirrorSet"),
            _ => None,
        });
        let hint = meant.map_or_else(
            || format!("there are {}", kinds().map(|(known, _)| known).collect::<Vec<_>>().join(", ")),
            |meant| format!("did you mean \"{meant}/{name}\"?"),
        );
        return Err(format!("\"{object}\" has no kind of an object that can be exempt; {hint}"));
    };
    if name.is_empty() || (has_namespace && !name.contains('/') && !name.ends_with('*')) {
        let form = if has_namespace { "namespace/name" } else { "name" };
        return Err(format!("\"{object}\" names no object: write \"{kind}/{form}\""));
    }
    Ok(())
}

/// Names the known key that was probably meant, where serde lists what it expected.
fn with_suggestion(mut error: ReadError) -> ReadError {
    let mut quoted = error.message.split('`').skip(1).step_by(2);
    if error.message.contains("unknown field `") || error.message.contains("unknown variant `") {
        let typed = quoted.next().unwrap_or_default();
        if let Some(meant) = closest(typed, quoted) {
            error.message = format!("{}; did you mean `{meant}`?", error.message);
        }
    }
    error
}

/// What to say of a rule id that does not exist, with the one that was probably meant.
pub fn unknown_rule(id: &str) -> String {
    let hint = closest(id, rules::RULES.iter().map(|rule| rule.id))
        .map_or_else(|| "mirrorguard rules lists them".to_owned(), |id| format!("did you mean \"{id}\"?"));
    format!("unknown rule \"{id}\"; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hypershift::Release, rules::Level};

    #[test]
    fn levels_and_modes_are_read() {
        let text = "rules:\n  deprecated-icsp: off\n  node-impact: false\n  root-level-source: deny\nicspAlongsideIdms: conflicts\nwhenUnverified: warn\n";
        let settings = parse("c.yaml", text).unwrap();
        let level = |id| settings.level(rules::rule(id).unwrap());
        assert_eq!((level("deprecated-icsp"), level("node-impact")), (Level::Off, Level::Off));
        assert_eq!((level("root-level-source"), level("invalid-source")), (Level::Deny, Level::Deny));
        assert_eq!(settings.icsp_alongside_idms, IcspAlongsideIdms::Conflicts);
        assert_eq!(settings.when_unverified, WhenUnverified::Warn);
    }

    #[test]
    fn nothing_is_a_configuration_too() {
        let settings = parse("c.yaml", "# defaults\n").unwrap();
        assert_eq!(parse("c.yaml", "{}\n").as_ref(), Ok(&settings));
        assert!(settings.levels.is_empty() && settings.exemptions.is_empty() && settings.releases.is_every());
        assert_eq!(settings.protected_sources, MANAGED_SOURCES);
    }

    #[test]
    fn a_profile_is_a_start_that_rules_change() {
        let text = "profile: hosted-control-planes\nrules: {root-level-source: warn}\nhypershift: {releases: ['4.16', '4.20.3']}\n";
        let settings = parse("c.yaml", text).unwrap();
        let level = |id| settings.levels.get(id).copied();
        assert_eq!((level("root-level-source"), level("invalid-source")), (Some(Level::Warn), None));
        let releases = [16, 20].into_iter().map(|minor| Release { major: 4, minor });
        assert_eq!(settings.releases, releases.collect());
        for profile in ["default", "air-gap", "hosted-control-planes", "managed-openshift"] {
            let settings = parse("c.yaml", &format!("profile: {profile}\n")).unwrap();
            for id in settings.levels.keys() {
                assert!(rules::rule(id).is_some(), "{profile} names {id}");
            }
        }
    }

    #[test]
    fn a_key_that_is_nearly_right_is_suggested() {
        let error = |text| parse("c.yaml", text).unwrap_err().to_string();
        assert!(error("rule: {}\n").ends_with("; did you mean `rules`?"), "{}", error("rule: {}\n"));
        assert!(
            error("profile: airgap\n").ends_with("; did you mean `air-gap`?"),
            "{}",
            error("profile: airgap\n")
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let table = [
            (
                "rules:\n  root-levle-source: warn\n",
                "c.yaml:2:22: rules.root-levle-source: unknown rule \"root-levle-source\"; did you mean \"root-level-source\"?",
            ),
            (
                "rules:\n  node-impact: loud\n",
                "c.yaml:2:16: rules.node-impact: unknown level \"loud\", expected deny, warn or off",
            ),
            ("rule: {}\n", "c.yaml:1:7: rule: unknown field `rule`, expected one of `profile`, `rules`, "),
            (
                "exemptions:\n- rules: [node-impact]\n  annotated: true\n  reason: ''\n  until: 2026-12-31\n",
                "c.yaml:2:3: exemptions[0]: reason is empty",
            ),
            (
                "exemptions:\n- {rules: [node-impact], reason: x, until: 2026-12-31}\n",
                "c.yaml:2:3: exemptions[0]: name either objects or annotated: true",
            ),
            (
                "exemptions:\n- {rules: [node-impact], reason: x, until: tomorrow, annotated: true}\n",
                "c.yaml:2:44: exemptions[0].until: ",
            ),
            (
                "exemptions:\n- rules: [node-impact]\n  objects: [ImageTagMirrorSet/a*, IDMS/a]\n  reason: x\n  until: 2026-12-31\n",
                "c.yaml:3:35: exemptions[0].objects[1]: \"IDMS/a\" has no kind of an object that can be exempt; did you mean \"ImageDigestMirrorSet/a\"?",
            ),
            (
                "exemptions:\n- {rules: [node-impact], reason: x, until: 2026-12-31, objects: [HostedCluster/a]}\n",
                "c.yaml:2:66: exemptions[0].objects[0]: \"HostedCluster/a\" names no object: write \"HostedCluster/namespace/name\"",
            ),
            (
                "hypershift:\n  releases: [4.20]\n",
                "c.yaml:2:13: hypershift.releases: 4.2 is not a text: write releases in quotes",
            ),
            (
                "hypershift: {releases: [new]}\n",
                "c.yaml:1:24: hypershift.releases: \"new\" is not a release such as 4.20",
            ),
            (
                "allowedMirrorRegistries:\n- m.lab.example:8443\n- https://n.lab.example/\n",
                "c.yaml:3:3: allowedMirrorRegistries[1]: \"https://n.lab.example/\" has a scheme: write \"n.lab.example\"",
            ),
            (
                "protectedSources: [quay.io/**, docker.io/*]\n",
                "c.yaml:1:32: protectedSources[1]: \"docker.io/*\" ",
            ),
            ("a: [\n", "c.yaml:2:1: "),
        ];
        for (text, expected) in table {
            let error = parse("c.yaml", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
