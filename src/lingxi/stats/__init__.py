"""Pure functions of arrays: metrics, intervals, estimators."""
