"""The numbers that SemanticFace prints (arXiv 2603.14827), typed in: what our own aggregation is held to.

Percentages stand here as shares. Knows nothing of what follows from the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from semanticface_training.evaluation.metrics.coefficients import CoefficientRow

TEST_FRAMES = 4_700
"""Size of the test split as section 4.1.3 has it; `precision` says why the tables may be over more."""
DECIMALS = 4
"""Of every figure in Tables 1, 5, 6 and 7 (percentages with two decimals as shares)."""

_PER_COEFFICIENT = """
MouthRight 0.0000 - - 0.0000
TongueOut 0.0000 - - 0.0000
LeftEyeRoll 0.0000 - - 0.0000
RightEyeRoll 0.0000 - - 0.0000
JawRight 0.0000 -0.0003 -0.0003 0.0025
CheekPuff 0.0000 -0.0005 -0.0005 0.0032
MouthLeft 0.0001 -0.0031 -0.0031 0.0083
MouthFrownRight 0.0002 0.2529 0.2367 0.0144
MouthFrownLeft 0.0002 0.2159 0.1968 0.0145
EyeLookUpLeft 0.0002 0.3537 0.3341 0.0155
EyeLookUpRight 0.0002 0.3537 0.3341 0.0155
MouthShrugUpper 0.0002 0.6421 0.4816 0.0155
MouthRollLower 0.0003 0.5860 0.5840 0.0167
EyeLookOutLeft 0.0004 0.6045 0.4329 0.0208
MouthRollUpper 0.0005 0.5105 0.4798 0.0227
EyeSquintLeft 0.0008 0.5283 0.4858 0.0276
EyeSquintRight 0.0008 0.5273 0.4849 0.0278
MouthPressRight 0.0008 0.3044 0.2299 0.0276
MouthShrugLower 0.0008 0.6138 0.4356 0.0281
JawLeft 0.0010 0.2012 0.1975 0.0300
MouthPressLeft 0.0010 0.2816 0.2200 0.0298
EyeLookOutRight 0.0010 0.4863 0.3927 0.0311
EyeLookInLeft 0.0014 0.5907 0.5123 0.0370
MouthDimpleLeft 0.0017 0.2240 0.2164 0.0385
MouthClose 0.0018 0.7754 0.7399 0.0429
LeftEyeYaw 0.0020 0.4663 0.4054 0.0424
RightEyeYaw 0.0020 0.4604 0.3985 0.0428
JawForward 0.0023 0.6601 0.6507 0.0454
MouthDimpleRight 0.0025 0.2056 0.1993 0.0451
MouthFunnel 0.0026 0.7588 0.7413 0.0494
CheekSquintRight 0.0029 0.7072 0.6977 0.0532
CheekSquintLeft 0.0029 0.6985 0.6919 0.0531
MouthUpperUpLeft 0.0029 0.7378 0.6936 0.0488
BrowDownRight 0.0032 0.6638 0.5664 0.0544
BrowDownLeft 0.0032 0.6636 0.5664 0.0544
EyeLookInRight 0.0033 0.4145 0.3049 0.0534
MouthUpperUpRight 0.0035 0.7353 0.6903 0.0507
MouthStretchLeft 0.0036 0.6715 0.6399 0.0522
JawOpen 0.0037 0.8282 0.8020 0.0596
HeadRoll 0.0037 0.5340 0.5023 0.0599
MouthStretchRight 0.0038 0.6731 0.6427 0.0531
NoseSneerLeft 0.0040 0.5884 0.5546 0.0509
HeadPitch 0.0045 0.7489 0.7209 0.0557
NoseSneerRight 0.0046 0.6101 0.5772 0.0516
MouthLowerDownRight 0.0047 0.9410 0.9428 0.0674
HeadYaw 0.0048 0.5769 0.5560 0.0533
MouthLowerDownLeft 0.0051 0.9404 0.9423 0.0681
MouthSmileLeft 0.0054 0.8915 0.8351 0.0684
BrowInnerUp 0.0056 0.9431 0.8344 0.0747
MouthPucker 0.0059 0.8556 0.7165 0.0704
MouthSmileRight 0.0061 0.8823 0.8402 0.0728
LeftEyePitch 0.0064 0.7380 0.7181 0.0509
RightEyePitch 0.0064 0.7380 0.7181 0.0509
EyeWideRight 0.0066 0.6728 0.5264 0.0725
EyeWideLeft 0.0067 0.6725 0.5261 0.0725
BrowOuterUpRight 0.0080 0.9075 0.8480 0.0805
BrowOuterUpLeft 0.0080 0.9077 0.8489 0.0804
EyeBlinkLeft 0.0086 0.9165 0.7327 0.0703
EyeBlinkRight 0.0087 0.9162 0.7324 0.0705
EyeLookDownLeft 0.0172 0.8162 0.7961 0.0639
EyeLookDownRight 0.0172 0.8168 0.7965 0.0640
"""
"""Tables 6 and 7: name, MSE, Pearson, Spearman, Deviation; "-" as printed."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One line of a table with the columns of Cross-Comparison; None where it prints "-" or has no such column."""

    name: str
    p_corr: float | None
    s_corr: float | None
    msd: float
    deviation: float


TABLE1_OURS = Printed("SemanticFace", 0.7050, 0.6332, 0.0060, 0.0554)
TABLE1_DEADFACE = Printed("DeadFace", 0.6848, 0.6703, 0.0094, 0.0691)
TABLE1_SBCA = Printed("SBCA", 0.6744, 0.6561, 0.0298, 0.1470)
TABLE1_MSE = {"DeadFace": 0.0316, "SBCA": 0.0190, "SemanticFace": 0.0034}
TABLE7_AVERAGE = Printed("Average", 0.5966, 0.5429, 0.0036, 0.0456)
TABLE3_A2_MEAN = 0.00334
"""Mean MSE of A2 in Table 3, which prints 3.34 and means thousandths."""
TABLE5 = (
    Printed("HeadYaw", 0.5769, 0.5560, 0.0048, 0.0533),
    Printed("HeadPitch", 0.7489, 0.7209, 0.0045, 0.0557),
    Printed("HeadRoll", 0.5340, 0.5023, 0.0037, 0.0599),
)
TABLE5_DEADFACE = (
    Printed("HeadYaw", 0.2061, 0.2103, 0.0074, 0.0843),
    Printed("HeadPitch", 0.1960, 0.2136, 0.0350, 0.0903),
    Printed("HeadRoll", 0.9018, 0.8960, 0.0009, 0.0306),
)
R_PRECISION = {
    "GT-test": (0.2428, 0.3860, 0.4848, 1.00),
    "DeadFace": (0.1343, 0.2306, 0.3025, 2.12),
    "SemanticFace": (0.2215, 0.3706, 0.4806, 1.18),
}
"""Table 1: R-Precision at 1, 2, 3, and the distance that it calls MMD."""


def per_coefficient_rows() -> tuple[CoefficientRow, ...]:
    """Tables 6 and 7 as rows of ours, in the printed order; "Deviation" is read as the error's standard deviation.

    Where the table prints "-", neither truth nor prediction moves, as the paper's appendix D says.
    """
    return tuple(_row(*line.split()) for line in _PER_COEFFICIENT.strip().splitlines())


def _row(name: str, mse: str, p_corr: str, s_corr: str, deviation: str) -> CoefficientRow:
    moves = p_corr != "-"
    return CoefficientRow(
        name=name,
        n=TEST_FRAMES,
        mse=float(mse),
        pearson=float(p_corr) if moves else None,
        spearman=float(s_corr) if moves else None,
        mae=None,
        bias=None,
        err_std=float(deviation),
        truth_std=None,
        truth_varies=moves,
        predicted_varies=moves,
    )
