//! When each alert fires, and when it does not.

/// Two pods that are ready, in every test without other samples for one of them.
pub(crate) const READY: [(&str, &str); 2] =
    [("mirrorguard_ready", "1x1600"), ("mirrorguard_ready;pod=b", "1x1600")];

/// Series by name and labels, and their samples, one a minute from the start on (`_` is a missed scrape).
pub(crate) type Series = &'static [(&'static str, &'static str)];

/// When an alert fires, and when it does not, and why.
pub(crate) struct Case {
    pub(crate) alert: &'static str,
    /// The minute of the evaluation.
    pub(crate) at: u32,
    pub(crate) firing: Series,
    pub(crate) quiet: &'static [(Series, &'static str)],
}

/// Series of another job are written with their own braces, ours get the labels of a scrape.
pub(crate) const CASES: [Case; 13] = [
    Case {
        alert: "MirrorguardAbsent",
        at: 16,
        firing: &[("mirrorguard_ready", "1x9 stale"), ("mirrorguard_ready;pod=b", "1x9 stale")],
        quiet: &[
            (
                &[("mirrorguard_ready", "1x9 stale 1x20"), ("mirrorguard_ready;pod=b", "1x9 stale 1x20")],
                "one scrape was missed",
            ),
            (
                &[("mirrorguard_ready", "1x9 0x3 1x20"), ("mirrorguard_ready;pod=b", "1x9 stale _x3 1x20")],
                "a restart of both",
            ),
            (&[("mirrorguard_ready", "1x9 stale")], "the other pod is ready"),
        ],
    },
    Case {
        // They answer Prometheus, but the API server has no endpoint to call.
        alert: "MirrorguardAbsent",
        at: 9,
        firing: &[("mirrorguard_ready", "0x30"), ("mirrorguard_ready;pod=b", "0x30")],
        quiet: &[(&[("mirrorguard_ready", "0x30")], "the other pod is ready")],
    },
    Case {
        alert: "MirrorguardNotReady",
        at: 18,
        firing: &[("mirrorguard_ready", "1x5 0x30")],
        quiet: &[
            (&[("mirrorguard_ready", "1x5 0x5 1x30")], "it lasted five minutes"),
            (&[("mirrorguard_ready", "1x5 0 0 _ 1x30")], "and a scrape was missed"),
            (&[("mirrorguard_ready", "1x30")], "it is ready"),
        ],
    },
    Case {
        alert: "MirrorguardCertificateEnds",
        at: 20,
        firing: &[("mirrorguard_certificate_expiry_timestamp_seconds", "604000x30")],
        quiet: &[
            (
                &[("mirrorguard_certificate_expiry_timestamp_seconds", "700000x30")],
                "more than seven days are left",
            ),
            (
                &[("mirrorguard_certificate_expiry_timestamp_seconds", "604000x5 8000000x30")],
                "it was renewed",
            ),
            (
                &[("mirrorguard_certificate_expiry_timestamp_seconds", "0x30")],
                "it is valid as long as the process runs",
            ),
        ],
    },
    Case {
        alert: "MirrorguardCertificateNotLoaded",
        at: 20,
        firing: &[("mirrorguard_certificate_reload_failures_total", "0x10 1x30")],
        quiet: &[
            (&[("mirrorguard_certificate_reload_failures_total", "3x30")], "it was long ago"),
            (&[("mirrorguard_certificate_reload_failures_total", "3x10 _ 3x30")], "a scrape was missed"),
            (&[("mirrorguard_certificate_reload_failures_total", "3x10 0x30")], "the pod has restarted"),
        ],
    },
    Case {
        alert: "MirrorguardDenialsRise",
        at: 1470,
        firing: &[("mirrorguard_admission_requests_total;verdict=denied", "0x1440 0+2x60")],
        quiet: &[
            (&[("mirrorguard_admission_requests_total;verdict=denied", "0+2x1500")], "it has lasted all day"),
            (
                &[("mirrorguard_admission_requests_total;verdict=denied", "0x1460 0+1x5 5x30")],
                "there are few",
            ),
            (
                &[("mirrorguard_admission_requests_total;verdict=allowed", "0x1440 0+2x60")],
                "these are admissions",
            ),
        ],
    },
    Case {
        alert: "MirrorguardWatchStale",
        at: 30,
        firing: &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "1x40")],
        quiet: &[
            (
                &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "0+60x40")],
                "it is received",
            ),
            (
                &[(
                    "mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster",
                    "0x4 300x4 600x4 900x4 1200x4 1500x9",
                )],
                "every five minutes",
            ),
            (
                &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "1x18 1080+60x20")],
                "it is received again",
            ),
            (
                &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "0x40")],
                "it has never been received",
            ),
        ],
    },
    Case {
        alert: "MirrorguardWatchFails",
        at: 30,
        firing: &[("mirrorguard_watch_errors_total;kind=HostedCluster", "0+2x40")],
        quiet: &[
            (
                &[("mirrorguard_watch_errors_total;kind=HostedCluster", "0x10 0+2x4 8x40")],
                "it lasted four minutes",
            ),
            (
                &[("mirrorguard_watch_errors_total;kind=HostedCluster", "0x9 1x9 2x9 3x9")],
                "one fails now and then",
            ),
        ],
    },
    Case {
        // It starts, is scraped and ends; the kubelet waits five minutes in between.
        alert: "MirrorguardReplicaMissing",
        at: 45,
        firing: &[("mirrorguard_ready", LOOPING)],
        quiet: &[
            (&[("mirrorguard_ready", "1x25 stale _x2 1x30")], "it was restarted"),
            (&[("mirrorguard_ready", "1x25 stale 1x30")], "one scrape was missed"),
            (
                &[("mirrorguard_ready", "1x25 stale"), ("mirrorguard_ready;pod=c", "_x26 1x30")],
                "another pod took its place",
            ),
        ],
    },
    Case {
        // Both do that: now and then one is ready.
        alert: "MirrorguardReplicaMissing",
        at: 45,
        firing: &[("mirrorguard_ready", LOOPING), ("mirrorguard_ready;pod=b", LOOPING_LATER)],
        quiet: &[(&[("mirrorguard_ready;pod=b", "1x40 stale")], "it is missing for five minutes")],
    },
    Case {
        alert: "MirrorguardUnverified",
        at: 15,
        firing: &[("mirrorguard_unverified_decisions_total", "0x10 1x30")],
        quiet: &[
            (&[("mirrorguard_unverified_decisions_total", "0x30")], "there was none"),
            (&[("mirrorguard_unverified_decisions_total", "4x5 _ _ 4x30")], "scrapes were missed"),
        ],
    },
    Case {
        alert: "MirrorguardFailedClosed",
        at: 22,
        firing: &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (REJECTED, "_x20 1x20")],
        quiet: &[
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "_x20 1x20"), (REJECTED, "_x20 1x20")],
                "it was before Prometheus started",
            ),
            (&[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (REJECTED, "7x40")], "it was long ago"),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (REJECTED, "7x15 _ 7x20")],
                "a scrape was missed",
            ),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (DENIED, "0+1x40")],
                "mirrorguard itself denied",
            ),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OTHER, "0+1x40")],
                "it is another webhook",
            ),
        ],
    },
    Case {
        alert: "MirrorguardFailedOpen",
        at: 22,
        firing: &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OPEN, "3x15 4x20")],
        quiet: &[
            (&[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OPEN, "4x40")], "it was long ago"),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OPEN, "4x15 0x20")],
                "the API server has restarted",
            ),
        ],
    },
];

const REJECTED: &str = "apiserver_admission_webhook_rejection_count{name=\"mirror-sets.validate.mirrorguard.io\", \
                        error_type=\"calling_webhook_error\", job=\"apiserver\", instance=\"a\"}";
const DENIED: &str = "apiserver_admission_webhook_rejection_count{name=\"mirror-sets.validate.mirrorguard.io\", \
                      error_type=\"no_error\", rejection_code=\"403\", job=\"apiserver\", instance=\"a\"}";
const OTHER: &str = "apiserver_admission_webhook_rejection_count{name=\"validate.other.example\", \
                     error_type=\"calling_webhook_error\", job=\"apiserver\", instance=\"a\"}";
const OPEN: &str = "apiserver_admission_webhook_fail_open_count{name=\"hosted-clusters.mutate.mirrorguard.io\", \
                    job=\"apiserver\", instance=\"a\"}";

/// A pod that is ready at one scrape of six.
const LOOPING: &str = "1x9 1 stale _x4 1 stale _x4 1 stale _x4 1 stale _x4 1 stale _x4 1 stale _x4";
const LOOPING_LATER: &str = "1x12 1 stale _x4 1 stale _x4 1 stale _x4 1 stale _x4 1 stale _x4 1 stale _x4";
