//! Sets of time: ranges without their ends, in order, none touching another.

/// A set of times: seconds on paper, or milliseconds in reality.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(i64, i64)>);

impl FromIterator<(i64, i64)> for Ranges {
    fn from_iter<I: IntoIterator<Item = (i64, i64)>>(ranges: I) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|(from, until)| from < until).collect();
        ranges.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
        for (from, until) in ranges {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => joined.push((from, until)),
            }
        }
        Self(joined)
    }
}

impl Ranges {
    pub(super) fn one(from: i64, until: i64) -> Self {
        [(from, until)].into_iter().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.0.iter().copied()
    }

    /// What is in both.
    pub(super) fn within(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(&&(a_from, a_until)), Some(&&(b_from, b_until))) = (a.peek(), b.peek()) {
            let (from, until) = (a_from.max(b_from), a_until.min(b_until));
            if from < until {
                both.push((from, until));
            }
            if a_until <= b_until {
                a.next()
            } else {
                b.next()
            };
        }
        Self(both)
    }

    /// What is in this one alone.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.0.len());
        let mut others = other.0.iter().peekable();
        for &(mut from, until) in &self.0 {
            while let Some(&&(cut_from, cut_until)) = others.peek() {
                if cut_until <= from {
                    others.next();
                    continue;
                }
                if cut_from >= until {
                    break;
                }
                if from < cut_from {
                    rest.push((from, cut_from));
                }
                from = cut_until;
                if cut_until >= until {
                    break;
                }
            }
            if from < until {
                rest.push((from, until));
            }
        }
        Self(rest)
    }

    /// Everything in either.
    pub(super) fn and(self, other: Self) -> Self {
        self.0.into_iter().chain(other.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(ranges: &[(i64, i64)]) -> Ranges {
        ranges.iter().copied().collect()
    }

    proptest! {
        #[test]
        fn sets_do_what_sets_do(
            a in proptest::collection::vec((0i64..40, 0i64..40), 0..8),
            b in proptest::collection::vec((0i64..40, 0i64..40), 0..8),
        ) {
            let (a, b) = (set(&a), set(&b));
            let has = |set: &Ranges, at: i64| set.iter().any(|(from, until)| from <= at && at < until);
            for at in -1..41 {
                prop_assert_eq!(has(&a.within(&b), at), has(&a, at) && has(&b, at));
                prop_assert_eq!(has(&a.without(&b), at), has(&a, at) && !has(&b, at));
                prop_assert_eq!(has(&a.clone().and(b.clone()), at), has(&a, at) || has(&b, at));
            }
        }
    }
}
