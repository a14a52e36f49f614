/** The normal and Student's distributions, as far as planning and change points need them. */
import assert from 'node:assert';

/**
 * The z with P(Z <= z) = p, for 0 < p < 1, to about 1e-9: P. J. Acklam's rational approximation (2003),
 * improved by one step of Halley's method.
 */
export function normalQuantile(p: number): number {
  assert(p > 0 && p < 1, 'probability');
  const z = approximateQuantile(p);
  const error = normalBelow(z) - p;
  const step = error * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
  return z - step / (1 + (z * step) / 2);
}

const centralA = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const centralB = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const tailC = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const tailD = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
const tailBegins = 0.02425;

function approximateQuantile(p: number): number {
  if (p > 1 - tailBegins) return -approximateQuantile(1 - p);
  if (p < tailBegins) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(tailC, q) / polynomial(tailD, q);
  }
  const q = p - 0.5;
  return (polynomial(centralA, q * q) * q) / polynomial(centralB, q * q);
}

/** Highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/** P(Z <= z), through the incomplete gamma function's relative, the t distribution with endless freedom. */
export function normalBelow(z: number): number {
  return z < 0 ? complementaryError(-z) / 2 : 1 - complementaryError(z) / 2;
}

/** erfc(x / sqrt 2) for x >= 0: a series near 0, Laplace's continued fraction in the tail. */
function complementaryError(x: number): number {
  const density = Math.exp((-x * x) / 2) * Math.sqrt(2 / Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 3; term > 1e-17 * sum; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 1 - density * sum;
  }
  let fraction = x;
  for (let n = 60; n >= 1; n -= 1) fraction = x + n / fraction;
  return density / fraction;
}

/** P(|T| >= |t|) for Student's t with `freedom` degrees: the regularised incomplete beta function. */
export function studentTwoSided(t: number, freedom: number): number {
  assert(freedom > 0, 'degrees of freedom');
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** I_x(a, b), by the continued fraction of DLMF 8.17.22, which converges fast where x is below its mean. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
  return front / betaFraction(x, a, b);
}

/** 1 + d1/(1 + d2/(1 + …)), from the far end: 400 terms are plenty for every a and b of ours. */
function betaFraction(x: number, a: number, b: number): number {
  let fraction = 1;
  for (let n = 400; n >= 1; n -= 1) fraction = 1 + betaTerm(n, x, a, b) / fraction;
  return fraction;
}

function betaTerm(n: number, x: number, a: number, b: number): number {
  const m = n >> 1;
  return n % 2 === 0
    ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** ln Γ(x) for x > 0: Stirling's series, after Γ(x) = Γ(x + 1)/x has brought x above 10. */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at += 1) shift += Math.log(at);
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
}
