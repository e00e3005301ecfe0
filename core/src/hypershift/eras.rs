//! What HyperShift changed, and in which releases. Everything that depends on a release asks here.

use std::fmt;

use super::{Release, Releases, catalogs::EmptySides};

/// A run of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first release; `None` if nothing is modelled before it.
    from: Option<Release>,
    /// The first release after it; `None` if it has no end.
    before: Option<Release>,
}

/// The metadata lookup also matches registries and namespaces, and the catalogs annotation is a list of places.
const SECOND_ERA: Release = Release { major: 4, minor: 17 };
/// Pairs of the catalogs annotation with an empty side are dropped, and the control plane operator looks images up by
/// its own overrides too.
const WITHOUT_EMPTY_SIDES: Release = Release { major: 4, minor: 18 };
/// There is no redhat-marketplace catalog.
const THREE_CATALOGS: Release = Release { major: 4, minor: 22 };
/// No z-stream requires the image of the redhat-marketplace catalog any more. 4.23 and 5.0 are the same release.
const AFTER_FOUR_CATALOGS: Release = Release { major: 4, minor: 23 };
/// The mirrors of a source are sorted by name.
const SORTED_MIRRORS: Release = Release { major: 5, minor: 1 };

impl Span {
    /// The metadata lookup compares namespace and name; see [`Era::Exact`].
    pub const EXACT_LOOKUP: Self = Self::before(SECOND_ERA);
    /// The metadata lookup also matches registries and namespaces; see [`Era::Prefix`].
    pub const PREFIX_LOOKUP: Self = Self::starting(SECOND_ERA);
    /// The catalogs annotation replaces text; see [`CatalogEra::Replace`].
    pub const REPLACED_CATALOGS: Self = Self::before(SECOND_ERA);
    /// The catalogs annotation is a list of places, and the catalogs of guest placement are read from it too; see
    /// [`CatalogEra::List`].
    pub const LISTED_CATALOGS: Self = Self::starting(SECOND_ERA);
    /// The control plane operator adds what `--registry-overrides` holds to its other overrides.
    ///
    /// Follows `hypershift control-plane-operator/main.go`.
    pub const ADDS_OWN_OVERRIDES: Self = Self::starting(WITHOUT_EMPTY_SIDES);
    /// There are three default catalogs.
    pub const THREE_CATALOGS: Self = Self::starting(THREE_CATALOGS);
    /// Some z-stream requires the image of the fourth catalog if those of the others are set.
    pub const MAY_NEED_FOUR_IMAGES: Self = Self::before(AFTER_FOUR_CATALOGS);
    /// The mirrors of a source are sorted by name; before, they keep their order.
    ///
    /// Follows `hypershift support/util/util.go` `ConvertOpenShiftImageRegistryOverridesToCommandLineFlag`.
    pub const SORTS_MIRRORS: Self = Self::starting(SORTED_MIRRORS);

    const fn before(end: Release) -> Self {
        Self { from: None, before: Some(end) }
    }

    const fn starting(first: Release) -> Self {
        Self { from: Some(first), before: None }
    }

    /// One release alone.
    pub(super) const fn only(release: Release) -> Self {
        Self { from: Some(release), before: Some(Release { minor: release.minor + 1, ..release }) }
    }

    /// Whether it contains a release.
    pub fn contains(self, release: Release) -> bool {
        self.from.is_none_or(|from| release >= from) && self.before.is_none_or(|before| release < before)
    }

    /// Whether it contains one of the releases: always, where every release is meant.
    pub fn contains_any(self, releases: &Releases) -> bool {
        releases.is_every() || releases.iter().any(|release| self.contains(release))
    }

    /// Whether it contains all of the releases: never, where every release is meant, as no span here has them all.
    pub fn contains_all(self, releases: &Releases) -> bool {
        !releases.is_every() && releases.iter().all(|release| self.contains(release))
    }

    /// This span and the next one as one; `None` if there are releases between them.
    pub fn joined(self, next: Self) -> Option<Self> {
        let is_adjacent = self.before.is_some() && self.before == next.from;
        is_adjacent.then_some(Self { from: self.from, before: next.before })
    }

    /// Whether it contains every release.
    pub fn is_every(self) -> bool {
        self.from.is_none() && self.before.is_none()
    }

    /// Its first release.
    pub fn first(self) -> Release {
        self.from.unwrap_or(Release::OLDEST)
    }

    /// Its last release, if it has an end. The release after it is no `x.0`, so that 1 can be subtracted.
    pub fn last(self) -> Option<Release> {
        self.before.map(|before| Release { minor: before.minor.saturating_sub(1), ..before })
    }

    /// Each of its releases; none if it has no end. Every span with an end lies within one major version.
    pub(super) fn releases(self) -> Vec<Release> {
        let (first, Some(last)) = (self.first(), self.last()) else { return Vec::new() };
        (first.minor..=last.minor).map(|minor| Release { minor, ..last }).collect()
    }
}

impl fmt::Display for Span {
    /// `up to 4.16`, `from 4.17 on`, `4.17` or `4.17 to 4.21`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.last()) {
            (None, None) => f.write_str("every release"),
            (None, Some(last)) => write!(f, "up to {last}"),
            (Some(first), None) => write!(f, "from {first} on"),
            (Some(first), Some(last)) if first == last => write!(f, "{first}"),
            (Some(first), Some(last)) => write!(f, "{first} to {last}"),
        }
    }
}

/// Which rules the metadata lookup follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Namespace and name must equal the source's.
    Exact,
    /// A registry, then a namespace, then both.
    Prefix,
}

impl Era {
    /// Its releases.
    pub const fn span(self) -> Span {
        match self {
            Self::Exact => Span::EXACT_LOOKUP,
            Self::Prefix => Span::PREFIX_LOOKUP,
        }
    }

    /// The eras that the releases are in.
    pub fn of(releases: &Releases) -> Vec<Self> {
        [Self::Exact, Self::Prefix].into_iter().filter(|era| era.span().contains_any(releases)).collect()
    }
}

/// How the release lookup tries the mirrors of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseLookupEra {
    /// Each mirror replaces the source in what the mirror before it made of the image (OCPBUGS-53050, OCPBUGS-54720).
    Chained,
    /// Each mirror replaces the source in the image itself.
    Separate,
}

impl fmt::Display for ReleaseLookupEra {
    /// `up to 4.16 and in early z-streams of 4.17`, or `from 4.17 on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chained => write!(f, "{} and in early z-streams of {SECOND_ERA}", Span::before(SECOND_ERA)),
            Self::Separate => self.span().fmt(f),
        }
    }
}

impl ReleaseLookupEra {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Chained, Self::Separate];

    /// Its releases. 4.17 is in both, because a z-stream fixed it.
    pub const fn span(self) -> Span {
        match self {
            // Only as the release after 4.17; the empty sides have nothing to do with it.
            Self::Chained => Span::before(WITHOUT_EMPTY_SIDES),
            Self::Separate => Span::starting(SECOND_ERA),
        }
    }

    /// The eras that the releases may be in.
    pub fn of(releases: &Releases) -> Vec<Self> {
        Self::ALL.into_iter().filter(|era| era.span().contains_any(releases)).collect()
    }
}

/// How the catalogs annotation is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatalogEra {
    /// Text in the image is replaced.
    Replace,
    /// A list of places.
    List,
}

impl CatalogEra {
    /// The eras that the releases are in.
    pub fn of(releases: &Releases) -> Vec<Self> {
        let eras = [(Self::Replace, Span::REPLACED_CATALOGS), (Self::List, Span::LISTED_CATALOGS)];
        eras.into_iter().filter(|(_, span)| span.contains_any(releases)).map(|(era, _)| era).collect()
    }
}

/// The releases that read the catalogs annotation alike, in order and without a gap. Those with a list are the
/// last two.
pub(super) const CATALOG_READERS: [(CatalogEra, EmptySides, Span); 3] = [
    (CatalogEra::Replace, EmptySides::Kept, Span::REPLACED_CATALOGS),
    (CatalogEra::List, EmptySides::Kept, Span::only(SECOND_ERA)),
    (CatalogEra::List, EmptySides::Dropped, Span::starting(WITHOUT_EMPTY_SIDES)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    #[test]
    fn a_span_ends_before_its_end() {
        let only = Span::only(release("4.17"));
        let table = [
            (Span::EXACT_LOOKUP, "up to 4.16", "4.16", "4.17"),
            (Span::PREFIX_LOOKUP, "from 4.17 on", "4.17", "4.16"),
            (only, "4.17", "4.17", "4.18"),
            (Span::SORTS_MIRRORS, "from 5.1 on", "5.1", "5.0"),
            (Span::before(SECOND_ERA).joined(only).unwrap(), "up to 4.17", "4.17", "4.18"),
            (Span::MAY_NEED_FOUR_IMAGES, "up to 4.22", "4.22", "5.0"),
        ];
        for (span, text, inside, outside) in table {
            assert_eq!(span.to_string(), text);
            assert!(span.contains(release(inside)), "{text} contains {inside}");
            assert!(!span.contains(release(outside)), "{text} does not contain {outside}");
        }
    }

    #[test]
    fn spans_with_releases_between_them_are_not_joined() {
        let later = Span::starting(WITHOUT_EMPTY_SIDES);
        assert_eq!(Span::REPLACED_CATALOGS.joined(later), None, "4.17 is between them");
        assert_eq!(later.joined(Span::REPLACED_CATALOGS), None, "in the wrong order");
        let all = Span::REPLACED_CATALOGS.joined(Span::LISTED_CATALOGS);
        assert_eq!(all.map(|all| all.to_string()).as_deref(), Some("every release"));
    }

    #[test]
    fn no_named_release_means_every_release() {
        let every = Releases::default();
        let both = Releases::from_iter([release("4.16"), release("4.18")]);
        assert!(Span::EXACT_LOOKUP.contains_any(&every) && !Span::EXACT_LOOKUP.contains_all(&every));
        assert!(Span::EXACT_LOOKUP.contains_any(&both) && !Span::EXACT_LOOKUP.contains_all(&both));
        assert!(Span::EXACT_LOOKUP.contains_all(&release("4.14").into()));
        assert_eq!(Era::of(&both), [Era::Exact, Era::Prefix]);
        assert_eq!(Era::of(&release("4.18").into()), [Era::Prefix]);
    }

    #[test]
    fn each_release_reads_the_annotation_in_one_way() {
        for text in ["4.14", "4.16", "4.17", "4.18", "4.22", "4.23", "5.0", "5.1"] {
            let readers = CATALOG_READERS.iter().filter(|(.., span)| span.contains(release(text)));
            assert_eq!(readers.count(), 1, "{text}");
        }
    }

    #[test]
    fn a_z_stream_of_4_17_fixed_the_release_lookup() {
        use ReleaseLookupEra::{Chained, Separate};
        let table = [("4.16", &[Chained][..]), ("4.17", &[Chained, Separate]), ("4.18", &[Separate])];
        for (text, expected) in table {
            assert_eq!(ReleaseLookupEra::of(&release(text).into()), expected, "{text}");
        }
        assert_eq!(Chained.to_string(), "up to 4.16 and in early z-streams of 4.17");
        assert_eq!(Separate.to_string(), "from 4.17 on");
    }
}
