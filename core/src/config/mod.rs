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
    hypershift::{self, Placement, Releases},
    objects::{
        OpenSources, SetKind, grammar,
        manifest::{self, ReadError},
    },
    rules::{self, Exemption, IcspAlongsideIdms, Settings, WhenUnverified, Who},
    suggest::closest,
    wording::in_plain_words,
};

/// Reads a configuration; a key or value that is not known is an error with its place.
pub fn parse(name: &str, text: &str) -> Result<Settings, ReadError> {
    let file: File = manifest::read_document(name, text).map_err(with_plain_words)?;
    let protected_sources =
        file.protected_sources.unwrap_or_else(|| MANAGED_SOURCES.map(str::to_owned).to_vec());
    let mut exemptions = Vec::new();
    for (at, exemption) in file.exemptions.into_iter().enumerate() {
        let exemption = exemption_of(exemption).map_err(|(field, message)| {
            manifest::error_at(name, text, &format!("exemptions[{at}]{field}"), message)
        })?;
        exemptions.push(exemption);
    }
    check_scopes(&file.allowed_mirror_registries, check_scope)
        .map_err(|(at, why)| error_in_list(name, text, "allowedMirrorRegistries", at, &why))?;
    check_scopes(&protected_sources, check_protected_source)
        .map_err(|(at, why)| error_in_list(name, text, "protectedSources", at, &why))?;
    let releases: Releases = file.hypershift.releases.into_iter().collect();
    if let Some(value) = &file.catalog_overrides.value {
        check_overrides(value, &releases)
            .map_err(|why| manifest::error_at(name, text, "catalogOverrides.value", why))?;
    }
    let of_profile = file.profile.levels().iter().map(|(id, level)| ((*id).to_owned(), *level));
    let of_rules = file.rules.into_iter().map(|(id, level)| (id.0, level.0));
    Ok(Settings {
        // Of two levels of one rule, the later one is kept: `rules` overrides the profile.
        levels: of_profile.chain(of_rules).collect(),
        icsp_alongside_idms: match file.icsp_alongside_idms {
            Mode::Conflicts => IcspAlongsideIdms::Conflicts,
            Mode::Strict => IcspAlongsideIdms::Strict,
        },
        when_unverified: match file.when_unverified {
            Unverified::Warn => WhenUnverified::Warn,
            Unverified::Deny => WhenUnverified::Deny,
        },
        releases,
        catalog_overrides: file.catalog_overrides.value,
        registries_conf_room: file.registries_conf_room,
        allowed_mirror_registries: file.allowed_mirror_registries,
        protected_sources,
        exemptions,
        open_sources: OpenSources::default(),
        migration_obstacle: None,
    })
}

/// The error with the part after its path in plain words, where the parser names its own types.
pub fn with_plain_words(mut error: ReadError) -> ReadError {
    // An error in the YAML itself has no path. What may follow a colon in it is no message that `in_plain_words` changes.
    if let Some((path, message)) = error.message.split_once(": ") {
        let message = in_plain_words(message);
        // The whole file has no path.
        error.message = if path == "." { message } else { format!("{path}: {message}") };
    }
    error
}

fn error_in_list(name: &str, text: &str, key: &str, at: usize, why: &str) -> ReadError {
    manifest::error_at(name, text, &format!("{key}[{at}]"), why)
}

/// Rejects a value of the catalog overrides annotation that one of the releases would not read as written.
fn check_overrides(value: &str, releases: &Releases) -> Result<(), String> {
    // Empty only for a value of commas and `=`: with this placement every release reads the annotation. Releases that
    // read it for guests too use the first of the same places there.
    if hypershift::readings(value, releases, Placement::Management).is_empty() {
        return Err("the value sets nothing: write registry.redhat.io/redhat=HOST/NAMESPACE".to_owned());
    }
    let misreadings = hypershift::misreadings(value, releases, Placement::Management, None);
    let Some(misreading) = misreadings.first() else { return Ok(()) };
    let fix = match hypershift::find_correction(value) {
        Some(meant) => format!("write \"{meant}\""),
        None => "write registry.redhat.io/redhat=HOST/NAMESPACE".to_owned(),
    };
    Err(format!("{misreading}: {fix}"))
}

/// Checks each scope of a list; an error has the index of the first that is wrong.
fn check_scopes(
    scopes: &[String],
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<(), (usize, String)> {
    for (at, scope) in scopes.iter().enumerate() {
        check(scope).map_err(|why| (at, why))?;
    }
    Ok(())
}

/// Rejects a scope that no source or mirror can be in: a list with a misspelt scope would allow nothing.
fn check_scope(scope: &str) -> Result<(), String> {
    check_scope_before(scope, "")
}

/// The same for a protected source, which may end in `/**`.
fn check_protected_source(source: &str) -> Result<(), String> {
    match source.strip_suffix("/**") {
        Some(wildcard) if wildcard.starts_with('*') => Err(format!(
            "\"{source}\" protects no source, because nothing follows a wildcard; write \"{wildcard}\""
        )),
        Some(scope) => check_scope_before(scope, "/**"),
        None => check_scope(source),
    }
}

/// The same for a scope that is written with a suffix, which only the message repeats.
fn check_scope_before(scope: &str, suffix: &str) -> Result<(), String> {
    if grammar::is_valid_source(scope) {
        return Ok(());
    }
    let (problem, meant) = grammar::diagnose(scope, true);
    let fix = match meant {
        Some(meant) => format!("write \"{meant}{suffix}\""),
        None => "write host[:port][/namespace[/name]]".to_owned(),
    };
    Err(format!("\"{scope}{suffix}\" {problem}: {fix}"))
}

/// The exemption, or the field that is wrong in it and why: the end of a path, such as `.objects[0]`, or empty
/// for the whole exemption.
fn exemption_of(exemption: file::Exemption) -> Result<Exemption, (String, String)> {
    let file::Exemption { rules, objects, annotated, reason, until } = exemption;
    if rules.is_empty() {
        return Err((String::new(), "rules is empty: list the ids of the rules".to_owned()));
    }
    if reason.trim().is_empty() {
        let why = "reason is empty: write why the findings are ignored";
        return Err((String::new(), why.to_owned()));
    }
    let has_objects = !objects.is_empty();
    let who = match (has_objects, annotated) {
        (false, true) => Who::Annotated,
        (true, false) => {
            for (at, object) in objects.iter().enumerate() {
                check_object(object).map_err(|why| (format!(".objects[{at}]"), why))?;
            }
            Who::Objects(objects)
        }
        _ => return Err((String::new(), "set either objects or annotated: true".to_owned())),
    };
    Ok(Exemption { rules: rules.into_iter().map(|id| id.0).collect(), who, reason, until })
}

/// The kinds of the objects that can be exempt, and whether they have a namespace.
fn exempt_kinds() -> impl Iterator<Item = (&'static str, bool)> {
    let sets = SetKind::ALL.into_iter().map(|kind| (kind.name(), false));
    sets.chain(rules::AUDITED_KINDS.iter().copied())
}

/// Rejects a text that names no object that can have findings: an unknown kind, or a name without its namespace. Other
/// names that match no object, such as `ImageDigestMirrorSet/a/b`, are accepted.
fn check_object(object: &str) -> Result<(), String> {
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let Some((_, has_namespace)) = exempt_kinds().find(|(known, _)| *known == kind) else {
        let hint = if let Some(meant) = closest_kind(kind) {
            format!("did you mean \"{meant}/{name}\"?")
        } else {
            let kinds: Vec<_> = exempt_kinds().map(|(known, _)| known).collect();
            format!("use one of {}", kinds.join(", "))
        };
        return Err(format!("\"{object}\" does not start with a kind of object that can be exempt; {hint}"));
    };
    // `HostedCluster/name*` is for every namespace that begins with `name`, and needs no second slash.
    if name.is_empty() || (has_namespace && !name.contains('/') && !name.ends_with('*')) {
        let form = if has_namespace { "namespace/name" } else { "name" };
        return Err(format!("\"{object}\" is not the name of an object: write \"{kind}/{form}\""));
    }
    Ok(())
}

/// The kind that was probably meant.
fn closest_kind(kind: &str) -> Option<&'static str> {
    match kind {
        "ICSP" | "icsp" => Some(SetKind::Icsp.name()),
        "IDMS" | "idms" => Some(SetKind::Idms.name()),
        "ITMS" | "itms" => Some(SetKind::Itms.name()),
        _ => closest(kind, exempt_kinds().map(|(known, _)| known)),
    }
}

/// The error for a rule id that does not exist, with the one that was probably meant.
pub fn unknown_rule(id: &str) -> String {
    match closest(id, rules::RULES.iter().map(|rule| rule.id)) {
        Some(meant) => format!("unknown rule \"{id}\"; did you mean \"{meant}\"?"),
        None => format!("unknown rule \"{id}\"; mirrorguard rules lists every rule"),
    }
}

#[cfg(test)]
mod tests;
