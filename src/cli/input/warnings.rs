//! Warnings about what was read.

use std::path::PathBuf;

use super::{
    Input, ReadOptions,
    places::{describe_misnamed, describe_unknown_fields, find_earlier, place_of_name},
};
use crate::cli::output::Output;

/// How many of the ignored fields are named at most.
const UNKNOWN_FIELDS: usize = 10;

/// Prints the warnings about files at these paths that are asked for.
pub(super) fn warn(input: &Input, paths: &[PathBuf], options: ReadOptions<'_>, output: &Output) {
    if options.warn_of_duplicates {
        let earlier = find_earlier(&input.located).into_iter().zip(&input.located);
        for (first, second) in earlier.filter_map(|(first, second)| Some((first?, second))) {
            let text = format!(
                "warning: {} is defined twice, at {} and at {}; the second definition is used\n",
                first.object.id(),
                place_of_name(first),
                place_of_name(second)
            );
            output.message(&text);
        }
    }
    for located in input.misnamed.iter().filter(|_| options.warn_of_misnamed) {
        output.message(&describe_misnamed(located));
    }
    if options.warn_of_unknown_fields {
        let fields = input.located.iter().flat_map(describe_unknown_fields);
        fields.take(UNKNOWN_FIELDS).for_each(|text| output.message(&text));
        let count: usize = input.located.iter().map(|located| located.written.unknown_fields.len()).sum();
        let more = count.saturating_sub(UNKNOWN_FIELDS);
        if more > 0 {
            output.message(&format!(
                "ignored fields that are not named here: {more}; mirrorguard lint names all\n"
            ));
        }
    }
    if options.warn_if_empty && input.is_empty() {
        let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        output.message(&format!("warning: no mirror set or HostedCluster found in {}\n", paths.join(", ")));
    }
}
