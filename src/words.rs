//! A list of numbers that is almost always short: sizes, strides, the dimensions of a call.
//!
//! Up to four numbers lie in the list itself. Such a list is made, copied and dropped as plain words, without a loop
//! and without a look at the heap, which is what most of a small operation's bookkeeping consists of.

use std::ops::{Deref, DerefMut};

/// How many numbers lie in the list itself.
const INLINE: usize = 4;

/// A list of numbers, in place up to four of them.
#[derive(Clone)]
pub enum Words<T> {
    Short { length: u8, words: [T; INLINE] },
    Long(Vec<T>),
}

impl<T: Copy + Default> Words<T> {
    #[inline]
    pub fn new() -> Self {
        Words::Short { length: 0, words: [T::default(); INLINE] }
    }

    #[inline]
    pub fn from_slice(slice: &[T]) -> Self {
        if slice.len() > INLINE {
            return Words::Long(slice.to_vec());
        }
        let mut words = [T::default(); INLINE];
        // A loop of a known number of steps, not a call of memcpy for a few words.
        for (i, word) in words.iter_mut().enumerate() {
            if let Some(&value) = slice.get(i) {
                *word = value;
            }
        }
        Words::Short { length: slice.len() as u8, words }
    }

    #[inline]
    pub fn from_elem(value: T, count: usize) -> Self {
        if count > INLINE {
            return Words::Long(vec![value; count]);
        }
        Words::Short { length: count as u8, words: [value; INLINE] }
    }

    #[inline]
    pub fn push(&mut self, value: T) {
        match self {
            Words::Short { length, words } if (*length as usize) < INLINE => {
                words[*length as usize] = value;
                *length += 1;
            }
            _ => self.long().push(value),
        }
    }

    pub fn insert(&mut self, at: usize, value: T) {
        self.push(value);
        self[at..].rotate_right(1);
    }

    pub fn remove(&mut self, at: usize) -> T {
        let value = self[at];
        self.copy_within(at + 1.., at);
        self.truncate(self.len() - 1);
        value
    }

    pub fn truncate(&mut self, count: usize) {
        match self {
            Words::Short { length, .. } => *length = (*length).min(count.min(INLINE) as u8),
            Words::Long(list) => list.truncate(count),
        }
    }

    pub fn into_vec(self) -> Vec<T> {
        match self {
            Words::Short { .. } => self.to_vec(),
            Words::Long(list) => list,
        }
    }

    /// The list on the heap, moved there if it is not yet.
    #[cold]
    fn long(&mut self) -> &mut Vec<T> {
        if let Words::Short { .. } = self {
            *self = Words::Long(self.to_vec());
        }
        match self {
            Words::Long(list) => list,
            Words::Short { .. } => unreachable!("the list was moved to the heap"),
        }
    }
}

impl<T: Copy + Default> Default for Words<T> {
    #[inline]
    fn default() -> Self {
        Words::new()
    }
}

impl<T> Words<T> {
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match self {
            // The bound is always met; with the check in this form the compiler sees it.
            Words::Short { length, words } => &words[..(*length as usize).min(INLINE)],
            Words::Long(list) => list,
        }
    }
}

impl<T> Deref for Words<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T> DerefMut for Words<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Words::Short { length, words } => &mut words[..(*length as usize).min(INLINE)],
            Words::Long(list) => list,
        }
    }
}

impl<T: Copy + Default> Extend<T> for Words<T> {
    #[inline]
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<T: Copy + Default> FromIterator<T> for Words<T> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Words::new();
        list.extend(items);
        list
    }
}

impl<T: Copy + Default> IntoIterator for Words<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Words<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Words<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: PartialEq, S: AsRef<[T]> + ?Sized> PartialEq<S> for Words<T> {
    #[inline]
    fn eq(&self, other: &S) -> bool {
        // Word by word: a call of memcmp costs more than the few comparisons.
        let other = other.as_ref();
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a == b)
    }
}

impl<T: Eq> Eq for Words<T> {}

impl<T> AsRef<[T]> for Words<T> {
    #[inline]
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Words<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list and a vector under the same changes.
    #[test]
    fn short_and_long_lists_are_as_vectors() {
        for count in 0..9usize {
            let expected: Vec<usize> = (0..count).map(|i| i * i).collect();
            let list: Words<usize> = expected.iter().copied().collect();
            assert_eq!(list, expected);
            assert_eq!(list, Words::from_slice(&expected));
            assert_eq!(matches!(list, Words::Short { .. }), count <= INLINE);
            assert_eq!(list.clone().into_vec(), expected);
            assert_eq!(list.clone().into_iter().collect::<Vec<_>>(), expected);
            assert_eq!(Words::from_elem(7, count), vec![7; count]);
            assert_ne!(list, Words::from_elem(1, count + 1));
            for at in 0..count {
                let (mut shorter, mut vector) = (list.clone(), expected.clone());
                assert_eq!(shorter.remove(at), vector.remove(at));
                assert_eq!(shorter, vector);
                shorter.insert(at, 100);
                vector.insert(at, 100);
                assert_eq!(shorter, vector);
                shorter.truncate(at);
                vector.truncate(at);
                assert_eq!(shorter, vector);
            }
        }
    }
}
