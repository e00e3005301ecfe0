//! Forms of whole clusters.
