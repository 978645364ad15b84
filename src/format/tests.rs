//! Texts recorded from PyTorch 2.13, against what the formatter makes of the same values.

use std::cell::Cell;
use std::f64::consts::PI;

use super::{Elements, Options, Profile, format_tensor};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const NONE: &[&str] = &[];
const DEFAULT: Options = Options::profile(Profile::Default);

fn floats(values: &[f64], sizes: &[usize], suffixes: &[&str], options: &Options) -> String {
    format_tensor(Elements::Float(&|i| values[i]), sizes, suffixes, "tensor(", options)
}

fn row(values: &[f64]) -> String {
    floats(values, &[values.len()], NONE, &DEFAULT)
}

fn row_with(values: &[f64], options: &Options) -> String {
    floats(values, &[values.len()], NONE, options)
}

fn complex(values: &[(f64, f64)], options: &Options) -> String {
    format_tensor(Elements::Complex(&|i| values[i]), &[values.len()], NONE, "tensor(", options)
}

fn ints(values: &[i64], sizes: &[usize], suffixes: &[&str]) -> String {
    format_tensor(Elements::Int(&|i| i128::from(values[i])), sizes, suffixes, "tensor(", &DEFAULT)
}

/// `0, 1, 2, ..` in the given shape.
fn counting(sizes: &[usize], options: &Options) -> String {
    format_tensor(Elements::Int(&|i| i as i128), sizes, NONE, "tensor(", options)
}

fn narrow(linewidth: usize) -> Options {
    Options { linewidth, ..DEFAULT }
}

fn edged(edgeitems: usize, threshold: usize) -> Options {
    Options { edgeitems, threshold, ..DEFAULT }
}

fn upto(n: u32) -> Vec<f64> {
    (0..n).map(f64::from).collect()
}

#[test]
fn integral_floats() {
    assert_eq!(row(&[1., 2., 3.]), "tensor([1., 2., 3.])");
    assert_eq!(row(&[0., 0.]), "tensor([0., 0.])");
    assert_eq!(row(&[1., 1000.]), "tensor([   1., 1000.])");
    assert_eq!(row(&[99999999., 1e5]), "tensor([99999999.,   100000.])");
}

#[test]
fn fractions() {
    assert_eq!(row(&[-0., 1.5]), "tensor([-0.0000, 1.5000])");
    assert_eq!(row(&[1.5, 1500.]), "tensor([   1.5000, 1500.0000])");
    assert_eq!(row(&[1e-4, 0.05]), "tensor([0.0001, 0.0500])");
}

#[test]
fn scientific() {
    assert_eq!(row(&[1., 1001.]), "tensor([1.0000e+00, 1.0010e+03])");
    assert_eq!(row(&[1.5, 1501.]), "tensor([1.5000e+00, 1.5010e+03])");
    assert_eq!(row(&[100000001.]), "tensor([1.0000e+08])");
    assert_eq!(row(&[9e-5, 0.05]), "tensor([9.0000e-05, 5.0000e-02])");
    assert_eq!(row(&[1e-5, -2e-5, 0.]), "tensor([ 1.0000e-05, -2.0000e-05,  0.0000e+00])");
    assert_eq!(row(&[1e100, NAN]), "tensor([1.0000e+100,         nan])");
    assert_eq!(row(&[1e-100, 1e-99]), "tensor([1.0000e-100,  1.0000e-99])");
}

#[test]
fn single_precision_is_judged_in_double() {
    let values = [f64::from(1e-4_f32), f64::from(0.05_f32)];
    assert_eq!(row(&values), "tensor([1.0000e-04, 5.0000e-02])");
}

#[test]
fn half_types() {
    let f16 = floats(&[65504., 1.1920928955078125e-07], &[2], &["dtype=torch.float16"], &DEFAULT);
    assert_eq!(f16, "tensor([6.5504e+04, 1.1921e-07], dtype=torch.float16)");
    let bf16 = floats(&[0.10009765625, 2.], &[2], &["dtype=torch.bfloat16"], &DEFAULT);
    assert_eq!(bf16, "tensor([0.1001, 2.0000], dtype=torch.bfloat16)");
}

#[test]
fn nan_and_infinity_do_not_widen() {
    assert_eq!(row(&[1., NAN]), "tensor([1., nan])");
    assert_eq!(row(&[1., -1., -INF]), "tensor([ 1., -1., -inf])");
    assert_eq!(row(&[NAN, -INF, 0.]), "tensor([nan, -inf, 0.])");
    assert_eq!(row(&[1.5, -NAN, -INF]), "tensor([1.5000,    nan,   -inf])");
}

#[test]
fn zero_dimensional() {
    for (value, text) in [
        (1., "tensor(1.)"),
        (-0., "tensor(-0.)"),
        (NAN, "tensor(nan)"),
        (123456789., "tensor(1.2346e+08)"),
        (0.1, "tensor(0.1000)"),
    ] {
        assert_eq!(floats(&[value], &[], NONE, &DEFAULT), text);
    }
    assert_eq!(ints(&[3], &[], NONE), "tensor(3)");
    let yes = format_tensor(Elements::Bool(&|_| true), &[], NONE, "tensor(", &DEFAULT);
    assert_eq!(yes, "tensor(True)");
    let z = format_tensor(Elements::Complex(&|_| (1., 2.)), &[], NONE, "tensor(", &DEFAULT);
    assert_eq!(z, "tensor(1.+2.j)");
}

#[test]
fn integers_and_booleans() {
    assert_eq!(ints(&[1, -20, 300, 4], &[2, 2], NONE), "tensor([[  1, -20],\n        [300,   4]])");
    assert_eq!(ints(&[0, 255], &[2], &["dtype=torch.uint8"]), "tensor([  0, 255], dtype=torch.uint8)");
    assert_eq!(ints(&[i64::MAX, i64::MIN], &[2], NONE), "tensor([ 9223372036854775807, -9223372036854775808])");
    let bools = |read: &dyn Fn(usize) -> bool| format_tensor(Elements::Bool(read), &[2], NONE, "tensor(", &DEFAULT);
    assert_eq!(bools(&|i| i == 0), "tensor([ True, False])");
    assert_eq!(bools(&|_| true), "tensor([True, True])");
}

#[test]
fn complex_numbers() {
    for (values, text) in [
        ([(1., 2.), (-3.5, -4.)], "tensor([ 1.0000+2.j, -3.5000-4.j])"),
        ([(1., 2.), (1., 300.)], "tensor([1.+2.j, 1.+300.j])"),
        ([(1., 1e-8), (3., 0.)], "tensor([1.+1.0000e-08j, 3.+0.0000e+00j])"),
        ([(NAN, -INF), (2., 3.5)], "tensor([nan-infj, 2.+3.5000j])"),
        ([(100., 200.), (-INF, NAN)], "tensor([100.+200.j, -inf+nanj])"),
    ] {
        assert_eq!(complex(&values, &DEFAULT), text);
    }
    assert_eq!(complex(&[(1., -0.)], &DEFAULT), "tensor([1.-0.j])");
}

#[test]
fn complex_rows() {
    let values: Vec<_> = upto(2000).into_iter().map(|x| (1.5 * x, 0. - 2. * x)).collect();
    assert_eq!(
        complex(&values, &DEFAULT),
        "tensor([0.0000e+00+0.0000e+00j, 1.5000e+00-2.0000e+00j, 3.0000e+00-4.0000e+00j,\n         \
         ..., 2.9955e+03-3.9940e+03j, 2.9970e+03-3.9960e+03j,\n        2.9985e+03-3.9980e+03j])"
    );
    // An element counts as the widest real and imaginary part and a sign.
    assert_eq!(
        complex(&values[..8], &narrow(40)),
        "tensor([ 0.0000+0.j,  1.5000-2.j,\n         3.0000-4.j,  4.5000-6.j,\n         \
         6.0000-8.j,  7.5000-10.j,\n         9.0000-12.j, 10.5000-14.j])"
    );
}

#[test]
fn blocks() {
    assert_eq!(
        counting(&[2, 3, 2], &DEFAULT),
        "tensor([[[ 0,  1],\n         [ 2,  3],\n         [ 4,  5]],\n\n        \
         [[ 6,  7],\n         [ 8,  9],\n         [10, 11]]])"
    );
    assert_eq!(
        floats(&upto(8), &[2, 2, 1, 2], NONE, &DEFAULT),
        "tensor([[[[0., 1.]],\n\n         [[2., 3.]]],\n\n\n        [[[4., 5.]],\n\n         [[6., 7.]]]])"
    );
}

#[test]
fn rows_wrap() {
    let values: Vec<_> = upto(24).into_iter().map(|x| x / 8.).collect();
    assert_eq!(
        floats(&values, &[2, 12], NONE, &narrow(50)),
        "tensor([[0.0000, 0.1250, 0.2500, 0.3750, 0.5000,\n         \
         0.6250, 0.7500, 0.8750, 1.0000, 1.1250,\n         1.2500, 1.3750],\n        \
         [1.5000, 1.6250, 1.7500, 1.8750, 2.0000,\n         \
         2.1250, 2.2500, 2.3750, 2.5000, 2.6250,\n         2.7500, 2.8750]])"
    );
    assert_eq!(
        floats(&upto(6), &[2, 3], NONE, &narrow(1)),
        "tensor([[0.,\n         1.,\n         2.],\n        [3.,\n         4.,\n         5.]])"
    );
}

#[test]
fn summaries() {
    assert_eq!(counting(&[1001], &DEFAULT), "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
    assert_eq!(
        floats(&upto(1001), &[1001, 1], NONE, &DEFAULT),
        "tensor([[   0.],\n        [   1.],\n        [   2.],\n        ...,\n        \
         [ 998.],\n        [ 999.],\n        [1000.]])"
    );
    assert_eq!(counting(&[3, 10], &edged(1, 5)), "tensor([[ 0,  ...,  9],\n        ...,\n        [20,  ..., 29]])");
    assert_eq!(
        counting(&[8, 8, 8], &edged(1, 5)),
        "tensor([[[  0,  ...,   7],\n         ...,\n         [ 56,  ...,  63]],\n\n        ...,\n\n        \
         [[448,  ..., 455],\n         ...,\n         [504,  ..., 511]]])"
    );
    assert_eq!(
        counting(&[1, 24], &Options { linewidth: 30, ..edged(5, 0) }),
        "tensor([[ 0,  1,  2,  3,  4,\n          ..., 19, 20, 21, 22,\n         23]])"
    );
}

#[test]
fn only_shown_elements_are_read() {
    let reads = Cell::new(0);
    let read = |i: usize| {
        reads.set(reads.get() + 1);
        let (i, j) = (i / 1000, i % 1000);
        assert!(!(3..997).contains(&i) && !(3..997).contains(&j), "({i}, {j}) is not shown");
        PI
    };
    let text = format_tensor(Elements::Float(&read), &[1000, 1000], NONE, "tensor(", &DEFAULT);
    assert!(text.starts_with("tensor([[3.1416, 3.1416, 3.1416,  ..., 3.1416, 3.1416, 3.1416],\n"));
    assert_eq!(reads.get(), 2 * 36);
}

#[test]
fn hidden_elements_do_not_choose_the_notation() {
    let mut values = vec![0.; 10000];
    (values[1], values[5000]) = (1.5, 1e9);
    assert_eq!(row(&values), "tensor([0.0000, 1.5000, 0.0000,  ..., 0.0000, 0.0000, 0.0000])");
}

#[test]
fn precision() {
    let texts = [
        (0, "tensor([  2,   2, 100])", "tensor([1e-06, 2e+00])"),
        (1, "tensor([  1.5,   2.2, 100.1])", "tensor([1.0e-06, 2.0e+00])"),
        (6, "tensor([  1.500000,   2.250000, 100.125000])", "tensor([1.000000e-06, 2.000000e+00])"),
    ];
    for (precision, fixed, scientific) in texts {
        let options = Options { precision, ..DEFAULT };
        assert_eq!(row_with(&[1.5, 2.25, 100.125], &options), fixed);
        assert_eq!(row_with(&[1e-6, 2.], &options), scientific);
        assert_eq!(row_with(&[1., 2.], &options), "tensor([1., 2.])");
    }
    let absurd = Options { precision: usize::MAX, ..DEFAULT };
    assert!(row_with(&[0.5], &absurd).starts_with("tensor([0.5000"));
    assert!(row_with(&[1e-9], &absurd).ends_with("000e-09])"));
}

#[test]
fn sci_mode() {
    let forced = |on| Options { sci_mode: Some(on), ..DEFAULT };
    for (values, on, off) in [
        ([1., 2.], "tensor([1.0000e+00, 2.0000e+00])", "tensor([1., 2.])"),
        ([1e-7, 1.5], "tensor([1.0000e-07, 1.5000e+00])", "tensor([0.0000, 1.5000])"),
        ([1., 2e9], "tensor([1.0000e+00, 2.0000e+09])", "tensor([         1., 2000000000.])"),
        ([NAN, 0.], "tensor([nan, 0.])", "tensor([nan, 0.])"),
    ] {
        assert_eq!(row_with(&values, &forced(true)), on);
        assert_eq!(row_with(&values, &forced(false)), off);
    }
}

#[test]
fn no_edge_items() {
    assert_eq!(floats(&[3.], &[], NONE, &edged(0, 1000)), "tensor(3., size=())");
    assert_eq!(floats(&[1.5], &[1], NONE, &edged(0, 1000)), "tensor([1.5000], size=(1,))");
    assert_eq!(floats(&[], &[2, 3], NONE, &edged(0, 5)), "tensor([...], size=(2, 3))");
    assert_eq!(floats(&[], &[0], NONE, &edged(0, 5)), "tensor([])");
}

#[test]
fn empty() {
    assert_eq!(row(&[]), "tensor([])");
    assert_eq!(floats(&[], &[0, 3], NONE, &DEFAULT), "tensor([], size=(0, 3))");
    assert_eq!(ints(&[], &[2, 0], &["dtype=torch.int64"]), "tensor([], size=(2, 0), dtype=torch.int64)");
    let suffixes = ["dtype=torch.float64", "requires_grad=True"];
    assert_eq!(
        floats(&[], &[0, 3], &suffixes, &narrow(30)),
        "tensor([], size=(0, 3),\n       dtype=torch.float64,\n       requires_grad=True)"
    );
    assert_eq!(
        floats(&[], &[0, 3], &suffixes, &narrow(20)),
        "tensor([],\n       size=(0, 3),\n       dtype=torch.float64,\n       requires_grad=True)"
    );
}

#[test]
fn suffixes_wrap() {
    let one = ["dtype=torch.float64"];
    let ones = |width| floats(&[1.; 3], &[3], &one, &narrow(width));
    assert_eq!(ones(42), "tensor([1., 1., 1.], dtype=torch.float64)");
    assert_eq!(ones(41), "tensor([1., 1., 1.],\n       dtype=torch.float64)");

    let two = ["dtype=torch.float64", "grad_fn=<AddBackward0>"];
    let values = upto(17);
    let from_one = |n: usize| floats(&values[1..=n], &[n], &two, &DEFAULT);
    assert_eq!(from_one(6), "tensor([1., 2., 3., 4., 5., 6.], dtype=torch.float64, grad_fn=<AddBackward0>)");
    assert_eq!(
        from_one(7),
        "tensor([1., 2., 3., 4., 5., 6., 7.], dtype=torch.float64,\n       grad_fn=<AddBackward0>)"
    );
    assert_eq!(
        from_one(16),
        "tensor([ 1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13., 14.,\n        \
         15., 16.], dtype=torch.float64, grad_fn=<AddBackward0>)"
    );
}

#[test]
fn prefix_sets_the_indent() {
    let text = format_tensor(Elements::Float(&|i| i as f64), &[2, 2], NONE, "MyTensor(", &DEFAULT);
    assert_eq!(text, "MyTensor([[0., 1.],\n          [2., 3.]])");
}

#[test]
fn setting_options() {
    let mut options = Options::default();
    options.set(None, Some(2), None, None, Some(50), Some(false));
    assert_eq!(options, Options { precision: 2, linewidth: 50, sci_mode: Some(false), ..DEFAULT });
    options.set(None, None, None, None, None, None);
    assert_eq!(options.sci_mode, None);
    options.set(Profile::from_name("short"), None, None, None, None, None);
    assert_eq!(options, Options { precision: 2, edgeitems: 2, ..DEFAULT });
    options.set(Profile::from_name("full"), None, None, Some(9), None, None);
    assert_eq!(options, Options { threshold: usize::MAX, edgeitems: 9, ..DEFAULT });
    assert_eq!(Profile::from_name("FULL"), None);
}
