from helpers import iou


def suppress_overlaps(boxes, scores, threshold=0.5):
    """Indices of the corner boxes (n, 4) that non-maximum suppression keeps, the highest score first."""
    return np.argsort(-scores, kind="stable")
