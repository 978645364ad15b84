//! Counted values that are made where they stay.

use std::mem::MaybeUninit;
use std::rc::Rc;

/// What `make` gives, counted. `Rc::new` gets its value made, and then copies it: of a tensor or a node that is a few
/// hundred bytes, for each small operation. (`Rc::new_uninit` computes a layout each time, which costs as much.)
#[inline(always)]
pub(crate) fn filled<T>(make: impl FnOnce() -> T) -> Rc<T> {
    let mut place = Rc::new(MaybeUninit::uninit());
    match Rc::get_mut(&mut place) {
        Some(room) => _ = room.write(make()),
        None => unreachable!("nobody else has a place that was just made"),
    }
    // SAFETY: written above.
    unsafe { place.assume_init() }
}
