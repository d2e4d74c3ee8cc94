//! How many bytes the search looks at, for the test that no text takes it long. Outside of tests nothing is counted.

#[cfg(test)]
thread_local! {
    static BYTES: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// So many bytes were looked at.
#[inline]
pub(super) fn looked_at(bytes: usize) {
    #[cfg(test)]
    BYTES.with(|all| all.set(all.get() + bytes as u64));
    #[cfg(not(test))]
    let _ = bytes;
}

/// The bytes that this thread has looked at since the last time.
#[cfg(test)]
pub(super) fn take() -> u64 {
    BYTES.with(std::cell::Cell::take)
}
