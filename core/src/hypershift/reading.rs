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
            // With both the namespace and the registry as sources, either list begins with the namespace's first place.
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

    /// Whether every catalog goes to the same places, by the same sources, as in `other`: a reading of the same value,
    /// for a release with another tag.
    fn is_like(&self, other: &Self) -> bool {
        CATALOGS.iter().all(|catalog| {
            let image = catalog.image();
            let [own, others] = [self, other].map(|reading| reading.tagged(&image));
            self.places(catalog) == other.places(catalog)
                && self.overrides.0.iter().all(|(source, _)| own.contains(source) == others.contains(source))
        })
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

/// One reading for all releases of a span if they read the value alike, with the tag of the newest that is asked for, or
/// else one for each that is asked for; oldest first, and never none. Text is replaced in the whole image, so that a
/// source may contain the tag of one release.
fn split_by_tag<'a>(reading: &Reading<'a>, releases: &Releases) -> Vec<Reading<'a>> {
    let span = reading.readers.span;
    let single: Vec<_> = span.releases().into_iter().map(|release| reading.of_release(release)).collect();
    let mut concerned: Vec<_> =
        single.iter().filter(|one| one.readers.span.contains_any(releases)).cloned().collect();
    // None of this span is asked for: the caller leaves them out, or takes the newest.
    if concerned.is_empty() {
        concerned.clone_from(&single);
    }
    let Some(newest) = concerned.last() else { return Vec::new() };
    // Releases that are not asked for count too: the span is what people are told.
    let differs = may_contain_a_tag(&newest.overrides) && single.iter().any(|one| !one.is_like(newest));
    if differs { concerned } else { vec![Reading { readers: reading.readers, ..newest.clone() }] }
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
mod tests;
