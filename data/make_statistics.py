"""Writes statistics.csv, the reference values of tests/statistics.rs.

Usage: python make_statistics.py > statistics.csv
Needs NumPy, SciPy, statsmodels and mpmath. SciPy's binomial tails and quantiles are checked here
against sums and roots in 50 digits (mpmath); where the two differ by more than 1e-12 (relative),
or where SciPy has no such function, the 50 digits are written and the source says so.
"""

import csv
import sys

import mpmath as mp
import numpy as np
from scipy import integrate, optimize, special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

mp.mp.dps = 50
AGREEMENT = 1e-12
rows = []


def row(function, arguments, expected, source):
    values = expected if isinstance(expected, (list, np.ndarray)) else [expected]
    text = ";".join(repr(int(v)) if isinstance(v, (int, np.integer)) else repr(float(v)) for v in values)
    rows.append([function, ";".join(str(a) for a in arguments), text, source])


def settled(scipy_value, exact, source):
    """SciPy's value where it agrees with the 50 digits, else the 50 digits."""
    exact_float = float(exact)
    if exact_float == 0.0 or abs(float(scipy_value) / exact_float - 1.0) <= AGREEMENT:
        return float(scipy_value), source
    return exact_float, f"mpmath in 50 digits; {source} is off by {float(scipy_value) / exact_float - 1.0:.1e}"


def tail(x, n, p, step):
    """Binomial tail from x outwards, up (step 1) or down (step -1), in 50 digits."""
    p = mp.mpf(p)
    term = mp.exp(mp.loggamma(n + 1) - mp.loggamma(x + 1) - mp.loggamma(n - x + 1)
                  + (x * mp.log(p) if x else 0) + ((n - x) * mp.log1p(-p) if n - x else 0))
    total, k = term, x
    odds = p / (1 - p) if step > 0 else (1 - p) / p
    while k < n if step > 0 else k > 0:
        ratio = odds * (mp.mpf(n - k) / (k + 1) if step > 0 else mp.mpf(k) / (n - k + 1))
        term *= ratio
        total += term
        k += step
        if ratio < 1 and term < total * mp.mpf(10) ** -30:
            break
    return total


def upper(x, n, p):
    return 1 - tail(x - 1, n, p, -1) if 0 < x < n * p else (mp.mpf(1) if x == 0 else tail(x, n, p, 1))


def lower(x, n, p):
    return 1 - tail(x + 1, n, p, 1) if n * p < x < n else (mp.mpf(1) if x == n else tail(x, n, p, -1))


def binomial_rows():
    cases = [(0, 1, .5), (1, 1, .5), (0, 10, .3), (10, 10, .3), (3, 10, .3), (59, 59, .95), (58, 59, .95),
             (390, 400, .95), (380, 400, .95), (360, 400, .95), (320, 400, .95), (400, 400, .95),
             (0, 400, .05), (84, 100, .5), (85, 100, .5), (16, 100, .5), (15, 100, .5), (3, 20, 1e-4),
             (6, 1000, 1e-5), (1999, 2000, .99), (1000, 2000, .5), (950_000, 1_000_000, .95),
             (951_500, 1_000_000, .95), (948_400, 1_000_000, .95), (500_100, 1_000_000, .5),
             (0, 1_000_000, 1e-6), (7, 1_000_000, 1e-6), (1_000_000, 1_000_000, .9999999)]
    for x, n, p in cases:
        value, source = settled(stats.binom.sf(x - 1, n, p), upper(x, n, p), "scipy.stats.binom.sf(x - 1; n; p)")
        row("upper_tail", (x, n, p), value, source)
        row("p_value_supported", (x, n, p), value, source)
        value, source = settled(stats.binom.cdf(x, n, p), lower(x, n, p), "scipy.stats.binom.cdf(x; n; p)")
        row("lower_tail", (x, n, p), value, source)
        row("p_value_refuted", (x, n, p), value, source)
        exact = mp.log(mp.binomial(n, x)) + x * mp.log(mp.mpf(p)) + (n - x) * mp.log1p(-mp.mpf(p))
        row("log_pmf", (x, n, p), float(exact), "mpmath log of binomial(n; x) p^x (1-p)^(n-x) in 50 digits")


def critical(n, level, alpha):
    """Smallest count that rejects at size alpha, n + 1 if none does."""
    return int(np.argmax(np.append(stats.binom.sf(np.arange(n + 1) - 1, n, level), 0.0) <= alpha))


def power(n, truth, level, alpha):
    return float(stats.binom.sf(critical(n, level, alpha) - 1, n, truth))


def design_rows():
    for level, alpha in [(.95, .05), (.95, .01), (.95, 1e-6), (.99, .05), (.5, .05), (.999, 1e-3), (.05, .04), (.9, .0125)]:
        least = next(n for n in range(10**6) if stats.binom.sf(n - 1, n, level) <= alpha)
        row("smallest_trials_to_support", (level, alpha), least, "first n with scipy.stats.binom.sf(n - 1; n; level) <= alpha")
    for case in [(59, .99, .95, .05), (58, .99, .95, .05), (400, .99, .95, .01), (400, .97, .95, 1e-6), (2000, .96, .95, .05),
                 (1000, .95, .95, .05), (100, .9, .95, .05), (50_000, .951, .95, .05), (0, .9, .5, .05), (93, 1.0, .95, .05)]:
        row("power_supported", case, power(*case), "scipy.stats.binom.sf at the critical count found with the same call")
    for truth, level, alpha, target, limit in [(.99, .95, .05, .9, 5000), (1.0, .95, .05, .8, 5000), (.98, .95, .01, .8, 5000),
                                               (.6, .5, .05, .8, 5000), (.999, .95, 1e-6, .99, 5000), (.96, .95, .05, .8, 500),
                                               # 19 further sizes would give another answer here, 21 in the next.
                                               (.98, .95, .05, .8, 5000), (.98, .95, .05, .75, 5000)]:
        enough = [power(n, truth, level, alpha) >= target for n in range(limit + 21)]
        least = next((n for n in range(limit + 1) if all(enough[n:n + 21])), -1)
        row("trials_for_power", (truth, level, alpha, target, limit), least,
            "first n <= max with the power of n to n + 20 at least the target (scipy.stats.binom.sf); -1 is none")


def root(f, guess):
    """Root of f in 50 digits near a good guess (secant from two points close to it)."""
    guess = mp.mpf(guess)
    return mp.findroot(f, (guess, guess * (1 + mp.mpf(10) ** -9)), solver="secant", tol=mp.mpf(10) ** -50)


def interval_rows():
    cases = [(0, 1), (1, 1), (0, 20), (20, 20), (1, 20), (19, 20), (10, 20), (390, 400), (400, 400), (0, 400), (7, 2000),
             (0, 10**6), (3, 10**6), (950_000, 10**6), (999_998, 10**6), (10**6, 10**6)]
    for x, n in cases:
        for alpha in [.05, 1e-3, 1e-6]:
            half = mp.mpf(alpha) / 2
            low, source = 0.0, "exact"
            if x > 0:
                low = float(stats.beta.ppf(alpha / 2, x, n - x + 1))
                exact = root(lambda p: mp.log(upper(x, n, p) / half), low) if x < n else half ** (mp.mpf(1) / n)
                low, source = settled(low, exact, "scipy.stats.beta.ppf(alpha/2; x; n-x+1)")
            row("clopper_pearson_low", (x, n, alpha), low, source)
            high, source = 1.0, "exact"
            if x < n:
                high = float(stats.beta.isf(alpha / 2, x + 1, n - x))
                exact = root(lambda p: mp.log(lower(x, n, p) / half), high) if x > 0 else 1 - half ** (mp.mpf(1) / n)
                high, source = settled(high, exact, "scipy.stats.beta.isf(alpha/2; x+1; n-x)")
            row("clopper_pearson_high", (x, n, alpha), high, source)
            z2 = (mp.sqrt(2) * mp.erfinv(1 - mp.mpf(alpha))) ** 2 / n
            rate = mp.mpf(x) / n
            spread = mp.sqrt(z2 * (rate * (1 - rate) + z2 / 4))
            low, high = proportion_confint(x, n, alpha, method="wilson")
            source = "statsmodels proportion_confint(x; n; alpha; 'wilson')"
            low, low_source = settled(low, (rate + z2 / 2 - spread) / (1 + z2), source) if x else (0.0, "exact")
            high, high_source = settled(high, (rate + z2 / 2 + spread) / (1 + z2), source) if x < n else (1.0, "exact")
            row("wilson_low", (x, n, alpha), low, low_source)
            row("wilson_high", (x, n, alpha), high, high_source)


def family_rows():
    rng = np.random.default_rng(20240)
    cases = [[.01], [.5, .03, .01, .02], [.04, .04, .04], [1.0, 0.0, .3], [1e-12, 1e-6, .9, .9], list(rng.random(12) ** 3)]
    for values in cases:
        row("holm", [repr(float(v)) for v in values], multipletests(values, method="holm")[1], "statsmodels multipletests(method='holm')")
    for values in [[1.5], [3., 1.], [5., 2., 9.], list(rng.normal(size=10)), list(rng.normal(size=31) * 1e6)]:
        row("median", [repr(float(v)) for v in values], np.median(values), "numpy.median")
        for q in [0.0, .05, .25, 1 / 3, .5, .9, .999, 1.0]:
            ordered = np.sort(values)
            row("quantile", [repr(q)] + [repr(float(v)) for v in ordered], np.quantile(ordered, q), "numpy.quantile (linear)")


def log_likelihood(x, n, q):
    """ln(q^x (1-q)^(n-x)), with 0 ln 0 = 0."""
    return (x * mp.log(q) if x else mp.mpf(0)) + ((n - x) * mp.log1p(-q) if n - x else mp.mpf(0))


def mixture(x, n, low, high, level):
    """ln of the mean over q uniform on [low, high] of f(q)/f(level), f the likelihood, integrated
    piece by piece around its peak, twice: by mpmath and by SciPy, which must agree."""
    level, low, high = mp.mpf(level), mp.mpf(low), mp.mpf(high)
    peak = min(max(mp.mpf(x) / n, low), high)
    slope = (x / peak if x else 0) - ((n - x) / (1 - peak) if n - x else 0)
    bend = (x / peak**2 if x else 0) + ((n - x) / (1 - peak) ** 2 if n - x else 0)
    scale = 1 / (abs(slope) + mp.sqrt(bend) + 1)
    steps = [sign * scale * mp.mpf(2) ** (k / mp.mpf(2)) for k in range(-6, 45) for sign in (-1, 1)]
    cuts = sorted({low, high, peak} | {peak + s for s in steps if low < peak + s < high})
    shift = log_likelihood(x, n, peak)

    def density(q):
        return mp.exp(log_likelihood(x, n, q) - shift)

    # Beyond these pieces the density is below 1e-30 of its peak.
    pieces = [(a, b) for a, b in zip(cuts, cuts[1:]) if density((a + b) / 2) > mp.mpf(10) ** -40]
    rest = shift - mp.log(high - low) - log_likelihood(x, n, level)
    exact = mp.log(mp.fsum(mp.quad(density, piece) for piece in pieces)) + rest
    numeric = sum(integrate.quad(lambda q: float(density(mp.mpf(q))), float(a), float(b), epsabs=0, epsrel=1e-11)[0]
                  for a, b in pieces)
    difference = abs(float(mp.log(mp.mpf(numeric)) + rest - exact))
    assert difference <= 1e-9 * max(1, abs(exact)), (x, n, low, high, level, difference, exact)
    return float(exact)


def sequence_end(x, n, alpha, low, high):
    """Where B(x+1, n-x+1) / (p^x (1-p)^(n-x)) crosses 1/alpha between low and high."""
    def excess(p):
        beta = special.betaln(x + 1, n - x + 1)
        return beta - special.xlogy(x, p) - special.xlog1py(n - x, -p) + np.log(alpha)

    log_beta = mp.loggamma(x + 1) + mp.loggamma(n - x + 1) - mp.loggamma(n + 2)
    near = optimize.brentq(excess, low, high, xtol=1e-18, rtol=1e-12)
    return float(root(lambda p: log_beta - log_likelihood(x, n, p) + mp.log(mp.mpf(alpha)), near))


def sequential_rows():
    cases = [(0, 1, .95), (1, 1, .95), (59, 59, .95), (100, 100, .95), (390, 400, .95), (380, 400, .95),
             (360, 400, .95), (200, 400, .95), (400, 400, .95), (0, 400, .95), (3, 400, .01), (0, 50, .01),
             (600, 1000, .5), (9990, 10_000, .95), (9500, 10_000, .95), (950_000, 1_000_000, .95),
             (951_500, 1_000_000, .95), (948_000, 1_000_000, .95)]
    source = "mpmath.quad of the mixture integral in 50 digits; scipy.integrate.quad agrees"
    for x, n, level in cases:
        row("log_e_supported", (x, n, level), mixture(x, n, level, 1, level), source)
        row("log_e_refuted", (x, n, level), mixture(x, n, 0, level, level), source)
    cases = [(0, 1), (1, 1), (0, 100), (100, 100), (1, 100), (50, 100), (390, 400), (9500, 10_000),
             (2, 100_000), (950_000, 1_000_000)]
    source = "scipy.optimize.brentq of the log mixture; then mpmath.findroot in 50 digits"
    for x, n in cases:
        for alpha in [.05, 1e-6]:
            low = sequence_end(x, n, alpha, 1e-200, x / n) if x else 0.0
            high = sequence_end(x, n, alpha, x / n, 1 - 1e-16) if x < n else 1.0
            row("confidence_sequence_low", (x, n, alpha), low, source if x else "exact")
            row("confidence_sequence_high", (x, n, alpha), high, source if x < n else "exact")


def hypergeometric_rows():
    for n, k in [(1, 0), (1, 1), (5, 2), (16, 8), (30, 1), (52, 5), (100, 50), (4096, 1), (4096, 64), (4096, 2048), (10**6, 3), (10**6, 500_000)]:
        row("log_choose", (n, k), float(mp.log(mp.binomial(n, k))), "mpmath log of binomial in 50 digits")
    for population, marked, draws in [(7, 4, 3), (64, 8, 8), (64, 60, 32), (128, 16, 100), (4096, 2048, 2048), (4096, 64, 512), (4096, 4000, 100), (4096, 100, 4000)]:
        first, last = max(0, draws + marked - population), min(marked, draws)
        mean = draws * marked // population
        spread = max(1, int((last - first) ** .5))
        total = mp.binomial(population, draws)
        masses = {k: mp.binomial(marked, k) * mp.binomial(population - marked, draws - k) / total for k in range(first, last + 1)}
        counts = {first, first + 1, mean, mean + 1, mean - spread, mean + spread, mean - 3 * spread, mean - 6 * spread, last - 1, last}
        for x in sorted(c for c in counts if first <= c <= last and masses[c] > mp.mpf(10) ** -290):
            args = (population, marked, draws, x)
            value, source = settled(stats.hypergeom.pmf(x, population, marked, draws), masses[x], "scipy.stats.hypergeom.pmf")
            row("hypergeometric_pmf", args, float(masses[x]), f"exact integers in mpmath ({source})")
            cumulative = mp.fsum(masses[k] for k in range(first, x + 1))
            value, source = settled(stats.hypergeom.cdf(x, population, marked, draws), cumulative, "scipy.stats.hypergeom.cdf")
            row("hypergeometric_lower_tail", args, float(cumulative), f"exact integers in mpmath ({source})")


for make in (binomial_rows, design_rows, interval_rows, family_rows, sequential_rows, hypergeometric_rows):
    make()
writer = csv.writer(sys.stdout, lineterminator="\n")
writer.writerow(["function", "arguments", "expected", "source"])
writer.writerows(rows)
