//! What the distributions ask of their parameters.

use crate::bail;
use crate::error::Result;

/// Fails unless the rule holds; `rule` completes "`name` must be ...". A comparison with a NaN does not hold.
pub(super) fn require(holds: bool, name: &str, rule: &str, got: f64) -> Result<()> {
    if !holds {
        bail!(Runtime, "{name} must be {rule}, but is {got}");
    }
    Ok(())
}

/// Fails unless a slice of parameters has one for each element of the output.
pub(super) fn require_length(name: &str, expected: usize, got: usize) -> Result<()> {
    if expected != got {
        bail!(Runtime, "{name} must have one element for each of the {expected} of the output, but has {got}");
    }
    Ok(())
}

/// Fails unless `p` is a probability.
pub(super) fn require_probability(p: f64) -> Result<()> {
    require((0.0..=1.0).contains(&p), "p", "between 0 and 1", p)
}
