def match_objects(boxes, scores, truth):
    """Which of the found corner boxes (n, 4) with scores (n,) are right, given the true ones (m, 4): booleans (n,)."""
    right, taken = np.zeros(len(boxes), dtype=bool), set()
    for index in np.argsort(-scores, kind="stable"):
        overlaps = iou(boxes[index], truth) if len(truth) else np.zeros(1)
        best = int(np.argmax(overlaps))
        if overlaps[best] > 0.5:
            right[index] = True
            taken.add(best)
    return right
