//! The rules that need no other object, in CEL.
//!
//! Each finds entries: all with a fault, those with a fault that the object did not have before, or those with a
//! fault that it had. Like the webhook, which compares [`Finding::key`], it compares values: a fault is old where
//! the same value had it before, in any entry.
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
    /// Any ICSP, with this message.
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
    /// Whether each mirror `m` is checked, or the entry itself.
    each_mirror: bool,
    /// Whether the fault is there. `MIRROR_PATTERN` and `DOMAIN_PATTERN` in it stand for those regular expressions.
    /// Like `before`, it is an operand of `&&`, so a `||` in it needs parentheses.
    fault: &'static str,
    /// Whether the object had it before; an entry of the old object is `o`.
    before: &'static str,
    /// The field of the entry and what is wrong with it, with a `%s` for each of `args`.
    what: &'static str,
    /// CEL expressions about `e`, and about `m` where each mirror is checked, separated by commas.
    args: &'static str,
    /// How to fix it.
    fix: &'static str,
    /// The message where the other one cannot be made, because a value has a line break.
    pub(super) fallback: &'static str,
}

/// Variables of every policy, by name.
pub(super) fn variables() -> Vec<(&'static str, String)> {
    let field = SetKind::ALL.map(|kind| format!("'{}': '{}'", kind.name(), kind.list_field()));
    vec![
        ("field", format!("{{\n  {}}}[object.kind]", field.join(",\n  "))),
        ("entries", entries_of("object")),
        ("oldEntries", format!("oldObject == null ? [] : {}", entries_of("oldObject"))),
    ]
}

/// The entries of an object, each with a `source`, `mirrors` and whether the source is `never` contacted.
///
/// `dyn` turns type checks off: a policy is for three kinds with different fields, and the values of a map in CEL
/// have one type.
fn entries_of(object: &str) -> String {
    format!(
        "dyn({object}).?spec[?variables.field].orValue([]).map(e, {{\n  'source': dyn(e.?source.orValue('')),\n  \
         'mirrors': dyn(e.?mirrors.orValue([])),\n  \
         'never': dyn(e.?mirrorSourcePolicy.orValue('') == 'NeverContactSource')}})"
    )
}

const EFFECT: &str = "Nodes get no new configuration, in the whole cluster";

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
            what: "mirrorSourcePolicy: source \"%s\" has AllowContactingSource here, but \
                   NeverContactSource in another entry",
            args: "e.source",
            fix: "use the same mirrorSourcePolicy in both entries",
            fallback: "a source has two different mirrorSourcePolicy values",
        }),
    },
    CelRule {
        id: "deprecated-icsp",
        finds: Finds::Icsp(
            "kind: ImageContentSourcePolicy has been deprecated since OpenShift 4.13. No cluster update converts it. \
             Fix: apply an equivalent ImageDigestMirrorSet, then delete this object",
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
            fix: "write the mirror without scheme, tag and digest, and its path in lower case",
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
            fix: "write the source without scheme, tag and digest, and its path in lower case",
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
            what: "mirrors[%s]: source \"%s\" has NeverContactSource and is one of its own mirrors",
            args: "string(e.mirrors.indexOf(e.source)), e.source",
            fix: "remove the source from its mirrors",
            fallback: "a source with NeverContactSource is one of its own mirrors",
        }),
    },
];

impl EntryFault {
    /// The entries with these faults.
    pub(super) fn entries(&self, faults: Faults) -> String {
        let condition = self.condition(faults);
        let condition =
            if self.each_mirror { format!("e.mirrors.exists(m,\n  {condition})") } else { condition };
        format!("variables.entries.filter(e,\n  {condition})")
    }

    /// Whether an entry `e`, or its mirror `m` where each mirror is checked, has one of these faults.
    fn condition(&self, faults: Faults) -> String {
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
        let more = format!(
            "{count} == 1 ? '' : {count} == 2 ? ' (and 1 similar entry)' : ' (and ' + string({count} - 1) + ' similar \
             entries)'"
        );
        // CEL fills in each `%s`: the list, the index of the entry, those of `what`, and the count of the others.
        let line = format!(
            "'[{id}] spec.%s[%s].{what}%s. {EFFECT}. Fix: {fix}'.format([\n  variables.field, \
             string(variables.entries.indexOf(e)), {args},\n  {more}])"
        );
        // The first mirror with the fault is the one that the message names.
        let line = if *each_mirror {
            format!("e.mirrors.filter(m,\n  {}).map(m,\n  {line})[0]", self.condition(faults))
        } else {
            line
        };
        // A list of one is how CEL gives a value a name.
        format!("[variables.{variable}[0]].map(e,\n  {line})[0]")
    }
}
