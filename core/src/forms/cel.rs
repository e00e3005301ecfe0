//! The rules that need no other object, in CEL.
//!
//! Each finds entries: all of them, those with a fault that the object did not have before, or those with a
//! fault that it had. The webhook's excuse for old faults is told from its [`Finding::key`], and so it is
//! here: a fault is old where its value had it before, wherever the entry stood.
//!
//! [`Finding::key`]: crate::rules::Finding::key

use crate::objects::{
    SetKind,
    grammar::{DOMAIN_PATTERN, MIRROR_PATTERN},
};

/// Which faults are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faults {
    /// All.
    Any,
    /// Those that the object did not have before the write.
    New,
    /// Those that it had.
    Old,
}

/// A rule in CEL.
#[derive(Debug)]
pub(super) struct CelRule {
    /// The id of the rule.
    pub(super) id: &'static str,
    /// What it finds.
    pub(super) finds: Finds,
}

/// What a rule finds.
#[derive(Debug)]
pub(super) enum Finds {
    /// Any ICSP, and what to say of it.
    Icsp(&'static str),
    /// Entries.
    Entries(EntryFault),
}

/// A fault of an entry `e`, which has a `source`, `mirrors`, and whether the source is `never` contacted.
#[derive(Debug)]
pub(super) struct EntryFault {
    /// The variable that holds the entries with the fault.
    pub(super) variable: &'static str,
    /// A variable that the expressions need: name and value.
    pub(super) needs: Option<(&'static str, &'static str)>,
    /// Whether each mirror `m` is looked at, or the entry itself.
    each_mirror: bool,
    /// Whether there is the fault.
    fault: &'static str,
    /// Whether the object had it before; an entry of the old object is `o`.
    before: &'static str,
    /// The field of the entry and what is wrong with it, with a `%s` for each of `args`.
    what: &'static str,
    args: &'static str,
    /// How to mend it.
    fix: &'static str,
    /// What is said where the message cannot be made, for a line break in a value.
    pub(super) fallback: &'static str,
}

/// Variables of every policy, by name.
pub(super) fn variables() -> Vec<(&'static str, String)> {
    let entries = |object: &str| {
        format!(
            "dyn({object}).?spec[?variables.field].orValue([]).map(e, {{\n  'source': dyn(e.?source.orValue('')),\n  \
             'mirrors': dyn(e.?mirrors.orValue([])),\n  \
             'never': dyn(e.?mirrorSourcePolicy.orValue('') == 'NeverContactSource')}})"
        )
    };
    let field = SetKind::ALL.map(|kind| format!("'{}': '{}'", kind.name(), kind.list_field()));
    vec![
        ("field", format!("{{\n  {}}}[object.kind]", field.join(",\n  "))),
        ("entries", entries("object")),
        ("oldEntries", format!("oldObject == null ? [] : {}", entries("oldObject"))),
    ]
}

const EFFECT: &str = "no node configuration is rendered any more, for the whole cluster";

/// The rules, by id.
pub(super) const CEL_RULES: [CelRule; 5] = [
    CelRule {
        id: "conflicting-source-policy",
        finds: Finds::Entries(EntryFault {
            variable: "conflicting",
            needs: Some(("neverContacted", "variables.entries.filter(e, e.never).map(e, e.source)")),
            each_mirror: false,
            fault: "!e.never && e.source in variables.neverContacted",
            before: "variables.oldEntries.exists(o, o.never && o.source == e.source) && \
                     variables.oldEntries.exists(o, !o.never && o.source == e.source)",
            what: "mirrorSourcePolicy: source \"%s\" is AllowContactingSource here, which conflicts with \
                   NeverContactSource in another entry",
            args: "e.source",
            fix: "give both entries the same mirrorSourcePolicy",
            fallback: "a source has two values of mirrorSourcePolicy",
        }),
    },
    CelRule {
        id: "deprecated-icsp",
        finds: Finds::Icsp(
            "kind: ImageContentSourcePolicy is deprecated since 4.13: nothing converts it on upgrade. \
             Fix: apply the equal ImageDigestMirrorSet, then delete this object",
        ),
    },
    CelRule {
        id: "invalid-mirror",
        finds: Finds::Entries(EntryFault {
            variable: "withInvalidMirrors",
            needs: None,
            each_mirror: true,
            fault: "!m.matches('MIRROR_PATTERN')",
            before: "variables.oldEntries.exists(o, m in o.mirrors)",
            what: "mirrors[%s]: mirror \"%s\" is not host[:port][/namespace[/name]]",
            args: "string(e.mirrors.indexOf(m)), m",
            fix: "write the mirror without scheme, tag and digest, its path in lower case",
            fallback: "a mirror is not host[:port][/namespace[/name]]",
        }),
    },
    CelRule {
        id: "invalid-source",
        finds: Finds::Entries(EntryFault {
            variable: "withInvalidSource",
            // Texts are looked up at a fifth of the cost of entries.
            needs: Some(("oldSources", "variables.oldEntries.map(o, o.source)")),
            each_mirror: false,
            fault: "!(e.source.startsWith('*.')\n    ? e.source.substring(2).matches('DOMAIN_PATTERN')\n    \
                    : e.source.matches('MIRROR_PATTERN'))",
            before: "e.source in variables.oldSources",
            what: "source: source \"%s\" is neither host[:port][/namespace[/name]] nor *.domain",
            args: "e.source",
            fix: "write the source without scheme, tag and digest, its path in lower case",
            fallback: "a source is neither host[:port][/namespace[/name]] nor *.domain",
        }),
    },
    CelRule {
        id: "never-contact-source-lists-source",
        finds: Finds::Entries(EntryFault {
            variable: "listingThemselves",
            needs: None,
            each_mirror: false,
            fault: "e.never && e.source in e.mirrors",
            before: "variables.oldEntries.exists(o, o.never && o.source == e.source && o.source in o.mirrors)",
            what: "mirrors[%s]: \"%s\" is NeverContactSource and one of its own mirrors",
            args: "string(e.mirrors.indexOf(e.source)), e.source",
            fix: "take the source out of its mirrors",
            fallback: "a source that is NeverContactSource is one of its own mirrors",
        }),
    },
];

impl EntryFault {
    /// The entries with the faults asked for.
    pub(super) fn entries(&self, faults: Faults) -> String {
        let has = self.has(faults);
        let has = if self.each_mirror { format!("e.mirrors.exists(m,\n  {has})") } else { has };
        format!("variables.entries.filter(e,\n  {has})")
    }

    fn has(&self, faults: Faults) -> String {
        let fault =
            self.fault.replace("DOMAIN_PATTERN", DOMAIN_PATTERN).replace("MIRROR_PATTERN", MIRROR_PATTERN);
        match faults {
            Faults::Any => fault,
            Faults::New => format!("{fault}\n  && !({})", self.before),
            Faults::Old => format!("{fault}\n  && {}", self.before),
        }
    }

    /// The message about the first of the entries, and how many more there are.
    pub(super) fn message(&self, id: &str, faults: Faults) -> String {
        let Self { variable, each_mirror, what, args, fix, .. } = self;
        let count = format!("size(variables.{variable})");
        let more = format!("{count} == 1 ? '' : ', and ' + string({count} - 1) + ' more entries alike'");
        let line = format!(
            "'[{id}] spec.%s[%s].{what}%s: {EFFECT}. Fix: {fix}'.format([\n  variables.field, \
             string(variables.entries.indexOf(e)), {args},\n  {more}])"
        );
        let line = if *each_mirror {
            format!("e.mirrors.filter(m,\n  {}).map(m,\n  {line})[0]", self.has(faults))
        } else {
            line
        };
        // A list of one is how CEL gives a value a name.
        format!("[variables.{variable}[0]].map(e,\n  {line})[0]")
    }
}
