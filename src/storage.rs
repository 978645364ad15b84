//! The memory behind tensors: one flat `ndarray` buffer, shared by a tensor and its views.
//!
//! # Note: Why the buffer is typed as lines of bytes
//! A view may read the same memory as another element type, and vector loads want 64-byte alignment, so the
//! `ndarray` buffer holds [`Line`]s: 64 aligned bytes that may be uninitialised. Kernels see typed pointers.
//!
//! # Note: Kept storage
//! Storage that nobody holds any more goes whole, counts and buffer, to a list of its size class in the same thread
//! and serves the next request of that class: a small operation then makes no storage, and a large temporary costs
//! no page faults.

use std::any::Any;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::rc::Rc;

use ndarray::Array1;

use crate::error;
use crate::error::Result;
use crate::trace::Trace;

/// 64 aligned bytes: a cache line, and the widest vector register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line([MaybeUninit<u8>; 64]);

/// Who owns the memory.
#[expect(dead_code, reason = "held for its drop")]
enum Buffer {
    Owned(Array1<Line>),
    /// Memory of somebody else (numpy), kept alive by holding its owner.
    Foreign(Box<dyn Any>),
}

/// A counted handle on a piece of memory. Views and detached tensors share it.
#[derive(Clone)]
pub struct Storage(Rc<StorageCell>);

struct StorageCell {
    pointer: Cell<NonNull<u8>>,
    bytes: Cell<usize>,
    version: Version,
    buffer: Cell<Buffer>,
}

/// Counts in-place changes, so that a saved tensor can tell whether its values are still the saved ones.
#[derive(Default)]
pub struct Version {
    count: Cell<u32>,
    /// Where the last in-place change was made.
    writer: Cell<Option<Trace>>,
}

impl Version {
    pub fn get(&self) -> u32 {
        self.count.get()
    }

    pub fn set(&self, count: u32) {
        self.count.set(count);
    }

    /// Notes one in-place change, made here.
    pub fn bump(&self) {
        self.count.set(self.count.get().wrapping_add(1));
        self.writer.set(Trace::here());
    }

    /// ` (changed at file.py:12)`, or nothing where that is not known.
    pub fn describe_writer(&self) -> String {
        let writer = self.writer.take();
        let description = Trace::describe(writer.as_ref(), "changed");
        self.writer.set(writer);
        description
    }

    fn reset(&self) {
        self.count.set(0);
        self.writer.set(None);
    }
}

impl Storage {
    /// Uninitialised memory of at least `bytes` bytes.
    #[inline]
    pub fn uninitialized(bytes: usize) -> Result<Storage> {
        let lines = bytes.div_ceil(size_of::<Line>());
        let cell = match kept::take(lines) {
            Some(cell) => cell,
            None => StorageCell::owned(kept::rounded(lines)).ok_or_else(|| {
                error!(Memory, "not enough memory: {bytes} bytes for a tensor could not be allocated")
            })?,
        };
        cell.bytes.set(bytes);
        Ok(Storage(cell))
    }

    /// Memory that `owner` keeps alive.
    ///
    /// # Safety
    /// `pointer` is valid for reads and writes of `bytes` bytes as long as `owner` lives.
    pub unsafe fn foreign(pointer: NonNull<u8>, bytes: usize, owner: Box<dyn Any>) -> Storage {
        Storage(StorageCell::new(Buffer::Foreign(owner), pointer, bytes))
    }

    #[inline]
    pub fn pointer(&self) -> *mut u8 {
        self.0.pointer.get().as_ptr()
    }

    pub fn bytes(&self) -> usize {
        self.0.bytes.get()
    }

    pub fn version(&self) -> &Version {
        &self.0.version
    }

    /// Whether two handles are on the same memory.
    pub fn is_same(&self, other: &Storage) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// How many tensors (and other holders) share this memory.
    pub fn handles(&self) -> usize {
        Rc::strong_count(&self.0)
    }

    /// Whether the memory belongs to this crate rather than to numpy or another library.
    pub fn is_owned(&self) -> bool {
        // SAFETY: a look at which variant it is; nothing replaces the buffer meanwhile.
        matches!(unsafe { &*self.0.buffer.as_ptr() }, Buffer::Owned(_))
    }

    /// Makes room for `bytes` bytes, keeping what is there. All views see the new memory.
    pub fn grow(&self, bytes: usize) -> Result<()> {
        if bytes <= self.bytes() {
            return Ok(());
        }
        if !self.is_owned() {
            return Err(error!(Runtime, "memory that another library owns cannot be resized"));
        }
        let larger = Storage::uninitialized(bytes)?;
        // SAFETY: both are valid for the old number of bytes and are different allocations.
        unsafe { std::ptr::copy_nonoverlapping(self.pointer(), larger.pointer(), self.bytes()) };
        self.0.buffer.swap(&larger.0.buffer);
        self.0.pointer.swap(&larger.0.pointer);
        self.0.bytes.swap(&larger.0.bytes);
        Ok(())
    }
}

impl StorageCell {
    /// A cell with a buffer of its own; `None` if the memory cannot be had.
    fn owned(lines: usize) -> Option<Rc<StorageCell>> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(lines).ok()?;
        // SAFETY: a line may be uninitialised, and the capacity was just reserved.
        unsafe { buffer.set_len(lines) };
        let mut array = Array1::from_vec(buffer);
        let pointer = NonNull::from(array.as_slice_mut().unwrap_or_default()).cast();
        Some(StorageCell::new(Buffer::Owned(array), pointer, lines * size_of::<Line>()))
    }

    fn new(buffer: Buffer, pointer: NonNull<u8>, bytes: usize) -> Rc<StorageCell> {
        Rc::new(StorageCell {
            pointer: Cell::new(pointer),
            bytes: Cell::new(bytes),
            version: Version::default(),
            buffer: Cell::new(buffer),
        })
    }
}

impl Drop for Storage {
    #[inline]
    fn drop(&mut self) {
        if Rc::strong_count(&self.0) == 1 && self.is_owned() {
            // What the cell knows of the program goes now, while its thread may run the program's language.
            self.0.version.reset();
            kept::give(self.0.bytes.get().div_ceil(size_of::<Line>()), &self.0);
        }
    }
}

/// The lists of kept storage.
mod kept {
    use super::{Line, StorageCell};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Buffers up to this many lines have a class for each length; above, four classes for each doubling.
    const EXACT: usize = 16;
    const CLASSES: usize = EXACT + 4 * 20;
    /// A larger buffer goes back to the system.
    const LARGEST: usize = (64 << 20) / size_of::<Line>();
    /// A thread keeps at most this many lines in all, and this many cells of a class.
    const TOTAL: usize = (256 << 20) / size_of::<Line>();
    const PER_CLASS: usize = 64;

    struct Kept {
        /// Cells that nothing else holds; their change counters are 0 and know no place in the program.
        classes: [Vec<Rc<StorageCell>>; CLASSES],
        lines: usize,
    }

    thread_local! {
        static KEPT: RefCell<Kept> = const { RefCell::new(Kept { classes: [const { Vec::new() }; CLASSES], lines: 0 }) };
    }

    /// The class that a request belongs to and the lines that a buffer of the class has.
    #[inline]
    fn class(lines: usize) -> (usize, usize) {
        if lines <= EXACT {
            return (lines.saturating_sub(1), lines);
        }
        let octave = (lines - 1).ilog2() as usize; // 2^octave < lines <= 2^(octave + 1)
        let quarter = (1usize << octave) / 4;
        let step = (lines - (1 << octave)).div_ceil(quarter); // 1 to 4
        (EXACT + 4 * (octave - 4) + step - 1, (1 << octave) + step * quarter)
    }

    /// How many lines a new buffer for a request is given, so that it serves others of its class later.
    pub fn rounded(lines: usize) -> usize {
        if lines <= LARGEST { class(lines).1 } else { lines }
    }

    /// A kept cell with a buffer of at least `lines` lines.
    #[inline]
    pub fn take(lines: usize) -> Option<Rc<StorageCell>> {
        if lines == 0 || lines > LARGEST {
            return None;
        }
        let (class, rounded) = class(lines);
        let found = KEPT.try_with(|kept| {
            let kept = &mut *kept.borrow_mut();
            let cell = kept.classes[class].pop()?;
            kept.lines -= rounded;
            Some(cell)
        });
        found.ok().flatten()
    }

    /// Keeps a cell that served a request of `lines` lines, if there is room.
    #[inline]
    pub fn give(lines: usize, cell: &Rc<StorageCell>) {
        if lines == 0 || lines > LARGEST {
            return;
        }
        let (class, rounded) = class(lines);
        // Fails only while the thread ends, and then the cell is freed.
        let _ = KEPT.try_with(|kept| {
            let kept = &mut *kept.borrow_mut();
            let list = &mut kept.classes[class];
            if list.len() < PER_CLASS && kept.lines + rounded <= TOTAL {
                kept.lines += rounded;
                list.push(Rc::clone(cell));
            }
        });
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_class_holds_every_request_that_maps_to_it() {
            for lines in (1..5000).chain([100_000, 1 << 20, LARGEST]) {
                let (index, rounded) = class(lines);
                assert!(rounded >= lines && index < CLASSES, "{lines}");
                assert_eq!(class(rounded), (index, rounded), "{lines}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_serves_the_next_request() {
        let first = Storage::uninitialized(100).unwrap();
        let pointer = first.pointer();
        drop(first);
        assert_eq!(Storage::uninitialized(128).unwrap().pointer(), pointer);
    }

    #[test]
    fn kept_storage_counts_changes_anew() {
        let first = Storage::uninitialized(100).unwrap();
        first.version().bump();
        drop(first);
        assert_eq!(Storage::uninitialized(100).unwrap().version().get(), 0);
    }

    #[test]
    fn storage_that_grew_serves_requests_of_its_new_size() {
        let storage = Storage::uninitialized(64).unwrap();
        storage.grow(640).unwrap();
        let pointer = storage.pointer();
        drop(storage);
        let (small, large) = (Storage::uninitialized(64).unwrap(), Storage::uninitialized(640).unwrap());
        assert_ne!(small.pointer(), pointer);
        assert_eq!(large.pointer(), pointer);
    }

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        let error = Storage::uninitialized(1 << 60).err().unwrap();
        assert!(matches!(error.kind(), crate::error::Kind::Memory));
    }

    #[test]
    fn growing_keeps_the_content() {
        let storage = Storage::uninitialized(4).unwrap();
        unsafe { storage.pointer().cast::<u32>().write(7) };
        storage.grow(4096).unwrap();
        assert_eq!(unsafe { storage.pointer().cast::<u32>().read() }, 7);
    }
}
