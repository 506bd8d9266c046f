def average_precision(precision, recall):
    """Area under the interpolated curve of precision (n,) against recall (n,), in the order of rising recall."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
