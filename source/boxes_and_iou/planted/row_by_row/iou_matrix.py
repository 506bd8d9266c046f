def iou_matrix(a, b):
    return np.array([iou(one, other) for one, other in zip(a, b)])
