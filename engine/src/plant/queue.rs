//! What will happen, in order: by time, and at one time in the order in which it was put in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Time in ms since the world began.
pub(super) type Ms = i64;

/// ms of a length in s, rounded up.
#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
pub(super) fn ms(seconds: f64) -> Ms {
    (seconds * 1000.0).ceil() as Ms
}

/// s of a length in ms.
pub(super) fn seconds(length: Ms) -> f64 {
    length as f64 / 1000.0
}

/// The next whole second; an instant that is one is meant itself.
pub(super) fn whole_second(at: Ms) -> Ms {
    (at + 999).div_euclid(1000) * 1000
}

/// Something that will happen. Two are compared by when, not by what.
#[derive(Debug, Clone)]
struct Entry<T> {
    at: Ms,
    number: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// The queue. What the fast loop notices at once is kept apart from what it sees at a meter only, so that the next instant
/// worth stopping at is known.
#[derive(Debug, Clone)]
pub(super) struct Queue<T> {
    seen: BinaryHeap<Reverse<Entry<T>>>,
    unseen: BinaryHeap<Reverse<Entry<T>>>,
    number: u64,
}

impl<T> Queue<T> {
    /// An empty queue.
    pub(super) fn new() -> Queue<T> {
        Queue { seen: BinaryHeap::new(), unseen: BinaryHeap::new(), number: 0 }
    }

    /// Puts in something that the fast loop notices.
    pub(super) fn seen(&mut self, at: Ms, what: T) {
        self.number += 1;
        self.seen.push(Reverse(Entry { at, number: self.number, what }));
    }

    /// Puts in something that the fast loop does not notice as such.
    pub(super) fn unseen(&mut self, at: Ms, what: T) {
        self.number += 1;
        self.unseen.push(Reverse(Entry { at, number: self.number, what }));
    }

    /// When the fast loop may notice something next: of what it does not notice as such, meters show the consequences at
    /// the next whole second.
    pub(super) fn next(&self) -> Option<Ms> {
        let seen = self.seen.peek().map(|entry| entry.0.at);
        let shown = self.unseen.peek().map(|entry| whole_second(entry.0.at));
        [seen, shown].into_iter().flatten().min()
    }

    /// Drops what is void and would come next.
    pub(super) fn drop_void(&mut self, void: impl Fn(&T) -> bool) {
        while self.unseen.peek().is_some_and(|entry| void(&entry.0.what)) {
            self.unseen.pop();
        }
    }

    /// What happens next, if it does by then.
    pub(super) fn pop(&mut self, by: Ms) -> Option<(Ms, T)> {
        let key = |heap: &BinaryHeap<Reverse<Entry<T>>>| heap.peek().map(|entry| (entry.0.at, entry.0.number));
        let heap = match (key(&self.seen), key(&self.unseen)) {
            (Some(seen), Some(unseen)) if unseen < seen => &mut self.unseen,
            (None, Some(_)) => &mut self.unseen,
            _ => &mut self.seen,
        };
        if heap.peek()?.0.at > by {
            return None;
        }
        heap.pop().map(|entry| (entry.0.at, entry.0.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_goes_first_and_what_is_hidden_shows_at_a_whole_second() {
        let mut queue = Queue::new();
        queue.seen(5, "c");
        queue.unseen(3, "a");
        queue.unseen(5, "d");
        queue.seen(4, "b");
        assert_eq!(queue.next(), Some(4));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(5)).collect();
        assert_eq!(order, [(3, "a"), (4, "b"), (5, "c"), (5, "d")]);
        queue.seen(7, "e");
        assert_eq!(queue.pop(6), None);
        queue.unseen(1001, "f");
        assert_eq!((queue.next(), queue.pop(7)), (Some(7), Some((7, "e"))));
        assert_eq!(queue.next(), Some(2000));
        queue.drop_void(|what| *what == "f");
        assert_eq!(queue.next(), None);
    }
}
