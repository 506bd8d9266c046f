def precision_and_recall(right, scores, total):
    """Precision (n,) and recall (n,) after each box, highest score first; `total` objects are there, at least one."""
    hits = np.cumsum(right)
    return hits / np.arange(1, len(right) + 1), hits / total
