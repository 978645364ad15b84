//! Transforms of short pieces of a signal, and back.

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{div, mul_tensors};
use crate::ops::complex::view_as_real;
use crate::ops::fft::{fft_c2c, fft_c2r, fft_r2c};
use crate::ops::gathering::{index_add, index_select};
use crate::ops::joining::cat_tensors;
use crate::ops::unary::abs;
use crate::ops::{reduction, views};
use crate::shape::{self, Dims};
use crate::tensor::Tensor;
use crate::{bail, op};

/// The window filled with zeros to `n_fft` elements on both sides; ones if there is none.
fn centered(name: &str, window: Option<&Tensor>, win_length: i64, n_fft: i64, dtype: DType) -> Result<Option<Tensor>> {
    let window = match window {
        Some(window) if window.ndim() != 1 || window.numel() as i64 != win_length => bail!(
            Runtime,
            "{name}: the window has to be one-dimensional with win_length={win_length} elements, its size is {}",
            shape::show(&window.sizes())
        ),
        Some(window) => window.clone(),
        None if win_length == n_fft => return Ok(None),
        None => Tensor::full(&[win_length as usize], 1i64.into(), dtype)?,
    };
    let before = (n_fft - win_length) / 2;
    let zeros = |count: i64| Tensor::zeros(&[count as usize], window.dtype());
    Ok(Some(if win_length == n_fft {
        window
    } else {
        cat_tensors(&[zeros(before)?, window.clone(), zeros(n_fft - win_length - before)?], 0)?
    }))
}

/// The signals with `by` more elements on both sides.
fn padded(signal: &Tensor, by: i64, mode: &str) -> Result<Tensor> {
    let length = signal.size(-1)? as i64;
    let place = |i: i64| -> Option<i64> {
        match mode {
            _ if (0..length).contains(&i) => Some(i),
            "reflect" if i < 0 => Some(-i),
            "reflect" => Some(2 * (length - 1) - i),
            "replicate" => Some(i.clamp(0, length - 1)),
            "circular" => Some(i.rem_euclid(length)),
            _ => None,
        }
    };
    if mode == "constant" {
        let mut sizes = signal.sizes();
        if let Some(last) = sizes.last_mut() {
            *last = by as usize;
        }
        let zeros = Tensor::zeros(&sizes, signal.dtype())?;
        return cat_tensors(&[zeros.clone(), signal.clone(), zeros], -1);
    }
    if !matches!(mode, "reflect" | "replicate" | "circular") {
        bail!(NotImplemented, "stft: pad_mode is 'constant', 'reflect', 'replicate' or 'circular', not '{mode}'");
    }
    if by > length || mode == "reflect" && by >= length {
        bail!(Runtime, "stft: {length} samples are too few to be padded by {by} on both sides in mode '{mode}'");
    }
    let places: Vec<i64> = (-by..length + by).filter_map(place).collect();
    index_select(signal, -1, &Tensor::from_slice(&places, &[places.len()])?)
}

op! {
    /// The Fourier transforms of overlapping pieces of a signal, `hop_length` samples apart and multiplied by a window.
    ///
    /// `input` has size `(length,)` or `(batch, length)`; the result is `(*, frequencies, pieces)`, with `n_fft` frequencies
    /// or, `onesided`, `n_fft // 2 + 1`, the default for real signals. With `center` the signal is padded by
    /// `n_fft // 2` samples on both sides. `hop_length` is by default `n_fft // 4`, `win_length` `n_fft`.
    /// J. Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier transform" (1977).
    fn stft(
        input: Tensor, n_fft: i64, hop_length: Option<i64> = None, win_length: Option<i64> = None,
        window: Option<Tensor> = None, center: bool = true, pad_mode: String = "reflect", normalized: bool = false,
        onesided: Option<bool> = None, return_complex: Option<bool> = None, align_to_window: Option<bool> = None
    ) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let (hop, width) = (hop_length.unwrap_or(n_fft / 4), win_length.unwrap_or(n_fft));
        let complex = input.dtype().is_complex() || window.is_some_and(|window| window.dtype().is_complex());
        let Some(as_complex) = return_complex.or(complex.then_some(true)) else {
            bail!(Runtime, "stft: return_complex= has to be given for a real signal and window; True is recommended");
        };
        if input.dtype() == DType::Bool && center {
            bail!(NotImplemented, "stft: a signal of bools cannot be padded");
        }
        if !input.dtype().is_differentiable() {
            bail!(Runtime, "stft: a floating point or complex signal is expected, got {}", input.dtype());
        }
        if align_to_window.is_some() && center {
            bail!(Runtime, "stft: align_to_window is for center=False");
        }
        if !(1..=2).contains(&input.ndim()) {
            bail!(Runtime, "stft: a signal or a batch of signals is expected, got size {}", shape::show(&input.sizes()));
        }
        let single = input.ndim() == 1;
        let batch = if single { views::unsqueeze(input, 0)? } else { input.clone() };
        let batch = if center { padded(&batch, n_fft / 2, pad_mode)? } else { batch };
        let length = batch.size(-1)? as i64;
        if n_fft <= 0 || n_fft > length {
            bail!(Runtime, "stft: n_fft has to be positive and at most {length}, the number of samples; it is {n_fft}");
        }
        if hop <= 0 || width <= 0 || width > n_fft {
            bail!(Runtime, "stft: hop_length has to be positive and win_length from 1 to n_fft={n_fft}, they are {hop} and {width}");
        }
        let window = centered("stft", window, width, n_fft, input.dtype().real())?;
        let pieces = 1 + (length - n_fft) / hop;
        let count = batch.size(0)? as i64;
        let places: Vec<i64> = (0..pieces).flat_map(|i| (0..n_fft).map(move |k| i * hop + k)).collect();
        let taken = index_select(&batch, 1, &Tensor::from_slice(&places, &[places.len()])?)?;
        let taken = views::view(&taken, &[count, pieces, n_fft])?;
        let taken = match &window {
            Some(window) => mul_tensors(&taken, window)?,
            None => taken,
        };
        let half = onesided.unwrap_or(!complex);
        let norm = i64::from(normalized);
        let spectrum = if taken.dtype().is_complex() {
            if half {
                bail!(Runtime, "stft: a complex signal or window has no onesided transform");
            }
            fft_c2c(&taken, &[2], norm, true)?
        } else {
            fft_r2c(&taken, &[2], norm, half)?
        };
        let spectrum = views::transpose(&spectrum, 1, 2)?;
        let spectrum = if single { views::squeeze(&spectrum, 0)? } else { spectrum };
        if as_complex { Ok(spectrum) } else { view_as_real(&spectrum) }
    }
    derivative composite;
}

/// The sums of pieces that lie `hop` samples apart, `(batch, pieces, n)`, as signals `(batch, length)`.
fn overlapped(pieces: &Tensor, hop: i64, length: i64) -> Result<Tensor> {
    let sizes = pieces.sizes();
    let places: Vec<i64> = (0..sizes[1] as i64).flat_map(|i| (0..sizes[2] as i64).map(move |k| i * hop + k)).collect();
    let empty = Tensor::zeros(&[sizes[0], length as usize], pieces.dtype())?;
    let flat = views::reshape(pieces, &[sizes[0] as i64, places.len() as i64])?;
    index_add(&empty, 1, &Tensor::from_slice(&places, &[places.len()])?, &flat, 1i64.into())
}

op! {
    /// The signal whose `stft` is the input, or the one nearest to it by the sum of squares.
    ///
    /// `input` has size `(*, frequencies, pieces)`, complex. `length` trims the result or fills it with zeros.
    /// D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform" (1984).
    fn istft(
        input: Tensor, n_fft: i64, hop_length: Option<i64> = None, win_length: Option<i64> = None,
        window: Option<Tensor> = None, center: bool = true, normalized: bool = false, onesided: Option<bool> = None,
        length: Option<i64> = None, return_complex: bool = false
    ) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let (hop, width) = (hop_length.unwrap_or(n_fft / 4), win_length.unwrap_or(n_fft));
        if !input.dtype().is_complex() {
            bail!(Runtime, "istft: complex elements are expected, got {}; see view_as_complex()", input.dtype());
        }
        if !(2..=3).contains(&input.ndim()) || input.numel() == 0 {
            bail!(Runtime, "istft: a spectrum or a batch of them is expected, not empty; got size {}", shape::show(&input.sizes()));
        }
        if hop <= 0 || width <= 0 || width > n_fft {
            bail!(Runtime, "istft: hop_length has to be positive and win_length from 1 to n_fft={n_fft}, they are {hop} and {width}");
        }
        let single = input.ndim() == 2;
        let batch = if single { views::unsqueeze(input, 0)? } else { input.clone() };
        let (frequencies, pieces) = (batch.size(1)? as i64, batch.size(2)? as i64);
        let half = onesided.unwrap_or(frequencies != n_fft);
        if frequencies != if half { n_fft / 2 + 1 } else { n_fft } {
            bail!(Runtime, "istft: {frequencies} frequencies do not fit n_fft={n_fft} and onesided={half}");
        }
        if return_complex && half {
            bail!(Runtime, "istft: a onesided spectrum is that of a real signal: return_complex=True needs onesided=False");
        }
        if !return_complex && window.is_some_and(|window| window.dtype().is_complex()) {
            bail!(Runtime, "istft: a complex window needs return_complex=True");
        }
        let real = input.dtype().real();
        let window = match centered("istft", window, width, n_fft, real)? {
            Some(window) => window,
            None => Tensor::full(&[n_fft as usize], 1i64.into(), real)?,
        };
        let across = views::transpose(&batch, 1, 2)?;
        let norm = if normalized { 1 } else { 2 };
        let signals = if return_complex {
            fft_c2c(&across, &[2], norm, false)?
        } else {
            fft_c2r(&views::narrow(&across, 2, 0, n_fft / 2 + 1)?, &[2], norm, n_fft)?
        };
        let whole = n_fft + hop * (pieces - 1);
        let sums = overlapped(&mul_tensors(&signals, &views::view(&window, &[1, 1, n_fft])?)?, hop, whole)?;
        let squares = views::view(&mul_tensors(&window, &window)?, &[1, 1, n_fft])?;
        let weights = overlapped(&views::expand(&squares, &[1, pieces, n_fft])?, hop, whole)?;
        let start = if center { n_fft / 2 } else { 0 };
        let end = match length {
            Some(length) => start + length,
            None if center => whole - n_fft / 2,
            None => whole,
        };
        let taken = |tensor: &Tensor| views::narrow(tensor, 1, start.min(whole), (end.min(whole) - start).max(0));
        let (sums, weights) = (taken(&sums)?, taken(&weights)?);
        if weights.numel() > 0 {
            let least = reduction::amin(&abs(&weights.detach())?, &[0, 1], false)?.item()?.to_f64();
            if least <= 1e-11 {
                bail!(Runtime, "istft: the windows do not cover the whole signal: the least sum of their squares is {least}");
            }
        }
        let signal = div((&sums).into(), (&weights).into())?;
        let signal = if end > whole {
            let missing = Tensor::zeros(&Dims::from_slice(&[signal.size(0)?, (end - whole) as usize]), signal.dtype())?;
            cat_tensors(&[signal, missing], 1)?
        } else {
            signal
        };
        if single { views::squeeze(&signal, 0) } else { Ok(signal) }
    }
    derivative composite;
}
