//! Arguments of linear algebra and transforms: matrices that are far from singular.

use rgrad::Tensor;
use rgrad::value::Value;

use super::Maker;
use super::values::{float, int, ints, text, truth};

impl Maker {
    /// A batch of square matrices with a large diagonal of different numbers.
    fn square(&mut self, batch: &[usize], n: usize) -> Value {
        let mut sizes = batch.to_vec();
        sizes.extend([n, n]);
        let Value::Tensor(random) = self.input(&sizes) else { return Value::None };
        let mut values: Vec<f64> = random.to_vec().unwrap();
        for (i, value) in values.iter_mut().enumerate() {
            let (row, column) = (i / n % n, i % n);
            *value = *value / 4.0 + if row == column { 2.0 + row as f64 } else { 0.0 };
        }
        Value::Tensor(Tensor::from_slice(&values, &sizes).unwrap())
    }

    /// A complex tensor.
    fn complex(&mut self, sizes: &[usize]) -> Value {
        let Value::Tensor(random) = self.input(sizes) else { return Value::None };
        let values: Vec<num_complex::Complex<f64>> =
            random.to_vec::<f64>().unwrap().iter().map(|&x| num_complex::Complex::new(x, x * x - 0.7)).collect();
        Value::Tensor(Tensor::from_slice(&values, sizes).unwrap())
    }

    /// Rows for operations of matrices and transforms.
    pub fn linear_algebra(&mut self) -> Option<Vec<Vec<Value>>> {
        let exchanges =
            |n: i32| Value::Tensor(Tensor::from_slice(&(1..=n).collect::<Vec<i32>>(), &[n as usize]).unwrap());
        let name = self.op.full_name();
        let rows = match name.as_str() {
            "_linalg_solve_triangular" => vec![
                vec![self.square(&[], 3), self.tensor("B", &[3, 2]), truth(true), truth(true), truth(false)],
                vec![self.square(&[2], 2), self.tensor("B", &[2, 3, 2]), truth(false), truth(false), truth(true)],
            ],
            "linalg_solve_triangular" => vec![vec![self.square(&[2], 2), self.tensor("B", &[2, 3]), truth(true)]],
            "triangular_solve" => vec![vec![self.tensor("b", &[3, 2]), self.square(&[], 3)]],
            "_linalg_solve" => vec![vec![self.square(&[], 3), self.tensor("B", &[3, 2]), truth(true)]],
            "linalg_solve" | "linalg_solve_ex" => vec![
                vec![self.square(&[], 3), self.tensor("B", &[3, 2])],
                vec![self.square(&[2], 2), self.tensor("B", &[2, 3])],
            ],
            "cholesky_solve" | "_cholesky_solve" => {
                vec![vec![self.tensor("input", &[3, 2]), self.square(&[], 3), truth(false)]]
            }
            "_linalg_eigh" => vec![vec![self.square(&[], 3), text("L"), truth(true)]],
            "_linalg_svd" => vec![vec![self.square(&[], 3), truth(false), truth(true)]],
            "_linalg_pinv" => {
                let limit = Value::Tensor(Tensor::from_slice(&[1e-12], &[1]).unwrap());
                vec![vec![self.square(&[], 3), limit, truth(false)]]
            }
            "linalg_pinv.rcond" => vec![vec![self.square(&[], 3), float(1e-12)]],
            "linalg_matrix_rank.tol" => vec![vec![self.square(&[], 3), float(1e-3)]],
            "_linalg_lu" => vec![vec![self.square(&[], 3), truth(true)]],
            "_lu_permutation" => vec![vec![exchanges(3), int(3), Value::DType(rgrad::DType::Float64)]],
            "lu_unpack" => vec![vec![self.square(&[], 3), exchanges(3)]],
            "linalg_lu_solve" => vec![vec![self.square(&[], 3), exchanges(3), self.tensor("B", &[3, 2])]],
            "lu_solve" => vec![vec![self.tensor("b", &[3, 2]), self.square(&[], 3), exchanges(3)]],
            "linalg_ldl_solve" => vec![vec![self.square(&[], 3), exchanges(3), self.tensor("B", &[3, 2])]],
            "linalg_lstsq" => vec![vec![self.square(&[], 3), self.tensor("b", &[3, 2])]],
            "linalg_householder_product" => vec![vec![self.tensor("input", &[3, 2]), self.tensor("tau", &[2])]],
            "orgqr" => vec![vec![self.tensor("input", &[3, 2]), self.tensor("input2", &[2])]],
            "ormqr" => {
                vec![vec![self.tensor("input", &[3, 2]), self.tensor("tau", &[2]), self.tensor("other", &[3, 2])]]
            }
            "matrix_power" | "linalg_matrix_power" => vec![vec![self.square(&[], 3), int(3)]],
            "linalg_tensorinv" => vec![vec![self.square(&[], 3), int(1)]],
            "linalg_tensorsolve" => vec![vec![self.square(&[], 3), self.tensor("other", &[3])]],
            "linalg_multi_dot" => {
                let mut list = Vec::new();
                for sizes in [[2, 3], [3, 4], [4, 2]] {
                    if let Value::Tensor(tensor) = self.input(&sizes) {
                        list.push(Some(tensor));
                    }
                }
                vec![vec![Value::Tensors(list)]]
            }
            "linalg_cross" => vec![vec![self.input(&[2, 3]), self.tensor("other", &[2, 3])]],
            "linalg_vecdot" => vec![vec![self.tensor("x", &[2, 3]), self.tensor("y", &[2, 3])]],
            "linalg_vander" => vec![vec![self.input(&[3])]],
            "linalg_matmul" => vec![vec![self.input(&[2, 3]), self.tensor("other", &[3, 2])]],
            "linalg_cond.named" => vec![vec![self.square(&[], 3), text("fro")]],
            "linalg_matrix_norm" => vec![vec![self.square(&[], 3), int(2)]],
            "_fft_c2c" => vec![vec![self.complex(&[2, 3]), ints(&[1]), int(1), truth(true)]],
            "_fft_r2c" => vec![vec![self.input(&[2, 3]), ints(&[0, 1]), int(0), truth(true)]],
            "_fft_c2r" => vec![vec![self.complex(&[2, 3]), ints(&[1]), int(2), int(4)]],
            "stft" => {
                let mut row = vec![self.input(&[2, 12]), int(4)];
                row.extend([Value::None, Value::None, Value::None, truth(true), text("reflect"), truth(false)]);
                row.extend([Value::None, truth(true)]);
                vec![row]
            }
            "istft" => vec![vec![self.complex(&[3, 5]), int(4)]],
            "cholesky" | "cholesky_inverse" | "det" | "inverse" | "logdet" | "slogdet" | "pinverse" | "qr" | "svd"
            | "geqrf" | "lu" | "matrix_exp" | "_linalg_det" | "_linalg_slogdet" | "_lu_unpack" => {
                vec![vec![self.square(&[], 3)], vec![self.square(&[2], 2)]]
            }
            name if name.starts_with("linalg_") => vec![vec![self.square(&[], 3)], vec![self.square(&[2], 2)]],
            name if name.starts_with("fft_") => vec![vec![self.input(&[3, 4])]],
            _ => return None,
        };
        Some(rows)
    }
}
