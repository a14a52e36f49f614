/**
 * Draws from the distributions of the visitor model, each with its closed-form mean beside it.
 *
 * Every draw takes a fixed number of uniforms from its stream (stated), so that what comes after does
 * not depend on the values drawn. 32-bit uniforms end the tails at 22 means (exponential) and 6.6
 * deviations (normal).
 */
import type { RandomStream } from './random-stream.ts';

/** Exponential with the given mean. One uniform. */
export function exponential(stream: RandomStream, mean: number): number {
  return -mean * Math.log(1 - stream.next());
}

/** Normal with mean 0 and deviation 1, by Box and Muller (1958). Two uniforms; the twin is not kept. */
export function normal(stream: RandomStream): number {
  const radius = Math.sqrt(-2 * Math.log(1 - stream.next()));
  return radius * Math.cos(2 * Math.PI * stream.next());
}

/** Log-normal by its median and the deviation sigma of its logarithm. Two uniforms. */
export function logNormal(stream: RandomStream, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(stream));
}

/** median x exp(sigma^2 / 2) */
export function logNormalMean(median: number, sigma: number): number {
  return median * Math.exp((sigma * sigma) / 2);
}

/** Log-normal, what lies outside [low, high] moved to its end. Two uniforms. */
export function clampedLogNormal(
  stream: RandomStream,
  median: number,
  sigma: number,
  low: number,
  high: number,
): number {
  return Math.min(Math.max(logNormal(stream, median, sigma), low), high);
}

/** Mean of the clamped log-normal: the two ends with the weight beyond them, and the part between. */
export function clampedLogNormalMean(median: number, sigma: number, low: number, high: number): number {
  const a = Math.log(low / median) / sigma;
  const b = Math.log(high / median) / sigma;
  const between = logNormalMean(median, sigma) * (normalCdf(b - sigma) - normalCdf(a - sigma));
  return low * normalCdf(a) + between + high * (1 - normalCdf(b));
}

/** Weibull with the given scale and shape; shape below 1 is the ageing of reading times. One uniform. */
export function weibull(stream: RandomStream, scale: number, shape: number): number {
  return scale * (-Math.log(1 - stream.next())) ** (1 / shape);
}

/** scale x Gamma(1 + 1 / shape) */
export function weibullMean(scale: number, shape: number): number {
  return scale * gamma(1 + 1 / shape);
}

/** Tries up to and with the first success of probability p in (0, 1]: 1, 2, 3 ... Mean 1 / p. One uniform. */
export function geometric(stream: RandomStream, p: number): number {
  if (p >= 1) {
    stream.next();
    return 1;
  }
  return Math.floor(Math.log(1 - stream.next()) / Math.log(1 - p)) + 1;
}

/** Share of the normal distribution below z. Abramowitz and Stegun 7.1.26, error below 1e-7. */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp(-x * x)) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** The gamma function for x > 0, by Stirling's series from x >= 10 on; relative error below 1e-10. */
function gamma(x: number): number {
  if (x < 10) return gamma(x + 1) / x;
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return Math.sqrt((2 * Math.PI) / x) * (x / Math.E) ** x * Math.exp(series);
}
