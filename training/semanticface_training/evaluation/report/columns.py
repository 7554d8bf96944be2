"""The columns of each table, as data: where the value is, what it is called, which end is good, how many digits."""

from __future__ import annotations

from semanticface_training.evaluation.report.views import Better, Column

LOW, HIGH, ZERO, NONE = Better.LOW, Better.HIGH, Better.ZERO, Better.NONE
N = Column("n", "N")

COVERAGE = (Column("answered", "Answered"), Column("asked", "of"), Column("rate", "%", HIGH, 1))
ERRORS = (
    N,
    Column("mean", "MSE", LOW, 4),
    Column("median", "median", LOW, 4),
    Column("std", "std", LOW, 4),
    Column("p90", "P90", LOW, 4),
    Column("mean_varying", "MSE, moving channels", LOW, 4),
    Column("own", "MSE, all its own", NONE, 4),
    Column("own_n", "N own"),
)
SPEED = Column("ms", "ms a frame", NONE, 1)
"""No contest: a method that reads features which another one has made is quick by that."""
CROSS = (
    N,
    Column("p_corr", "P Corr", HIGH, 4),
    Column("s_corr", "S Corr", HIGH, 4),
    Column("accuracy", "Accuracy", HIGH, 4),
    Column("f1", "F1", HIGH, 4),
    Column("balanced_accuracy", "balanced", HIGH, 4),
    Column("msd", "MSD", LOW, 4),
    Column("deviation_mae", "Deviation (mean |error|)", LOW, 4),
    Column("deviation_std", "Deviation (std of error)", LOW, 4),
    Column("undefined", "r undefined"),
)
RETRIEVAL = (
    Column("n_used", "N used"),
    Column("r1", "R@1", HIGH, 3),
    Column("r2", "R@2", HIGH, 3),
    Column("r3", "R@3", HIGH, 3),
    Column("mm_dist", "MM distance", LOW, 3),
    Column("relative_distance", "of ground truth's", NONE, 3),
)
TESTS = (
    N,
    Column("n_sequences", "sequences"),
    Column("difference", "difference", NONE, 5),
    Column("percent", "%", NONE, 1),
    Column("interval", "95 % (sequences)"),
    Column("t", "t", NONE, 2),
    Column("p_t", "p, t-test", NONE, 4),
    Column("p_wilcoxon", "p, Wilcoxon", NONE, 4),
    Column("p_sequences", "p, t of sequences", NONE, 4),
    Column("p_bootstrap", "p, bootstrap", NONE, 4),
)
HEAD_POSE = (
    N,
    Column("p_corr", "P Corr", HIGH, 4),
    Column("s_corr", "S Corr", HIGH, 4),
    Column("msd", "MSD", LOW, 4),
    Column("deviation_std", "Deviation (std)", LOW, 4),
    Column("mae_degrees", "mean |error|, degrees", LOW, 2),
    Column("likely", "follows"),
)
AVERAGES = (
    N,
    Column("varying", "moving"),
    Column("correlated", "with r"),
    Column("pearson", "Pearson", HIGH, 4),
    Column("spearman", "Spearman", HIGH, 4),
    Column("mae", "mean |error|", LOW, 4),
    Column("err_std", "std of error", LOW, 4),
    Column("mse", "MSE", LOW, 4),
    Column("mse_varying", "MSE, moving", LOW, 4),
)
COEFFICIENTS = (
    N,
    Column("mse", "MSE", LOW, 4),
    Column("pearson", "Pearson", HIGH, 4),
    Column("spearman", "Spearman", HIGH, 4),
    Column("mae", "mean |error|", LOW, 4),
    Column("bias", "bias", ZERO, 4),
    Column("err_std", "std of error", LOW, 4),
    Column("truth_std", "std of truth", NONE, 4),
)
MIRROR = (
    N,
    Column("mae", "mean |difference|", LOW, 4),
    Column("rms", "rms", LOW, 4),
    Column("pearson", "Pearson", HIGH, 4),
)
SWEEP = (
    N,
    Column("actions", "actions"),
    Column("spearman", "Spearman", HIGH, 4),
    Column("followed", "move most themselves", HIGH),
)
SIDES = (N, Column("mean", "r of left − right", HIGH, 4), Column("exchanged", "exchanged sides"))
TEMPORAL = (
    N,
    Column("sequences", "sequences"),
    Column("triples", "triples"),
    Column("jitter", "jitter", NONE, 5),
    Column("truth_jitter", "of the truth", NONE, 5),
    Column("ratio", "ratio", NONE, 2),
    Column("lag_frames", "lag, frames", ZERO),
    Column("lag_seconds", "lag, s", ZERO, 3),
    Column("correlation", "r at that lag", HIGH, 4),
    Column("unshifted", "r at none", HIGH, 4),
)
AGREEMENT = (
    N,
    Column("texts", "texts"),
    Column("agreeing", "agree, %", HIGH, 1),
    Column("per_text", "disagreements a text", LOW, 2),
    Column("claims", "claims a text", NONE, 2),
    Column("upheld", "claims upheld, %", HIGH, 1),
)
