//! The number of threads must not change a bit.

use rgrad::Tensor;
use rgrad::kernels::parallel;
use rgrad::op;

use crate::calls::{outcome, report};
use crate::samples;

fn bits(tensor: &Tensor) -> Vec<u64> {
    tensor.to_vec::<f64>().unwrap().into_iter().map(f64::to_bits).collect()
}

#[test]
fn results_and_gradients_are_the_same_for_any_number_of_threads() {
    let before = parallel::threads();
    report(op::registry().iter().flat_map(|op| samples::large(op)), |_, sample| {
        let mut first: Option<(Vec<Vec<u64>>, Vec<Vec<u64>>)> = None;
        for threads in [1, 2, 3] {
            parallel::set_threads(threads);
            let found = outcome(sample, &sample.tensors()).map_err(|error| error.to_string())?;
            let found: (Vec<_>, Vec<_>) =
                (found.outputs.iter().map(bits).collect(), found.gradients.iter().flatten().map(bits).collect());
            let expected = first.get_or_insert_with(|| found.clone());
            if expected.0 != found.0 {
                return Err(format!("the result differs between 1 and {threads} threads"));
            }
            if expected.1 != found.1 {
                return Err(format!("a gradient differs between 1 and {threads} threads"));
            }
        }
        Ok(())
    });
    parallel::set_threads(before);
}
