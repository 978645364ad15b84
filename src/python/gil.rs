//! Counted handles in Python objects, with the GIL as their lock.
//!
//! # Note: The GIL is the lock
//! Tensors and nodes are `Rc`s: not safe to touch from two threads at once. Python objects may be touched from any
//! thread, but, while there is a GIL, from one at a time. So a handle in a Python object is sound as long as it is
//! used, cloned and dropped by a thread that holds the GIL, and nothing of it leaves that thread while the GIL is
//! released. [`Gil`] says so to the compiler; the obligations are these:
//!
//! - A handle is only reached through a `Python<'_>` token ([`Gil::get`]), or while Python itself holds the GIL for
//!   us: in `tp_dealloc`, which drops it, and in `tp_traverse`, which only reads counts.
//! - `Tensor` is not `Send`, so a closure that runs without the GIL (`Python::detach`) cannot capture one.
//! - No thread-local or static holds an `Rc` that others hold too, or one through which a Python object is reached:
//!   they are destroyed when nobody holds the GIL. (Kept storage is neither.)
//! - The module declares that it needs the GIL, and a build for an interpreter without one does not compile. Sub-
//!   interpreters, which have a GIL each, are refused by PyO3.

use pyo3::Python;

#[cfg(Py_GIL_DISABLED)]
compile_error!("rgrad relies on the GIL to guard its reference counts and cannot be built for a free-threaded Python");

/// A value that is only touched by the thread that holds the GIL.
pub struct Gil<T>(T);

// SAFETY: see Note: The GIL is the lock.
unsafe impl<T> Send for Gil<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Gil<T> {}

impl<T> Gil<T> {
    pub fn new(_: Python<'_>, value: T) -> Self {
        Gil(value)
    }

    #[inline(always)]
    pub fn get<'a>(&'a self, _: Python<'a>) -> &'a T {
        &self.0
    }

    /// Whether a value was put here. Python may run its collector between the moment in which it allocates (and
    /// clears) an object and that in which the value is written into it. `T` must not be all zeros.
    pub fn is_filled(&self) -> bool {
        let start: *const u8 = std::ptr::from_ref(self).cast();
        // SAFETY: the bytes belong to this value, and an allocated object is written or zero.
        (0..size_of::<T>()).any(|i| unsafe { start.add(i).read_volatile() } != 0)
    }

    /// Without a token, for the slots that Python calls with the GIL held but in which PyO3 gives none.
    ///
    /// # Safety
    /// The caller holds the GIL, and changes no reference count.
    pub unsafe fn get_unattached(&self) -> &T {
        &self.0
    }
}
