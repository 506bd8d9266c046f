def iou(a, b):
    overlap = intersection(a, b)
    return np.float64(overlap) / (area(a) + area(b) - overlap)
