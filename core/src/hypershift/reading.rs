//! How each release reads a value of the catalog overrides annotation.

use std::fmt;

use super::{
    CatalogEra, Release, Releases, Span,
    catalogs::{self, CATALOGS, Catalog, CatalogOverrides},
    eras::CATALOG_READERS,
};

/// Where the catalogs of a hosted cluster run: `spec.olmCatalogPlacement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the management cluster, from an ImageStream.
    Management,
    /// In the hosted cluster itself: only releases with [`CatalogEra::List`] read the annotation, and nothing checks
    /// whether a place has the image, so that the first one is used.
    Guest,
}

/// The releases that read a value alike, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Readers {
    /// How they use it.
    pub era: CatalogEra,
    /// Which they are.
    pub span: Span,
}

impl Readers {
    /// A name that stays the same when the texts change: `replace`, `list`, or either with the release if others of the
    /// same era read the value differently.
    pub fn key(self) -> String {
        match (self.era, self.span) {
            (CatalogEra::Replace, Span::REPLACED_CATALOGS) => "replace".to_owned(),
            (CatalogEra::List, Span::LISTED_CATALOGS) => "list".to_owned(),
            (CatalogEra::Replace, span) => format!("replace {}", span.first()),
            (CatalogEra::List, span) => format!("list {}", span.first()),
        }
    }
}

impl fmt::Display for Readers {
    /// What follows "releases": `up to 4.16`, `from 4.17 on`, or `of 4.17` for the z-streams of one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.span.last() == Some(self.span.first()) {
            f.write_str("of ")?;
        }
        self.span.fmt(f)
    }
}

/// How some releases read a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Which releases.
    pub readers: Readers,
    /// What they take the value apart into.
    pub overrides: CatalogOverrides<'a>,
    /// The parts of the value that they drop.
    pub dropped: Vec<&'a str>,
    placement: Placement,
    /// The tag of the images, with its colon, where it is part of the text that is replaced; otherwise empty.
    tag: String,
}

impl Reading<'_> {
    /// Every list of images, each in order, that these releases may try for a catalog, without tags. Where there are
    /// several, a random one is used; where there is none, one of too many to follow.
    pub fn places(&self, catalog: &Catalog) -> Vec<Vec<String>> {
        let results = self.results(catalog).into_iter();
        results.map(|images| images.iter().map(|image| self.untagged(image).to_owned()).collect()).collect()
    }

    /// The same as [`Reading::places`], but with the tag where it is part of the text that is replaced, to compare with
    /// other [`Reading::tagged`] images.
    pub(super) fn results(&self, catalog: &Catalog) -> Vec<Vec<String>> {
        let mut results: Vec<Vec<String>> = match self.readers.era {
            CatalogEra::Replace => {
                let images = catalogs::replace_era(&self.overrides, &self.tagged(&catalog.image()));
                images.into_iter().map(|image| vec![image]).collect()
            }
            CatalogEra::List => catalogs::list_era(&self.overrides, catalog),
        };
        if self.placement == Placement::Guest {
            for images in &mut results {
                images.truncate(1);
            }
            // With both sources, either list begins with the same image.
            results.dedup();
        }
        results
    }

    /// An image with the tag, where it matters.
    pub(super) fn tagged(&self, image: &str) -> String {
        format!("{image}{}", self.tag)
    }

    /// An image without that tag; as it is if an override has replaced the tag.
    pub(super) fn untagged<'i>(&self, image: &'i str) -> &'i str {
        image.strip_suffix(&*self.tag).unwrap_or(image)
    }

    /// The places that these releases can use, of those that are meant: only the first, or all in order.
    pub(super) fn usable<'p>(&self, places: &'p [String]) -> &'p [String] {
        match (self.readers.era, self.placement) {
            (CatalogEra::List, Placement::Management) => places,
            (CatalogEra::Replace, _) | (_, Placement::Guest) => &places[..places.len().min(1)],
        }
    }

    /// As a release whose images have this tag reads it.
    fn of_release(&self, release: Release) -> Self {
        let readers = Readers { span: Span::only(release), ..self.readers };
        Self { readers, tag: tag_of(release), ..self.clone() }
    }
}

fn tag_of(release: Release) -> String {
    format!(":v{release}")
}

/// How the releases read a value, oldest first: one reading for those that read it alike. Empty for a value that
/// has no effect on any release, and with [`Placement::Guest`] also if none of the releases reads the annotation.
pub fn readings<'a>(value: &'a str, releases: &Releases, placement: Placement) -> Vec<Reading<'a>> {
    if catalogs::sets_nothing(value) {
        return Vec::new();
    }
    let mut found: Vec<Reading<'_>> = Vec::new();
    for (era, empty_sides, span) in CATALOG_READERS {
        // These releases do not read the annotation for guest placement.
        if placement == Placement::Guest && era == CatalogEra::Replace {
            continue;
        }
        let overrides = catalogs::parse(value, empty_sides).unwrap_or_default();
        let dropped = catalogs::dropped_parts(value, empty_sides).collect();
        let readers = Readers { era, span };
        let reading = Reading { readers, overrides, dropped, placement, tag: String::new() };
        match era {
            CatalogEra::Replace => found.extend(split_by_tag(&reading, releases)),
            CatalogEra::List => found.push(reading),
        }
    }
    // Merged before readings are left out: the span of a reading has all releases that read the value so, not only
    // those that are asked for.
    merge_lists(&mut found);
    found.retain(|reading| reading.readers.span.contains_any(releases));
    found
}

/// How one release reads a value, with [`Placement::Management`]: the newest of `releases` that is in the era, or,
/// where none of them is, the newest of the era. A value that counts as absent has no overrides.
pub fn newest_reading<'a>(value: &'a str, era: CatalogEra, releases: &Releases) -> Reading<'a> {
    let (_, empty_sides, span) = newest_reader(era, releases);
    let overrides = catalogs::parse(value, empty_sides).unwrap_or_default();
    let dropped = catalogs::dropped_parts(value, empty_sides).collect();
    let (placement, readers) = (Placement::Management, Readers { era, span });
    let reading = Reading { readers, overrides, dropped, placement, tag: String::new() };
    match era {
        CatalogEra::Replace => split_by_tag(&reading, releases).pop().unwrap_or(reading),
        CatalogEra::List => reading,
    }
}

/// The newest row of [`CATALOG_READERS`] of an era and any of the releases, or else the newest of the era. Each
/// era has a row, so that the last fallback is never taken.
fn newest_reader(era: CatalogEra, releases: &Releases) -> (CatalogEra, catalogs::EmptySides, Span) {
    let of_era = CATALOG_READERS.iter().rev().filter(|reader| reader.0 == era);
    let mut concerned = of_era.clone().filter(|(.., span)| span.contains_any(releases));
    concerned.next().or(of_era.clone().next()).copied().unwrap_or(CATALOG_READERS[0])
}

/// One reading for each release if they differ, or else one for all of them, with the tag of the newest; oldest first,
/// and never none. Text is replaced in the whole image, so that a source may contain the tag of one release.
fn split_by_tag<'a>(reading: &Reading<'a>, releases: &Releases) -> Vec<Reading<'a>> {
    let span = reading.readers.span;
    let mut concerned: Vec<_> = releases.iter().filter(|release| span.contains(*release)).collect();
    // Every release is meant, or none of this span: the caller leaves out the latter.
    if concerned.is_empty() {
        concerned = span.releases();
    }
    let single: Vec<_> = concerned.iter().map(|release| reading.of_release(*release)).collect();
    let Some((newest, others)) = single.split_last() else { return Vec::new() };
    let differs = may_contain_a_tag(&newest.overrides)
        && others.iter().any(|other| CATALOGS.iter().any(|c| other.places(c) != newest.places(c)));
    if differs { single } else { vec![Reading { readers: reading.readers, ..newest.clone() }] }
}

/// Whether a source could tell the tags apart. They differ in their last digit.
fn may_contain_a_tag(overrides: &CatalogOverrides<'_>) -> bool {
    overrides.0.iter().any(|(source, _)| source.contains(|letter: char| letter.is_ascii_digit()))
}

/// One reading for all releases with a list, if they take the value apart alike. They are the last two, of 4.17
/// and of those after it; see [`CATALOG_READERS`].
fn merge_lists(found: &mut Vec<Reading<'_>>) {
    if let [.., early, late] = found.as_mut_slice()
        && early.readers.era == CatalogEra::List
        && early.overrides == late.overrides
    {
        late.readers.span = Span::LISTED_CATALOGS;
        let early = found.len() - 2;
        found.remove(early);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Releases {
        text.split(' ').filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect()
    }

    /// Each of the readers of a value, and the namespaces where they look for redhat-operators.
    fn read(value: &str, releases: &str, placement: Placement) -> Vec<String> {
        let mut found = Vec::new();
        for reading in readings(value, &release(releases), placement) {
            let lists: Vec<_> =
                reading.places(&CATALOGS[3]).iter().map(|places| places.join(" then ")).collect();
            let places = lists.join(" or ").replace("/redhat-operator-index", "");
            found.push(format!("{}: {places}", reading.readers.key()));
        }
        found
    }

    type Row<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);

    fn assert_rows(placement: Placement, rows: &[Row<'_>]) {
        for (value, releases, expected, reason) in rows {
            assert_eq!(&read(value, releases, placement), expected, "{value}: {reason}");
        }
    }

    const USUAL: &str = "registry.redhat.io/redhat=m.lab/r";
    const BEFORE_ALL: &str = "registry.redhat.io/redhat=m.lab/r,=x";
    const WITHOUT_PLACE: &str = "registry.redhat.io/redhat=m.lab/r,registry.redhat.io=";
    const TAGGED: &str =
        "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x/redhat-operator-index:v4.16";

    #[test]
    fn releases_that_read_a_value_alike_have_one_reading() {
        let both_lists = &["list 4.17: m.lab/r", "list 4.18: m.lab/r"];
        let both_tags = &["replace 4.15: registry.redhat.io/redhat", "replace 4.16: m.lab/x"];
        assert_rows(
            Placement::Management,
            &[
                ("", "", &[], "no overrides"),
                ("=", "", &[], "the same"),
                ("=,=", "", &[], "nothing is replaced by nothing"),
                ("==", "4.16", &["replace: =registry.redhat.io/redhat"], "but here by ="),
                (USUAL, "", &["replace: m.lab/r", "list: m.lab/r"], "the usual value"),
                (BEFORE_ALL, "4.16", &["replace: xm.lab/r"], "the empty text occurs before every image"),
                (BEFORE_ALL, "4.17 4.18", both_lists, "but it is no source of a list"),
                (WITHOUT_PLACE, "4.17", &["list 4.17: m.lab/r or m.lab/r then /redhat"], "random up to 4.17"),
                (WITHOUT_PLACE, "4.18", &["list 4.18: m.lab/r"], "dropped from 4.18 on"),
                (TAGGED, "4.16", &["replace: m.lab/x"], "its own tag"),
                (TAGGED, "4.15 4.16", both_tags, "the tag of one release"),
            ],
        );
    }

    #[test]
    fn catalogs_of_the_hosted_cluster_have_one_place() {
        let two = "registry.redhat.io/redhat=a/r,registry.redhat.io/redhat=b/r";
        let random = "registry.redhat.io/redhat=a/r,registry.redhat.io=b/r";
        assert_rows(
            Placement::Guest,
            &[
                (two, "", &["list: a/r"], "the first place is used unchecked, from 4.17 on"),
                (random, "4.20", &["list: a/r"], "so that its order is not random"),
                (two, "4.16", &[], "the annotation is not read"),
            ],
        );
    }

    #[test]
    fn the_newest_release_of_an_era_stands_for_it() {
        // The era, the releases, and what reads the value for them, with how many sources: the second pair of the value
        // has an empty side, and is dropped from 4.18 on.
        let table = [
            (CatalogEra::Replace, "", "replace", 2),
            (CatalogEra::Replace, "4.14 4.18", "replace", 2),
            (CatalogEra::List, "4.17", "list 4.17", 2),
            (CatalogEra::List, "4.16", "list 4.18", 1),
        ];
        for (era, releases, key, sources) in table {
            let value = "registry.redhat.io/redhat=m,registry.redhat.io=";
            let reading = newest_reading(value, era, &release(releases));
            assert_eq!(reading.readers.key(), key, "{releases}");
            assert_eq!(reading.overrides.0.len(), sources, "{releases}");
        }
    }
}
