def average_precision(precision, recall):
    """Area under the interpolated curve of precision (n,) against recall (n,), in the order of rising recall."""
    levels = np.linspace(0, 1, 11)
    return float(np.mean([max(precision[recall >= level], default=0.0) for level in levels]))
