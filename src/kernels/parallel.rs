//! Sharing work between threads: only above a grain, and never so that a result depends on their number.
//!
//! The helpers spin for a moment after their work, as a sleeping thread takes longer to wake than many an
//! operation takes to run.

use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::kernels::simd::{self, Vectorized};

/// Elements of light work below which one thread is quicker than two.
pub const GRAIN: usize = 32_768;

/// How long an idle helper watches for work before it sleeps.
const SPIN: Duration = Duration::from_micros(200);

static THREADS: AtomicUsize = AtomicUsize::new(0);
static TEAM: Mutex<Option<Team>> = Mutex::new(None);

thread_local! {
    /// Whether this thread is inside a `for_each_chunk`; what is nested there runs on it alone.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// The number of threads that large operations use.
pub fn threads() -> usize {
    // Asked once, as it takes the system tens of microseconds to answer.
    static AVAILABLE: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));
    match THREADS.load(Ordering::Relaxed) {
        0 => *AVAILABLE,
        n => n,
    }
}

/// Sets the number of threads; 0 means as many as this process may use.
pub fn set_threads(count: usize) {
    THREADS.store(count, Ordering::Relaxed);
}

/// One call's work, on the caller's stack, which outlives every helper's use of it.
struct Job<'a> {
    body: &'a (dyn Fn(Range<usize>) + Sync),
    count: usize,
    length: usize,
    panicked: AtomicBool,
}

impl Job<'_> {
    fn run(&self, part: usize) {
        let range = part * self.length..((part + 1) * self.length).min(self.count);
        if !range.is_empty() {
            (self.body)(range);
        }
    }
}

/// What a helper and its team share.
#[derive(Default)]
struct Slot {
    /// The job to do; null once it is done.
    job: AtomicPtr<Job<'static>>,
    quit: AtomicBool,
}

struct Helper {
    slot: Arc<Slot>,
    thread: Thread,
}

struct Team {
    /// A child made by `fork` has none of its parent's threads.
    process: u32,
    helpers: Vec<Helper>,
}

impl Team {
    /// A team of as many threads as can be made, up to `threads` with the caller.
    fn new(threads: usize) -> Self {
        let helper = |part: usize| {
            let slot = Arc::<Slot>::default();
            let shared = slot.clone();
            let builder = thread::Builder::new().name(format!("rgrad-{part}"));
            let handle = builder.spawn(move || help(&shared, part)).ok()?;
            Some(Helper { slot, thread: handle.thread().clone() })
        };
        Team { process: std::process::id(), helpers: (1..threads).map_while(helper).collect() }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            for helper in &self.helpers {
                helper.slot.quit.store(true, Ordering::Release);
                helper.thread.unpark();
            }
        }
    }
}

/// A helper's life.
fn help(slot: &Slot, part: usize) {
    BUSY.set(true);
    let mut idle = Instant::now();
    loop {
        let job = slot.job.load(Ordering::Acquire);
        if job.is_null() {
            if slot.quit.load(Ordering::Acquire) {
                return;
            }
            if idle.elapsed() < SPIN {
                std::hint::spin_loop()
            } else {
                thread::park()
            }
            continue;
        }
        // SAFETY: the caller waits until the slot is null again before the job goes.
        let job = unsafe { &*job };
        if catch_unwind(AssertUnwindSafe(|| job.run(part))).is_err() {
            job.panicked.store(true, Ordering::Relaxed);
        }
        slot.job.store(null_mut(), Ordering::Release);
        idle = Instant::now();
    }
}

/// Calls `body` on ranges that cover `0..count`, on several threads if there are at least two grains.
///
/// `body` must give the same result whatever the ranges are.
pub fn for_each_chunk(count: usize, grain: usize, body: impl Fn(Range<usize>) + Sync) {
    if count == 0 {
        return;
    }
    let wanted = count / grain.max(1);
    if wanted < 2 || BUSY.get() || threads() < 2 {
        return body(0..count);
    }
    // Another thread's work is on the team: this one does its own.
    let Ok(mut team) = TEAM.try_lock() else {
        return body(0..count);
    };
    let threads = threads();
    if team.as_ref().is_none_or(|team| team.helpers.len() + 1 != threads || team.process != std::process::id()) {
        *team = Some(Team::new(threads));
    }
    let helpers = team.as_ref().map_or(&[][..], |team| &team.helpers);
    let parts = wanted.min(helpers.len() + 1);
    let job = Job { body: &body, count, length: count.div_ceil(parts), panicked: AtomicBool::new(false) };
    for helper in &helpers[..parts - 1] {
        helper.slot.job.store((&raw const job).cast_mut().cast(), Ordering::Release);
        helper.thread.unpark();
    }
    BUSY.set(true);
    let mine = catch_unwind(AssertUnwindSafe(|| job.run(0)));
    BUSY.set(false);
    for helper in &helpers[..parts - 1] {
        let mut spins = 0_u32;
        while !helper.slot.job.load(Ordering::Acquire).is_null() {
            spins += 1;
            // A helper without a processor of its own needs this one's.
            if spins.is_multiple_of(1 << 12) { thread::yield_now() } else { std::hint::spin_loop() }
        }
    }
    drop(team);
    if let Err(panic) = mine {
        resume_unwind(panic);
    }
    assert!(!job.panicked.load(Ordering::Relaxed), "a helper thread panicked");
}

/// Work on numbered parts, which threads share. `run`, and all that it calls in its loops, must be `#[inline(always)]`.
pub trait Parts: Sync {
    fn run(&self, range: Range<usize>);
}

/// [`for_each_chunk`] of work that is compiled once for each instruction set, as a closure cannot be.
pub fn for_each_part(count: usize, grain: usize, parts: &impl Parts) {
    struct Chunk<'a, P>(&'a P, Range<usize>);

    impl<P: Parts> Vectorized for Chunk<'_, P> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            self.0.run(self.1);
        }
    }

    for_each_chunk(count, grain, |range| simd::vectorize(Chunk(parts, range)));
}

/// A pointer that may cross threads, for kernels whose threads write disjoint parts.
#[derive(Clone, Copy)]
pub struct Shared<T>(*mut T);

// SAFETY: the user of a `Shared` promises that no two threads touch the same element while one of them writes.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn new(pointer: *const T) -> Self {
        Shared(pointer.cast_mut())
    }

    pub fn get(self) -> *mut T {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The number of threads is the process's, so one test sets it.
    #[test]
    fn chunks_cover_everything_once_on_any_number_of_threads() {
        let before = threads();
        for count in [1, 2, 3] {
            set_threads(count);
            for (length, grain) in [(0, 1), (1, 1), (7, 1), (1000, 10), (1000, 600), (5, 0)] {
                let seen = Mutex::new(Vec::new());
                for_each_chunk(length, grain, |range| {
                    // What is nested is covered too, by this thread or by the team.
                    for_each_chunk(range.len(), 1, |inner| {
                        seen.lock().unwrap().extend(inner.map(|i| range.start + i));
                    });
                });
                let mut seen = seen.into_inner().unwrap();
                seen.sort_unstable();
                assert_eq!(seen, (0..length).collect::<Vec<_>>(), "{length} by {grain} on {count} threads");
            }
        }
        // A panic of any part arrives at the caller, and the team still works.
        for bad in [0, 99] {
            let call = || for_each_chunk(100, 1, |range| assert!(!range.contains(&bad), "this panic is wanted"));
            assert!(catch_unwind(call).is_err());
        }
        let helped = Mutex::new(HashSet::new());
        for_each_chunk(100, 1, |_| {
            helped.lock().unwrap().insert(thread::current().id());
        });
        assert!((1..=3).contains(&helped.into_inner().unwrap().len()));
        set_threads(before);
    }
}
