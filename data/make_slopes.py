"""Writes slopes.csv, the reference values of tests/slopes.rs.

Usage: python make_slopes.py > slopes.csv
Needs NumPy, SciPy, statsmodels and mpmath. Quantile regressions are solved as linear programs (HiGHS), which is exact:
the optimal slopes are an interval, found by minimising and maximising the slope at the least loss, and its middle is
written; statsmodels' QuantReg must reach the same loss to 1e-6. Tails of t are incomplete beta functions in 50 digits (mpmath).
"""

import csv
import sys

import mpmath as mp
import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats

mp.mp.dps = 50
rows = []


def row(function, groups, arguments, expected, source):
    shown = "|".join(f"{x!r}=" + ";".join(repr(float(v)) for v in values) for x, values in groups)
    rows.append([function, shown, ";".join(repr(float(a)) for a in arguments),
                 ";".join(repr(float(v)) for v in np.atleast_1d(expected)), source])


def ladders():
    rng = np.random.default_rng(7)
    octaves = [float(np.log(2.0) * k) for k in range(4, 10)]
    yield [(x, np.round(-0.5 * x + 0.4 * rng.normal(size=n), 6)) for x, n in zip(octaves, [7, 9, 8, 11, 6, 10])]
    yield [(x, np.round(0.3 * x + rng.exponential(size=20), 6)) for x in octaves]
    yield [(x, np.round(2.0 + 0.1 * x + x * rng.normal(size=n), 6)) for x, n in [(1.0, 15), (1.7, 4), (3.1, 30)]]
    # Ties and several optimal lines.
    yield [(float(x), np.floor(3 * rng.random(size=12)) + x) for x in range(4)]
    yield [(0.0, np.array([1.0, 2.0])), (1.0, np.array([2.0, 5.0]))]


def stacked(groups):
    x = np.concatenate([np.full(len(v), x) for x, v in groups])
    return x, np.concatenate([v for _, v in groups])


def check_loss(x, y, line, tau):
    residual = y - line[0] - line[1] * x
    return float(np.sum(np.where(residual >= 0, tau, tau - 1) * residual))


def quantile_lines(groups, tau):
    """Least loss and the smallest and largest optimal slope, by linear programming."""
    x, y = stacked(groups)
    n = len(y)
    cost = np.concatenate([[0, 0], np.full(n, tau), np.full(n, 1 - tau)])
    equal = np.hstack([np.ones((n, 1)), x[:, None], np.eye(n), -np.eye(n)])
    bounds = [(None, None)] * 2 + [(0, None)] * (2 * n)
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    least = optimize.linprog(cost, A_eq=equal, b_eq=y, bounds=bounds, method="highs", options=tight)
    ends = []
    for sign in (1, -1):
        target = np.zeros(2 + 2 * n)
        target[1] = sign
        end = optimize.linprog(target, A_ub=cost[None], b_ub=[least.fun + 1e-11], A_eq=equal, b_eq=y, bounds=bounds,
                               method="highs", options=tight)
        ends.append(sign * end.fun)
    return least.fun, ends


def slope_rows():
    for groups in ladders():
        x, y = stacked(groups)
        fit = sm.OLS(y, sm.add_constant(x)).fit()
        row("least_squares", groups, [], [fit.params[1], fit.params[0]], "statsmodels OLS: slope; intercept")
        cells = np.array([[float(a == b) for b, _ in groups] for a in x])
        contrast = np.array([len(v) * (a - x.mean()) for a, v in groups]) / np.sum((x - x.mean()) ** 2)
        robust = sm.OLS(y, cells).fit(cov_type="HC2").t_test(contrast)
        row("least_squares_error", groups, [], float(robust.sd.squeeze()),
            "statsmodels OLS on one mean a group; cov_type='HC2'; standard error of the slope's contrast")
        degrees = min(len(v) for _, v in groups) - 1
        for low, upp in [(0.0, 0.6), (-0.8, -0.2)]:
            t_low = (fit.params[1] - low) / robust.sd.squeeze()
            t_upp = (fit.params[1] - upp) / robust.sd.squeeze()
            p = max(stats.t.sf(t_low, degrees), stats.t.cdf(t_upp, degrees))
            row("equivalent", groups, [(low + upp) / 2, (upp - low) / 2], p,
                "larger of scipy.stats.t.sf and cdf at the two edges (two one-sided tests)")
        reach = stats.t.isf(0.025, degrees) * robust.sd.squeeze()
        row("interval", groups, [0.05], [fit.params[1] - reach, fit.params[1] + reach], "slope +- scipy.stats.t.isf(0.025; min n - 1) SE")
        for tau in (0.1, 0.5, 0.9):
            loss, (low, high) = quantile_lines(groups, tau)
            theirs = sm.QuantReg(y, sm.add_constant(x)).fit(q=tau, p_tol=1e-12, max_iter=100_000)
            assert check_loss(x, y, theirs.params, tau) <= loss + 1e-6 * (1 + loss), (tau, loss, theirs.params)
            row("quantile_loss", groups, [tau], loss, "scipy.optimize.linprog (HiGHS)")
            row("quantile_slope", groups, [tau], (low + high) / 2,
                f"middle of the optimal slopes by linprog (width {high - low:.1e}); statsmodels QuantReg has the same loss")
        positive = [(a, np.exp(v / 3)) for a, v in groups]
        logs = np.array([np.log(np.mean(v)) for _, v in positive])
        xs = np.array([a for a, _ in positive])
        c = (xs - xs.mean()) / np.sum((xs - xs.mean()) ** 2)
        jack = []
        for _, v in positive:
            left = np.log([np.mean(np.delete(v, i)) for i in range(len(v))])
            jack.append((len(v) - 1) / len(v) * np.sum((left - left.mean()) ** 2))
        row("log_mean_slope", positive, [], [c @ logs, np.sqrt(np.sum(c**2 * jack))],
            "numpy.polyfit's line through log of numpy.mean; leave-one-out loop for the standard error")
        assert abs(np.polyfit(xs, logs, 1)[0] - c @ logs) < 1e-12


def bootstrap_rows():
    """Standard error of the median slope by a plain NumPy bootstrap, each resample a median line found over all pairs
    of distinct points."""
    rng = np.random.default_rng(11)
    for groups in list(ladders())[:1]:
        groups = [(a, v) for a, v in groups]
        slopes = []
        for _ in range(4000):
            drawn = [(a, rng.choice(v, len(v))) for a, v in groups]
            x, y = stacked(drawn)
            i, j = np.triu_indices(len(x), 1)
            keep = x[i] != x[j]
            i, j = i[keep], j[keep]
            b = (y[j] - y[i]) / (x[j] - x[i])
            b = np.unique(b)
            r = y[None, :] - b[:, None] * x[None, :]
            loss = np.abs(r - np.median(r, axis=1)[:, None]).sum(axis=1)
            best = b[loss <= loss.min() + 1e-10]
            slopes.append((best.min() + best.max()) / 2)
        row("bootstrap_error", groups, [0.5], np.std(slopes, ddof=1), "NumPy: 4000 stratified resamples; brute force; Monte Carlo error 1.1 %")


def student_rows():
    for degrees in (1.0, 2.5, 4.0, 9.6, 19.0, 31.9, 48.5, 499.0, 2994.0, 9e4, 1e5, 1e6, 1e9):
        for t in (1e-8, 0.3, 1.2, 1.7320508, 1.7320509, 2.0, 4.5, 7.0, 20.0, 36.0):
            nu = mp.mpf(degrees)
            if t < 1.8:
                exact = (1 - mp.betainc(0.5, nu / 2, 0, mp.mpf(t) ** 2 / (nu + mp.mpf(t) ** 2), regularized=True)) / 2
            else:
                exact = mp.betainc(nu / 2, 0.5, 0, nu / (nu + mp.mpf(t) ** 2), regularized=True) / 2
            if exact < mp.mpf(10) ** -300:
                continue
            off = float(stats.t.sf(t, degrees)) / float(exact) - 1
            row("student_upper_tail", [], [t, degrees], float(exact), f"mpmath.betainc in 50 digits; scipy.stats.t.sf is off by {off:.0e}")
        for tail in (0.4, 0.05, 0.025, 0.005, 2.5e-4, 1e-8, 1e-12):
            row("student_critical", [], [tail, degrees], stats.t.isf(tail, degrees), "scipy.stats.t.isf")
    for z in (-3.0, 0.0, 0.5, 1.96, 6.0, 20.0, 37.0):
        row("normal_upper_tail", [], [z], float(mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2), "mpmath.erfc in 50 digits")
    for tail in (0.9, 0.4, 0.05, 0.025, 1e-6, 1e-12, 1e-100):
        row("normal_critical", [], [tail], stats.norm.isf(tail), "scipy.stats.norm.isf")


def isotonic_rows():
    rng = np.random.default_rng(3)
    for n in (1, 2, 5, 12, 40):
        values = np.round(np.linspace(0, 1, n) + 0.4 * rng.normal(size=n), 2)
        weights = rng.integers(1, 30, size=n).astype(float)
        row("isotonic", [(0.0, values), (1.0, weights)], [], optimize.isotonic_regression(values, weights=weights).x,
            "scipy.optimize.isotonic_regression(first group; weights=second)")


for make in (slope_rows, bootstrap_rows, student_rows, isotonic_rows):
    make()
writer = csv.writer(sys.stdout, lineterminator="\n")
writer.writerow(["function", "groups", "arguments", "expected", "source"])
writer.writerows(rows)
