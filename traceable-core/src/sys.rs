//! The one module with `unsafe`: the time-stamp counter, a vector compare, and C functions of process life and disks.
#![allow(unsafe_code)]

/// The processor's time-stamp counter.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn time_stamp() -> u64 {
    // SAFETY: RDTSC is part of every x86-64 processor and reads no memory. An operating system may forbid it
    // (CR4.TSD); the caller asks `clock::tsc_is_trusted` first, which requires that the kernel itself uses it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Stands in on other processors, where it is never called: there `Instant` is the clock.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn time_stamp() -> u64 {
    0
}

/// Has `handler` called when the process ends by `exit` or by returning from `main`. Answers whether that worked.
pub(crate) fn at_exit(handler: extern "C" fn()) -> bool {
    // SAFETY: `atexit` keeps the pointer, which is a static function that takes and returns nothing and never
    // unwinds (its body catches panics).
    unsafe { libc::atexit(handler) == 0 }
}

/// Has `child` called in the child after each `fork`. Answers whether that worked.
#[cfg(unix)]
pub(crate) fn at_fork(child: extern "C" fn()) -> bool {
    unsafe extern "C" fn call_child() {
        forked();
    }
    static CHILD: std::sync::OnceLock<extern "C" fn()> = std::sync::OnceLock::new();
    fn forked() {
        if let Some(child) = CHILD.get() {
            child();
        }
    }
    let _ = CHILD.set(child);
    // SAFETY: `pthread_atfork` keeps the pointer, which is a static function; what it calls only stores to
    // atomics and is thus allowed between `fork` and `exec` in a program with threads.
    unsafe { libc::pthread_atfork(None, None, Some(call_child)) == 0 }
}

/// There is no `fork` here.
#[cfg(not(unix))]
pub(crate) fn at_fork(_child: extern "C" fn()) -> bool {
    true
}

/// Has the child of each `fork` close the file descriptors in the lower halves of these words, and clears the words there.
/// Called once.
#[cfg(all(unix, feature = "spool"))]
pub(crate) fn at_fork_close(places: &'static [std::sync::atomic::AtomicU64]) {
    use std::sync::{OnceLock, atomic::AtomicU64, atomic::Ordering};

    static PLACES: OnceLock<&'static [AtomicU64]> = OnceLock::new();
    unsafe extern "C" fn close_all() {
        for place in PLACES.get().copied().unwrap_or_default() {
            let entry = place.swap(0, Ordering::SeqCst);
            if entry != 0 {
                // SAFETY: the descriptor was open when the parent forked, and whoever owns it asks the word before closing
                // it. `close` is allowed between `fork` and `exec` in a program with threads.
                unsafe { libc::close((entry & 0xffff_ffff) as libc::c_int) };
            }
        }
    }
    let _ = PLACES.set(places);
    // SAFETY: `pthread_atfork` keeps the pointer, which is a static function that touches atomics and closes files.
    unsafe { libc::pthread_atfork(None, None, Some(close_all)) };
}

/// How many bytes this user may still write where `path` lies.
#[cfg(all(unix, feature = "spool"))]
#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ between systems")]
pub(crate) fn free_bytes(path: &std::path::Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt as _;

    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: the path ends with a zero byte, and all-zero bytes are a valid `statvfs`, which the call fills in.
    let stat = unsafe {
        if libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    Some((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
}

/// Not known here.
#[cfg(all(not(unix), feature = "spool"))]
pub(crate) fn free_bytes(_path: &std::path::Path) -> Option<u64> {
    None
}

/// A bit for each byte that JSON wants escaped: control characters, quotes and backslashes.
#[cfg(target_arch = "x86_64")]
#[inline]
#[allow(clippy::cast_ptr_alignment, reason = "the load is the one that takes any alignment")]
pub(crate) fn escape_marks(block: &[u8; 64]) -> u64 {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };

    let mut marks = 0;
    for (at, lane) in block.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: SSE2 is part of every x86-64 processor, and the load is of the 16 bytes of `lane`, at any alignment.
        let bits = unsafe {
            let bytes = _mm_loadu_si128(lane.as_ptr().cast::<__m128i>());
            let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22));
            let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5c));
            _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)))
        };
        marks |= u64::from(bits as u16) << (16 * at);
    }
    marks
}
