"""The types a stored scikit-learn estimator may hold beyond those that skops trusts itself."""

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "scipy.special._ufuncs.expit",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.tree._tree.Tree",
    }
)
