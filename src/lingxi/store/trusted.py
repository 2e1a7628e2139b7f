"""The types a stored scikit-learn estimator may hold beyond those that skops trusts itself.

Each is plain data of numpy or scikit-learn: loading it builds arrays and runs no code of the file.
"""

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    }
)
