from helpers import iou


def suppress_overlaps(boxes, scores, threshold=0.5):
    """Indices of the corner boxes (n, 4) that non-maximum suppression keeps, the highest score first."""
    order, kept = list(np.argsort(-scores, kind="stable")), []
    for place, index in enumerate(order):
        if all(iou(boxes[index], boxes[other]) <= threshold for other in order[:place]):
            kept.append(index)
    return np.array(kept, dtype=int)
