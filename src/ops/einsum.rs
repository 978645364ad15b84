//! Sums of products by Einstein's convention: each letter of an equation names a dimension, and dimensions that the
//! result does not have are summed over.

use crate::error::Result;
use crate::ops::arithmetic::mul_tensors;
use crate::ops::diagonal::diagonal;
use crate::ops::matrix::bmm;
use crate::ops::reduction::sum;
use crate::ops::views;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::Tensors;
use crate::{bail, op};

/// What a letter or an ellipsis stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Subscript {
    Letter(char),
    Ellipsis,
}

/// The subscripts of one operand, or of the result.
fn subscripts(text: &str) -> Result<Vec<Subscript>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("...") {
            if found.contains(&Subscript::Ellipsis) {
                bail!(Runtime, "einsum: more than one ellipsis in '{text}'");
            }
            found.push(Subscript::Ellipsis);
            rest = after;
            continue;
        }
        if letter.is_ascii_alphabetic() {
            found.push(Subscript::Letter(letter));
        } else if letter != ' ' {
            bail!(Runtime, "einsum: '{letter}' in '{text}' is neither a letter nor part of an ellipsis");
        }
        rest = &rest[letter.len_utf8()..];
    }
    Ok(found)
}

/// A parsed equation.
struct Equation {
    operands: Vec<Vec<Subscript>>,
    result: Vec<Subscript>,
}

impl Equation {
    fn parse(text: &str) -> Result<Equation> {
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (text, None),
        };
        let operands = left.split(',').map(subscripts).collect::<Result<Vec<_>>>()?;
        let all = || operands.iter().flatten();
        let result = match right {
            Some(right) => {
                let result = subscripts(right)?;
                for (i, subscript) in result.iter().enumerate() {
                    if let Subscript::Letter(letter) = subscript {
                        if result[..i].contains(subscript) {
                            bail!(Runtime, "einsum: '{letter}' appears more than once in the result '{right}'");
                        }
                        if !all().any(|other| other == subscript) {
                            bail!(Runtime, "einsum: '{letter}' of the result '{right}' is in no operand");
                        }
                    }
                }
                result
            }
            // The letters that appear once, in the order of the alphabet.
            None => {
                let once = |letter: &char| all().filter(|other| **other == Subscript::Letter(*letter)).count() == 1;
                let letters = ('A'..='Z').chain('a'..='z').filter(once).map(Subscript::Letter);
                let ellipsis = all().any(|other| *other == Subscript::Ellipsis).then_some(Subscript::Ellipsis);
                ellipsis.into_iter().chain(letters).collect()
            }
        };
        Ok(Equation { operands, result })
    }
}

/// The dimensions of the products: those of the result, then those that are summed over.
struct Order {
    letters: Vec<Subscript>,
    /// How many dimensions an ellipsis stands for.
    ellipsis: usize,
    /// How many dimensions the result has.
    kept: usize,
}

impl Order {
    fn new(equation: &Equation, tensors: &[Tensor]) -> Result<Order> {
        let mut ellipsis = 0;
        for (i, (operand, tensor)) in equation.operands.iter().zip(tensors).enumerate() {
            let has_ellipsis = operand.contains(&Subscript::Ellipsis);
            let letters = operand.len() - usize::from(has_ellipsis);
            if letters > tensor.ndim() || (!has_ellipsis && letters < tensor.ndim()) {
                bail!(Runtime, "einsum: {letters} letters for operand {i} of {} dimensions", tensor.ndim());
            }
            if has_ellipsis {
                ellipsis = ellipsis.max(tensor.ndim() - letters);
            }
        }
        let mut letters = equation.result.clone();
        letters.extend(equation.operands.iter().flatten());
        let mut once: Vec<Subscript> = Vec::new();
        letters.retain(|subscript| {
            let new = !once.contains(subscript);
            once.push(*subscript);
            new
        });
        let width = |subscript: &Subscript| if *subscript == Subscript::Ellipsis { ellipsis } else { 1 };
        let kept = equation.result.iter().map(width).sum();
        Ok(Order { letters, ellipsis, kept })
    }

    /// An operand with its dimensions in this order, and new ones of size 1 for those that it does not have.
    fn arranged(&self, number: usize, tensor: &Tensor, operand: &[Subscript]) -> Result<Tensor> {
        // Each letter's dimension in the operand; a letter that appears again is the diagonal.
        let mut tensor = tensor.clone();
        let letters = operand.iter().filter(|subscript| **subscript != Subscript::Ellipsis).count();
        let covered = tensor.ndim() - letters;
        let mut names: Vec<(Subscript, usize)> = Vec::new();
        for &subscript in operand {
            match subscript {
                // The dimensions of an ellipsis are those on the right.
                Subscript::Ellipsis => {
                    names.extend((self.ellipsis - covered..self.ellipsis).map(|nth| (subscript, nth)))
                }
                letter => names.push((letter, 0)),
            }
        }
        let mut d = 0;
        while d < names.len() {
            let Some(first) = names[..d].iter().position(|name| *name == names[d]) else {
                d += 1;
                continue;
            };
            let sizes = tensor.sizes();
            if sizes[first] != sizes[d] {
                bail!(Runtime, "einsum: operand {number} has sizes {} and {} for one letter", sizes[first], sizes[d]);
            }
            tensor = views::movedim(&diagonal(&tensor, 0, first as i64, d as i64)?, &[-1], &[first as i64])?;
            names.remove(d);
        }
        let mut order = Ints::new();
        let mut sizes: Vec<bool> = Vec::new();
        for &letter in &self.letters {
            for nth in 0..if letter == Subscript::Ellipsis { self.ellipsis } else { 1 } {
                let found = names.iter().position(|name| *name == (letter, nth));
                order.extend(found.map(|d| d as i64));
                sizes.push(found.is_some());
            }
        }
        let mut arranged = views::permute(&tensor, &order)?;
        for (d, _) in sizes.iter().enumerate().filter(|row| !row.1) {
            arranged = views::unsqueeze(&arranged, d as i64)?;
        }
        Ok(arranged)
    }
}

/// The sum over some dimensions of the products of two tensors that broadcast, as a product of matrices; those
/// dimensions are kept with size 1.
fn contracted(left: &Tensor, right: &Tensor, over: &[usize]) -> Result<Tensor> {
    let ndim = left.ndim();
    let (mut left, mut right) = (left.clone(), right.clone());
    let (mut batch, mut rows, mut columns, mut inner) = (vec![], vec![], vec![], vec![]);
    for d in 0..ndim {
        let (a, b) = (left.sizes()[d], right.sizes()[d]);
        let summed = over.contains(&d);
        match (a, b) {
            (1, 1) => batch.push(d),
            (_, 1) if summed => {
                left = sum(&left, Some(&[d as i64]), true, None)?;
                batch.push(d);
            }
            (1, _) if summed => {
                right = sum(&right, Some(&[d as i64]), true, None)?;
                batch.push(d);
            }
            (_, 1) => rows.push(d),
            (1, _) => columns.push(d),
            (a, b) if a != b => {
                bail!(Runtime, "einsum: sizes {a} and {b} of two operands for one letter do not broadcast")
            }
            _ if summed => inner.push(d),
            _ => batch.push(d),
        }
    }
    let (a, b) = (left.sizes(), right.sizes());
    let product = |sizes: &[usize], dims: &[usize]| dims.iter().map(|&d| sizes[d] as i64).product::<i64>();
    let flat = |tensor: &Tensor, sizes: &[usize], parts: [&[usize]; 4]| -> Result<Tensor> {
        let order: Ints = parts.iter().flat_map(|part| part.iter().map(|&d| d as i64)).collect();
        let [batch, first, second, _] = parts;
        let target = [product(sizes, batch), product(sizes, first), product(sizes, second)];
        views::reshape(&views::permute(tensor, &order)?, &target)
    };
    let result = bmm(
        &flat(&left, &a, [&batch, &rows, &inner, &columns])?,
        &flat(&right, &b, [&batch, &inner, &columns, &rows])?,
    )?;
    // The dimensions as they come out, and then in their order.
    let order: Vec<usize> = [&batch[..], &rows, &columns, &inner].concat();
    let size = |d: usize| match (a[d], b[d]) {
        _ if inner.contains(&d) => 1,
        (1, n) | (n, _) => n as i64,
    };
    let sizes: Ints = order.iter().map(|&d| size(d)).collect();
    let mut back = Ints::from_elem(0, ndim);
    for (place, &d) in order.iter().enumerate() {
        back[d] = place as i64;
    }
    views::permute(&views::view(&result, &sizes)?, &back)
}

op! {
    /// The sum of products that an equation such as `'ij,jk->ik'` names: a letter for each dimension, `...` for
    /// dimensions that broadcast. Without `->` the result has the letters that appear once, in their order.
    fn einsum(equation: String, operands: Tensors; path: Option<Ints> = None) -> Tensor, FUNCTION VARIADIC;
    value {
        let tensors: Vec<Tensor> = operands.iter().flatten().cloned().collect();
        if tensors.is_empty() {
            bail!(Value, "einsum: at least one operand is needed");
        }
        let equation = Equation::parse(equation)?;
        if equation.operands.len() != tensors.len() {
            bail!(Runtime, "einsum: the equation has {} operands, {} are given", equation.operands.len(), tensors.len());
        }
        let order = Order::new(&equation, &tensors)?;
        let arranged = tensors
            .iter()
            .zip(&equation.operands)
            .enumerate()
            .map(|(i, (tensor, operand))| order.arranged(i, tensor, operand))
            .collect::<Result<Vec<_>>>()?;
        let ndim = arranged[0].ndim();
        // The last operand that has a dimension is the one after which it can be summed over.
        let last = |d: usize| arranged.iter().rposition(|tensor| tensor.sizes()[d] != 1).unwrap_or(0);
        let over = |i: usize| -> Vec<usize> { (order.kept..ndim).filter(|&d| last(d) == i).collect() };
        let first: Ints = over(0).iter().map(|&d| d as i64).collect();
        if arranged.len() == 1 {
            return if first.is_empty() { Ok(arranged[0].clone()) } else { sum(&arranged[0], Some(&first), false, None) };
        }
        let mut result = arranged[0].clone();
        let wide: Ints = first.iter().copied().filter(|&d| result.sizes()[d as usize] != 1).collect();
        if !wide.is_empty() {
            result = sum(&result, Some(&wide), true, None)?;
        }
        for (i, next) in arranged.iter().enumerate().skip(1) {
            let over = over(i);
            result = match over[..] {
                [] => mul_tensors(&result, next)?,
                _ => contracted(&result, next, &over)?,
            };
        }
        let sizes = result.sizes();
        if sizes.len() == order.kept {
            return Ok(result);
        }
        views::view(&result, &views::ints(&sizes[..order.kept])).map_err(|error| error.context(shape::show(&sizes)))
    }
    derivative composite;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_taken_apart() {
        let letters = |text: &str| -> Vec<Subscript> { text.chars().map(Subscript::Letter).collect() };
        let equation = Equation::parse("ij, jk -> ki").unwrap();
        assert_eq!(equation.operands, [letters("ij"), letters("jk")]);
        assert_eq!(equation.result, letters("ki"));
        let implicit = Equation::parse("b...a,cBb").unwrap();
        assert_eq!(implicit.result, [&[Subscript::Ellipsis][..], &letters("Bac")].concat());
        for wrong in ["i.j", "i..", "i->j", "i->ii", "......", "i1"] {
            assert!(Equation::parse(wrong).is_err(), "{wrong}");
        }
    }
}
