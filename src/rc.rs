//! Counted values that are made where they stay.

use std::rc::Rc;

/// What `make` gives, counted. `Rc::new` gets its value made, and then copies it: of a tensor or a node that is a few
/// hundred bytes, for each small operation.
#[inline(always)]
pub(crate) fn filled<T>(make: impl FnOnce() -> T) -> Rc<T> {
    let mut place = Rc::new_uninit();
    match Rc::get_mut(&mut place) {
        Some(room) => _ = room.write(make()),
        None => unreachable!("nobody else has a place that was just made"),
    }
    // SAFETY: written above.
    unsafe { place.assume_init() }
}
