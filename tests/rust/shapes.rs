//! Laws of geometry on random shapes, against models that count elements one by one.

use std::fmt;

use proptest::prelude::*;
use rgrad::ops::conversion::row_major;
use rgrad::ops::reduction::sum_to_size;
use rgrad::ops::views::{expand, permute, reshape, slice, view};
use rgrad::shape::{self, Ints};
use rgrad::{Tensor, ops};

fn ints(sizes: &[usize]) -> Ints {
    sizes.iter().map(|&n| n as i64).collect()
}

/// 0, 1, 2, … in row-major order.
fn counted(sizes: &[usize]) -> Tensor {
    let values: Vec<i64> = (0..sizes.iter().product::<usize>() as i64).collect();
    Tensor::from_slice(&values, sizes).unwrap()
}

fn values(tensor: &Tensor) -> Vec<i64> {
    tensor.to_vec().unwrap()
}

/// All indices of a shape in row-major order.
fn indices(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![vec![]], |all, &size| {
        all.iter().flat_map(|head| (0..size).map(|i| [&head[..], &[i]].concat())).collect()
    })
}

/// The memory offset of an index.
fn offset(index: &[usize], strides: &[usize]) -> usize {
    index.iter().zip(strides).map(|(i, stride)| i * stride).sum()
}

fn sizes(most: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..=most, 0..=4)
}

/// A shape, and an order of its dimensions.
fn permuted() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    sizes(4).prop_flat_map(|sizes| {
        let order: Vec<usize> = (0..sizes.len()).collect();
        (Just(sizes), Just(order).prop_shuffle())
    })
}

/// A tensor that shows its layout where a law fails.
#[derive(Clone)]
struct Laid(Tensor);

impl fmt::Debug for Laid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sizes {:?} strides {:?}", self.0.sizes(), self.0.strides())
    }
}

/// A tensor of any layout: dimensions in another order, some of them cut, some expanded.
fn any_layout() -> impl Strategy<Value = Laid> {
    (permuted(), prop::collection::vec((0..3usize, 1..3usize), 4), prop::collection::vec(prop::bool::weighted(0.2), 4))
        .prop_map(|((sizes, order), cuts, expanded)| {
            let mut tensor = permute(&counted(&sizes), &ints(&order)).unwrap();
            for dim in 0..sizes.len() {
                let (start, step) = cuts[dim];
                tensor = slice(&tensor, dim as i64, Some(start as i64), None, step as i64).unwrap();
                if expanded[dim] && tensor.sizes()[dim] > 0 {
                    let full = ints(&tensor.sizes());
                    let one = slice(&tensor, dim as i64, Some(0), Some(1), 1).unwrap();
                    tensor = expand(&one, &full).unwrap();
                }
            }
            Laid(tensor)
        })
}

/// A shape with as many elements as another: its dimensions split into factors and joined at random.
fn regrouped(sizes: Vec<usize>) -> impl Strategy<Value = Vec<usize>> {
    let factors: Vec<usize> = sizes
        .iter()
        .flat_map(|&n| match n {
            4 => vec![2, 2],
            n => vec![n],
        })
        .collect();
    let count = factors.len();
    (prop::collection::vec(any::<bool>(), count), prop::collection::vec(prop::bool::weighted(0.2), count + 1)).prop_map(
        move |(joins, ones)| {
            let mut target: Vec<usize> = Vec::new();
            for (i, &factor) in factors.iter().enumerate() {
                if ones[i] {
                    target.push(1);
                }
                match target.last_mut() {
                    Some(last) if joins[i] => *last *= factor,
                    _ => target.push(factor),
                }
            }
            if ones[count] {
                target.push(1);
            }
            target
        },
    )
}

/// The strides that show elements at `places` as `sizes`, if there are any: the first step along each dimension
/// decides its stride, and all others have to agree.
fn strides_by_search(places: &[usize], sizes: &[usize]) -> Option<Vec<usize>> {
    let all = indices(sizes);
    let mut strides = vec![1; sizes.len()];
    for d in (0..sizes.len()).filter(|&d| sizes[d] > 1) {
        let step: usize = sizes[d + 1..].iter().product();
        strides[d] = places[step].checked_sub(places[0])?;
    }
    all.iter().zip(places).all(|(index, &place)| places[0] + offset(index, &strides) == place).then_some(strides)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broadcasting_aligns_at_the_end(a in sizes(3), b in sizes(3)) {
        let ndim = a.len().max(b.len());
        let at = |sizes: &[usize], d: usize| (d + sizes.len()).checked_sub(ndim).map_or(1, |i| sizes[i]);
        let expected: Option<Vec<usize>> = (0..ndim)
            .map(|d| match (at(&a, d), at(&b, d)) {
                (x, y) if x == y || y == 1 => Some(x),
                (1, y) => Some(y),
                _ => None,
            })
            .collect();
        let found = shape::broadcast(&a, &b).ok().map(|sizes| sizes.to_vec());
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(shape::broadcast(&b, &a).ok().map(|sizes| sizes.to_vec()), expected);
        if let Some(sizes) = found {
            let strides = shape::contiguous_strides(&a);
            let seen = shape::broadcast_strides(&a, &strides, &sizes).unwrap();
            for index in indices(&sizes) {
                let own: Vec<usize> =
                    (0..a.len()).map(|d| if a[d] == 1 { 0 } else { index[ndim - a.len() + d] }).collect();
                prop_assert_eq!(offset(&index, &seen), offset(&own, &strides));
            }
        }
    }

    #[test]
    fn contiguity_is_row_major_order(Laid(tensor) in any_layout()) {
        let (sizes, strides) = (tensor.sizes(), tensor.strides());
        let dense = indices(&sizes).iter().enumerate().all(|(i, index)| offset(index, &strides) == i);
        prop_assert_eq!(tensor.is_contiguous(), dense);
        prop_assert!(row_major(&tensor).unwrap().is_contiguous());
        let places: Vec<usize> = indices(&sizes).iter().map(|index| offset(index, &strides)).collect();
        prop_assert_eq!(shape::extent(&sizes, &strides), places.iter().max().map_or(0, |most| most + 1));
        let mut distinct = places.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < places.len() {
            prop_assert!(shape::may_overlap(&sizes, &strides));
        }
    }

    #[test]
    fn a_view_is_found_where_there_is_one((Laid(tensor), target) in any_layout().prop_flat_map(|tensor| {
        let sizes = tensor.0.sizes().to_vec();
        (Just(tensor), regrouped(sizes))
    })) {
        let (sizes, strides) = (tensor.sizes(), tensor.strides());
        prop_assume!(tensor.numel() > 0);
        let places: Vec<usize> = indices(&sizes).iter().map(|index| offset(index, &strides)).collect();
        let expected = strides_by_search(&places, &target);
        let found = shape::view_strides(&sizes, &strides, &target);
        prop_assert_eq!(found.is_some(), expected.is_some());
        if let Some(found) = found {
            let seen: Vec<usize> = indices(&target).iter().map(|index| offset(index, &found)).collect();
            prop_assert_eq!(seen, places);
        }
        prop_assert_eq!(view(&tensor, &ints(&target)).is_ok(), expected.is_some());
        prop_assert_eq!(values(&reshape(&tensor, &ints(&target)).unwrap()), values(&tensor));
    }

    #[test]
    fn one_size_can_be_inferred((target, unknown) in sizes(4).prop_flat_map(|sizes| {
        let count = sizes.len();
        (Just(sizes), 0..count.max(1))
    })) {
        let count: usize = target.iter().product();
        let mut asked = ints(&target);
        prop_assert_eq!(shape::infer_size(&asked, &target).unwrap().to_vec(), target.clone());
        prop_assert!(shape::infer_size(&asked, &[count + 1]).is_err());
        if unknown < target.len() {
            asked[unknown] = -1;
            let others: usize = target.iter().enumerate().filter(|row| row.0 != unknown).map(|row| row.1).product();
            match shape::infer_size(&asked, &target) {
                Ok(found) => prop_assert_eq!(found.to_vec(), target),
                Err(_) => prop_assert_eq!(others, 0, "only 0 times anything is ambiguous"),
            }
        }
    }

    #[test]
    fn a_slice_takes_what_a_vector_slice_takes(
        size in 0..7usize,
        start in prop::option::of(-9..9i64),
        end in prop::option::of(-9..9i64),
        step in 1..4i64,
    ) {
        let wrap = |at: i64| (if at < 0 { at + size as i64 } else { at }).clamp(0, size as i64) as usize;
        let (from, to) = (start.map_or(0, wrap), end.map_or(size, wrap));
        let expected: Vec<i64> = (from..to.max(from)).step_by(step as usize).map(|i| i as i64).collect();
        prop_assert_eq!(values(&slice(&counted(&[size]), 0, start, end, step).unwrap()), expected.clone());
        // Along the second dimension of a matrix, each row has the same slice.
        let both = slice(&counted(&[2, size]), 1, start, end, step).unwrap();
        let second = expected.iter().map(|n| n + size as i64);
        prop_assert_eq!(values(&both), expected.iter().copied().chain(second).collect::<Vec<_>>());
    }

    #[test]
    fn a_permutation_and_its_inverse_cancel((sizes, order) in permuted()) {
        let tensor = counted(&sizes);
        let turned = permute(&tensor, &ints(&order)).unwrap();
        for index in indices(&turned.sizes()) {
            let mut own = vec![0; sizes.len()];
            order.iter().zip(&index).for_each(|(&d, &i)| own[d] = i);
            prop_assert_eq!(offset(&index, &turned.strides()), offset(&own, &tensor.strides()));
        }
        let mut inverse = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
        let back = permute(&turned, &ints(&inverse)).unwrap();
        prop_assert_eq!((back.sizes(), back.strides()), (tensor.sizes(), tensor.strides()));
        prop_assert_eq!(values(&permute(&row_major(&turned).unwrap(), &ints(&inverse)).unwrap()), values(&tensor));
    }

    #[test]
    fn sums_undo_broadcasting((Laid(tensor), small) in any_layout().prop_flat_map(|tensor| {
        let sizes = tensor.0.sizes().to_vec();
        let ndim = sizes.len();
        let small = (0..=ndim, prop::collection::vec(any::<bool>(), ndim)).prop_map(move |(lead, ones)| -> Vec<usize> {
            (lead..sizes.len()).map(|d| if ones[d] { 1 } else { sizes[d] }).collect()
        });
        (Just(tensor), small)
    })) {
        let sizes = tensor.sizes();
        let lead = sizes.len() - small.len();
        let mut expected = vec![0; small.iter().product()];
        let own = shape::contiguous_strides(&small);
        for (index, value) in indices(&sizes).iter().zip(values(&tensor)) {
            let place: Vec<usize> = (0..small.len()).map(|d| if small[d] == 1 { 0 } else { index[lead + d] }).collect();
            expected[offset(&place, &own)] += value;
        }
        let found = sum_to_size(&tensor, &ints(&small)).unwrap();
        prop_assert_eq!(found.sizes().to_vec(), small);
        prop_assert_eq!(values(&found), expected);
    }

    /// Copies, sums and elementwise operations see the same elements whatever the layout is.
    #[test]
    fn a_layout_is_only_a_layout(Laid(tensor) in any_layout()) {
        let copy = row_major(&tensor).unwrap();
        let model: Vec<i64> = indices(&tensor.sizes())
            .iter()
            .map(|index| tensor.with_array::<i64, _>(|array| array[&index[..]]).unwrap())
            .collect();
        prop_assert_eq!(&values(&copy), &model);
        let doubled = ops::arithmetic::add_tensors(&tensor, &copy).unwrap();
        prop_assert_eq!(values(&doubled), model.iter().map(|n| 2 * n).collect::<Vec<_>>());
        prop_assert_eq!(values(&ops::reduction::sum_all(&tensor, None).unwrap()), [model.iter().sum::<i64>()]);
    }
}
