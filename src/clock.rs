//! Today's date, which the pure core gets as a value.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Today in UTC.
pub fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}
