//! The printing options, and the named profiles they can be reset to.

/// What `set_printoptions` governs. `Default` is the `default` profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Digits after the point, for values that are not all integers.
    pub precision: usize,
    /// The most elements written in full; larger tensors are summarised.
    /// `usize::MAX` stands for Python's `inf`.
    pub threshold: usize,
    /// Items kept at each end of a summarised dimension.
    pub edgeitems: usize,
    /// Column at which rows and suffixes wrap.
    pub linewidth: usize,
    /// Forces scientific notation on or off; `None` lets the values decide.
    pub sci_mode: Option<bool>,
}

/// A named set of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Default,
    Short,
    Full,
}

impl Profile {
    /// The profile called `name`. PyTorch matches case, and ignores other names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::Default),
            "short" => Some(Self::Short),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

impl Options {
    /// The options `profile` stands for.
    pub const fn profile(profile: Profile) -> Self {
        let (precision, threshold, edgeitems) = match profile {
            Profile::Default => (4, 1000, 3),
            Profile::Short => (2, 1000, 2),
            Profile::Full => (4, usize::MAX, 3),
        };
        Self { precision, threshold, edgeitems, linewidth: 80, sci_mode: None }
    }

    /// Changes the options as `set_printoptions` does: the profile first, then
    /// each option given. `sci_mode` alone does not persist: leaving it out
    /// hands the choice back to the values.
    pub fn set(
        &mut self,
        profile: Option<Profile>,
        precision: Option<usize>,
        threshold: Option<usize>,
        edgeitems: Option<usize>,
        linewidth: Option<usize>,
        sci_mode: Option<bool>,
    ) {
        let base = profile.map_or(*self, Self::profile);
        *self = Self {
            precision: precision.unwrap_or(base.precision),
            threshold: threshold.unwrap_or(base.threshold),
            edgeitems: edgeitems.unwrap_or(base.edgeitems),
            linewidth: linewidth.unwrap_or(base.linewidth),
            sci_mode,
        };
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::profile(Profile::Default)
    }
}
