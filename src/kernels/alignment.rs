//! The probability that a sequence of distributions spells a target when repeats are merged and blanks left out, and its
//! gradient: A. Graves et al., "Connectionist temporal classification", 2006.

/// One example: logarithms of probabilities at `time * stride + class`, and what they are to spell.
pub struct Alignment<'a> {
    pub log_probabilities: &'a [f64],
    pub stride: usize,
    pub times: usize,
    pub target: &'a [i64],
    pub blank: i64,
}

const NEVER: f64 = f64::NEG_INFINITY;

/// `log(exp(a) + exp(b))`.
fn either(a: f64, b: f64) -> f64 {
    let (more, less) = if a > b { (a, b) } else { (b, a) };
    if less == NEVER { more } else { more + (less - more).exp().ln_1p() }
}

impl Alignment<'_> {
    /// The states are the elements of the target with a blank before, between and after them.
    fn states(&self) -> usize {
        2 * self.target.len() + 1
    }

    fn class(&self, state: usize) -> usize {
        (if state.is_multiple_of(2) { self.blank } else { self.target[state / 2] }) as usize
    }

    fn at(&self, time: usize, state: usize) -> f64 {
        self.log_probabilities[time * self.stride + self.class(state)]
    }

    /// Whether a state may be come to from the one but one before.
    fn skips(&self, state: usize) -> bool {
        state >= 2 && self.class(state) != self.blank as usize && self.class(state) != self.class(state - 2)
    }

    /// For each time and state, the logarithm of the probability of all beginnings that end there.
    fn beginnings(&self) -> Vec<f64> {
        let n = self.states();
        let mut all = vec![NEVER; self.times * n];
        for time in 0..self.times {
            for state in 0..n {
                let sum = if time == 0 {
                    if state < 2 { 0.0 } else { NEVER }
                } else {
                    let before = &all[(time - 1) * n..time * n];
                    let mut sum = before[state];
                    if state >= 1 {
                        sum = either(sum, before[state - 1]);
                    }
                    if self.skips(state) {
                        sum = either(sum, before[state - 2]);
                    }
                    sum
                };
                all[time * n + state] = sum + self.at(time, state);
            }
        }
        all
    }

    /// For each time and state, the logarithm of the probability of all ends that begin there.
    fn ends(&self) -> Vec<f64> {
        let n = self.states();
        let mut all = vec![NEVER; self.times * n];
        for time in (0..self.times).rev() {
            for state in 0..n {
                let sum = if time + 1 == self.times {
                    if state + 2 >= n { 0.0 } else { NEVER }
                } else {
                    let after = &all[(time + 1) * n..(time + 2) * n];
                    let mut sum = after[state];
                    if state + 1 < n {
                        sum = either(sum, after[state + 1]);
                    }
                    if state + 2 < n && self.skips(state + 2) {
                        sum = either(sum, after[state + 2]);
                    }
                    sum
                };
                all[time * n + state] = sum + self.at(time, state);
            }
        }
        all
    }

    /// Minus the logarithm of the probability of the target.
    pub fn loss(&self) -> f64 {
        if self.times == 0 {
            return if self.target.is_empty() { 0.0 } else { f64::INFINITY };
        }
        let (n, all) = (self.states(), self.beginnings());
        let last = &all[(self.times - 1) * n..];
        -(if n > 1 { either(last[n - 1], last[n - 2]) } else { last[0] })
    }

    /// The gradient with respect to scores whose log_softmax the log-probabilities are, added to `out`, times `factor`.
    pub fn gradient(&self, loss: f64, classes: usize, factor: f64, out: &mut [f64]) {
        let (n, beginnings, ends) = (self.states(), self.beginnings(), self.ends());
        let mut through = vec![NEVER; classes];
        for time in 0..self.times {
            through.fill(NEVER);
            for state in 0..n {
                let class = self.class(state);
                through[class] = either(through[class], beginnings[time * n + state] + ends[time * n + state]);
            }
            for (class, through) in through.iter().enumerate() {
                let at = time * self.stride + class;
                let log = self.log_probabilities[at];
                out[at] += (log.exp() - (through + loss - log).exp()) * factor;
            }
        }
    }
}
