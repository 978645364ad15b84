//! The number of threads must not change a bit.

use rgrad::Tensor;
use rgrad::kernels::parallel;
use rgrad::op;

use crate::calls::{outcome, report};
use crate::samples;

/// Results and gradients as bits.
type Bits = [Vec<Vec<u64>>; 2];

fn bits<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Vec<Vec<u64>> {
    tensors.map(|tensor| tensor.to_vec::<f64>().unwrap().into_iter().map(f64::to_bits).collect()).collect()
}

#[test]
fn results_and_gradients_are_the_same_for_any_number_of_threads() {
    let before = parallel::threads();
    report(op::registry().iter().flat_map(|op| samples::large(op)), |_, sample| {
        let on = |threads: usize| -> Result<Bits, String> {
            parallel::set_threads(threads);
            let found = outcome(sample, &sample.tensors()).map_err(|error| error.to_string())?;
            Ok([bits(found.outputs.iter()), bits(found.gradients.iter().flatten())])
        };
        let expected = on(1)?;
        for threads in [2, 3] {
            let found = on(threads)?;
            if found[0] != expected[0] {
                return Err(format!("the result differs between 1 and {threads} threads"));
            }
            if found[1] != expected[1] {
                return Err(format!("a gradient differs between 1 and {threads} threads"));
            }
        }
        Ok(())
    });
    parallel::set_threads(before);
}
