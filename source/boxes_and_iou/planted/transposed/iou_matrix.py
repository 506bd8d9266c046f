def iou_matrix(a, b):
    return np.array([[iou(one, other) for one in a] for other in b])
