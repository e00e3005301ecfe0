//! Fields whose type may change with a release.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A value of the expected type; the default for a value of any other type.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    input: D,
) -> Result<T, D::Error> {
    Ok(T::deserialize(Value::deserialize(input)?).unwrap_or_default())
}
