use super::*;

#[test]
fn many_sources_that_do_not_occur_change_nothing() {
    let pairs: Vec<_> = (0..40).map(|at| format!("registry-{at}.example.com=m/{at}")).collect();
    let value = format!("{},{DEFAULT_NAMESPACE}=m/redhat", pairs.join(","));
    let results = replace_era(&parse(&value, EmptySides::Kept).unwrap(), "registry.redhat.io/redhat/x-index");
    assert_eq!(results, BTreeSet::from(["m/redhat/x-index".to_owned()]));
}

/// The results for a value, and the work that they took.
fn counted(value: &str) -> (BTreeSet<String>, usize) {
    let mut work = Work::of(MAX_WORK);
    let overrides = parse(value, EmptySides::Kept).unwrap();
    let results = replace_within(&mut work, &overrides, "registry.redhat.io/redhat/x-index");
    (results, work.spent())
}

#[test]
fn a_usual_value_takes_little_work() {
    let usual = format!("{DEFAULT_NAMESPACE}=m/redhat,{DEFAULT_NAMESPACE}=n/redhat,quay.io=m");
    let (results, spent) = counted(&usual);
    assert_eq!(results, BTreeSet::from(["m/redhat/x-index".to_owned()]));
    assert!(spent < 1000, "{spent}");
}

#[test]
fn sources_in_each_others_places_are_followed_for_a_while() {
    let letters = ["r", "e", "g", "i", "s", "t", "y", "d", "h", "a", "n", "x"];
    let of = |pair: fn(&str) -> String| letters.map(pair).join(",");
    let long = |letter: &str| format!("{letter}={letter}{}", "registydhanx".repeat(40));
    let table = [
        (of(|letter| format!("{letter}={letter}r")), "short places"),
        (of(long), "places that make long texts"),
        (vec!["r=rr,e=re"; 700].join(","), "few sources with many places"),
        (
            (0..2000).map(|at| format!("{at}=r{at}")).chain(["r=1".to_owned()]).collect::<Vec<_>>().join(","),
            "many sources",
        ),
    ];
    for (value, reason) in table {
        let (results, spent) = counted(&value);
        assert_ne!(results.len(), 1, "{reason}: the order decides");
        // The last step is counted, and not made.
        assert!(spent < MAX_WORK + 64 * value.len(), "{reason}: {spent}");
    }
}

#[test]
fn several_results_are_found_before_all_work_is_done() {
    let value = "r=er,e=ge,g=ig,i=si,s=ts,t=yt,y=dy,d=hd,h=ah,a=na,n=rn";
    let (results, spent) = counted(value);
    assert!(spent > MAX_WORK && results.len() == SOME_RESULTS, "{spent}: {results:?}");
}
